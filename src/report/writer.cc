#include "report/writer.h"

#include "report/console.h"
#include "report/json.h"

namespace barman::report {

std::unique_ptr<Writer> make_writer(const WriterOptions& options, Log& log, const Clock& clock) {
  if (options.format == Format::kJson) return std::make_unique<JsonWriter>(options, log);
  return std::make_unique<ConsoleWriter>(options, log, clock);
}

}  // namespace barman::report
