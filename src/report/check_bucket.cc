#include "report/check_bucket.h"

#include <fmt/format.h>

#include "report/check.h"
#include "report/writer.h"

namespace barman::report {
namespace {

using engine::ProbeVerdict;

const char* word_for(ProbeVerdict verdict) {
  if (verdict == ProbeVerdict::kOk) return "OK";
  return verdict == ProbeVerdict::kWarning ? "WARNING" : "FAILED";
}

Colour colour_of(ProbeVerdict verdict) {
  if (verdict == ProbeVerdict::kOk) return Colour::kGreen;
  return verdict == ProbeVerdict::kWarning ? Colour::kYellow : Colour::kRed;
}

}  // namespace

void print_place(const std::string& server, const engine::PlaceReport& place, Writer& out) {
  out.line(fmt::format("Server {}, {} in {}:", server, place.what, place.url));
  const std::string what = json_key(place.what);
  out.put({server, what, "url"}, json_string(place.url));
  for (const engine::ProbeLine& line : place.lines) {
    const char* word = word_for(line.verdict);
    out.line(fmt::format("\t{}: {}{}", line.label, out.paint(colour_of(line.verdict), word),
                         line.hint.empty() ? "" : fmt::format(" ({})", line.hint)));
    out.put({server, what, "checks", json_key(line.label)},
            fmt::format(R"({{"hint": {}, "status": "{}"}})", json_string(line.hint), word));
  }
  if (!place.passed()) out.fail();
}

}  // namespace barman::report
