#include "report/verify_backup.h"

#include <fmt/format.h>

#include "engine/restore/verify.h"
#include "report/writer.h"

namespace barman::report {

void report_verification(const engine::VerifyResult& result, Writer& out) {
  for (const engine::MemberProblems& member : result.damaged) {
    out.error(fmt::format("verify backup failure on directory '{}'", member.directory));
    for (const std::string& problem : member.problems) out.error(problem);
    if (member.further > 0) out.error(fmt::format("and {} more like these", member.further));
  }
  if (!result.damaged.empty()) return;
  out.log(engine::LogLevel::kInfo, fmt::format("{} files are as the manifest says", result.files));
  out.info("backup successfully verified");
}

}  // namespace barman::report
