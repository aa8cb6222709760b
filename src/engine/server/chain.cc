#include "engine/server/chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pgformat/backup_label.h"

namespace barman::engine {

namespace {

using catalog::BackupInfo;

constexpr std::string_view kChooseAnother = "choose another backup, and take a full one soon";

[[noreturn]] void refuse_link(const BackupInfo& child, const std::string& parent, const std::string& reason) {
  throw Error(ErrorKind::kRefused, fmt::format("backup {} is built on backup {}, {}; {}", child.id.text,
                                               parent, reason, kChooseAnother));
}

int major_of(const BackupInfo& info) { return info.version.value_or(0) / 10000; }

void check_link(const BackupInfo& parent, const BackupInfo& child) {
  const std::string& id = parent.id.text;
  if (!catalog::is_available(parent)) {
    refuse_link(child, id, fmt::format("whose status is {}", catalog::format_status(parent.status)));
  }
  const catalog::BackupType type = catalog::backup_type(parent);
  if (type != catalog::BackupType::kFull && type != catalog::BackupType::kIncremental) {
    refuse_link(child, id, fmt::format("which was taken by {}", parent.mode.value_or("an unknown method")));
  }
  if (parent.systemid && child.systemid && *parent.systemid != *child.systemid) {
    refuse_link(child, id,
                fmt::format("which is of another cluster: system identifier {}, not {}", *parent.systemid,
                            *child.systemid));
  }
  if (major_of(parent) != major_of(child)) {
    refuse_link(child, id,
                fmt::format("which is of PostgreSQL {}, not {}", major_of(parent), major_of(child)));
  }
  if (parent.begin_xlog && child.begin_xlog && *parent.begin_xlog > *child.begin_xlog) {
    refuse_link(child, id, "which begins later than itself");
  }
  if (!child.backup_label || !parent.begin_xlog) return;
  const auto from = pgformat::parse_backup_label(*child.backup_label).incremental_from;
  if (from && *from != *parent.begin_xlog) {
    refuse_link(child, id,
                fmt::format("which begins at {}, but by its label it is built on one that begins at {}",
                            pgformat::format_lsn(*parent.begin_xlog), pgformat::format_lsn(*from)));
  }
}

}  // namespace

std::vector<BackupInfo> chain_of(const std::vector<BackupInfo>& backups, const BackupInfo& info) {
  std::vector<BackupInfo> chain{info};
  while (chain.back().parent_backup_id) {
    const BackupInfo& child = chain.back();
    const auto parent = std::ranges::find(backups, *child.parent_backup_id, &BackupInfo::id);
    if (parent == backups.end()) refuse_link(child, child.parent_backup_id->text, "which is missing");
    if (std::ranges::find(chain, parent->id, &BackupInfo::id) != chain.end()) {
      refuse_link(child, parent->id.text, "which is built on itself");
    }
    check_link(*parent, child);
    chain.push_back(*parent);
  }
  std::ranges::reverse(chain);
  return chain;
}

}  // namespace barman::engine
