#include "report/keep.h"

#include <fmt/format.h>

#include "report/writer.h"

namespace barman::report {

void report_keep(const std::string& server, const std::optional<std::string>& target, Writer& out) {
  const std::string text = target.value_or("nokeep");
  out.line(fmt::format("Server {}:", server));
  out.line(fmt::format("\tKeep: {}", text));
  out.put({server, "keep_status"},
          fmt::format(R"({{"description": "Keep", "message": {}}})", json_string(text)));
}

}  // namespace barman::report
