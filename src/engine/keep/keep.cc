#include "engine/keep/keep.h"

#include <fmt/format.h>

#include "base/error.h"
#include "catalog/file_names.h"

namespace barman::engine {

using catalog::BackupId;
using catalog::BackupInfo;

std::optional<std::string> keep_problem(const BackupInfo& info) {
  if (info.status != catalog::BackupStatus::kDone) {
    return fmt::format(
        "Cannot add keep to backup {} because it has status {}. Only backups with status DONE can be kept.",
        info.id.text, catalog::format_status(info.status));
  }
  if (catalog::backup_type(info) == catalog::BackupType::kIncremental) {
    return fmt::format(
        "Unable to execute the keep command on backup {}: is an incremental backup.\n"
        "Only full backups are eligible for the use of the keep command.",
        info.id.text);
  }
  return std::nullopt;
}

void keep_backup(catalog::Catalog& catalog, const BackupId& id, std::string_view target) {
  const std::optional<BackupInfo> info = catalog.find(id);
  if (!info) throw Error(ErrorKind::kRefused, fmt::format("backup {} was deleted meanwhile", id.text));
  if (catalog.annotation(id, catalog::kDeleteThis)) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format("Cannot add keep to backup {} because its deletion has begun: it is not whole any "
                    "more; delete it again to finish",
                    id.text));
  }
  if (const auto problem = keep_problem(*info)) throw Error(ErrorKind::kRefused, *problem);
  catalog.annotate(id, catalog::kKeep, target);
}

}  // namespace barman::engine
