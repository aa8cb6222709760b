#include "report/backup_page.h"

#include "base/text.h"

namespace barman::report {

void BackupPage::row(std::string_view key, std::string_view value) {
  line_(fmt::format("  {:<23}: {}", key, value));
}

void BackupPage::header(std::string_view text) { line_(fmt::format("  {}:", text)); }

void BackupPage::nested(std::string_view key, std::string_view value) {
  line_(fmt::format("    {:<21}: {}", key, value));
}

void BackupPage::end_block() { line_(""); }

void BackupPage::head(const catalog::BackupInfo& info, std::string_view server) {
  if (info.backup_name) row("Backup Name", *info.backup_name);
  row("Server Name", server);
  if (info.systemid) row("System Id", *info.systemid);
  row("Status", catalog::format_status(info.status));
  if (catalog::is_available(info)) {
    row("PostgreSQL Version", info.version ? std::to_string(*info.version) : "None");
    row("PGDATA directory", info.pgdata.value_or("None"));
    if (info.cluster_size)
      row("Estimated Cluster Size", pretty_size(static_cast<double>(*info.cluster_size)));
  }
  end_block();
  if (!info.data_checksums && !info.summarize_wal) return;
  header("Server information");
  nested_if("Checksums", info.data_checksums);
  nested_if("WAL summarizer", info.summarize_wal);
  end_block();
}

void BackupPage::tablespaces(const catalog::BackupInfo& info) {
  if (info.tablespaces.empty()) return;
  header("Tablespaces");
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    nested(tablespace.name, fmt::format("{} (oid: {})", tablespace.location, tablespace.oid));
  }
  end_block();
}

}  // namespace barman::report
