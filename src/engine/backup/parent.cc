#include "engine/backup/parent.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "catalog/catalog.h"
#include "engine/events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/chain.h"
#include "engine/server/cloud_archives.h"
#include "os/durable_file.h"
#include "pgformat/backup_label.h"
#include "pgformat/manifest.h"
#include "postgres/session.h"

namespace barman::engine {

namespace {

using catalog::BackupInfo;

constexpr int kFirstIncrementalVersion = 170000;
constexpr std::string_view kTakeFull = "take a full backup (without --incremental)";

[[noreturn]] void refuse_parent(const BackupInfo& parent, const std::string& reason) {
  throw Error(ErrorKind::kRefused, fmt::format("backup {} cannot be the parent of an incremental backup: {}",
                                               parent.id.text, reason));
}

void check_record(const BackupInfo& parent, const ServerFacts& facts) {
  if (!catalog::is_available(parent)) {
    refuse_parent(parent, fmt::format("its status is {}; choose one that is DONE, or {}",
                                      catalog::format_status(parent.status), kTakeFull));
  }
  if (parent.mode != "postgres") {
    refuse_parent(parent,
                  fmt::format("it was taken by {}, only backups with backup_method = postgres can be; {}",
                              parent.mode.value_or("an unknown method"), kTakeFull));
  }
  if (parent.summarize_wal != "on") {
    refuse_parent(parent, fmt::format("summarize_wal was not on when it was taken; {}", kTakeFull));
  }
  if (parent.version.value_or(0) / 10000 != facts.version / 10000) {
    refuse_parent(parent, fmt::format("it is of PostgreSQL {}, the server runs {}; {}",
                                      parent.version.value_or(0) / 10000, facts.version / 10000, kTakeFull));
  }
  if (parent.systemid && facts.system_identifier && *parent.systemid != *facts.system_identifier) {
    refuse_parent(parent,
                  fmt::format("it is of the cluster with system identifier {}, the server's is {}; {}",
                              *parent.systemid, *facts.system_identifier, kTakeFull));
  }
}

// A server that was restored or promoted goes on from its parent's timeline; the parent may hold what it
// lost.
void check_timeline(const BackupInfo& parent, const ServerFacts& facts, const ParentSources& sources) {
  if (!parent.timeline || !facts.timeline || *parent.timeline == *facts.timeline) return;
  const std::string base =
      fmt::format("it is of timeline {}, the server is on timeline {}", *parent.timeline, *facts.timeline);
  if (*parent.timeline > *facts.timeline) refuse_parent(parent, fmt::format("{}; {}", base, kTakeFull));
  const auto entries = pgformat::parse_history(sources.history(*facts.timeline));
  const auto left = std::ranges::find(entries, *parent.timeline, &pgformat::HistoryEntry::parent);
  if (left == entries.end()) {
    refuse_parent(parent, fmt::format("{}, which does not come from it; {}", base, kTakeFull));
  }
  if (parent.end_xlog && left->switched_at < *parent.end_xlog) {
    refuse_parent(parent, fmt::format("{}, which left that timeline at {}, before the backup's end at {}; {}",
                                      base, pgformat::format_lsn(left->switched_at),
                                      pgformat::format_lsn(*parent.end_xlog), kTakeFull));
  }
}

void check_files_on_disk(const Home& home, const BackupInfo& parent, const BackupInfo& member) {
  const std::filesystem::path data = home.data(member.id);
  if (!std::filesystem::is_directory(data)) {
    refuse_parent(parent, fmt::format("the files of backup {} are gone: there is no {}; {}", member.id.text,
                                      data.string(), kTakeFull));
  }
  // The parent's own is read later. Without the others the new backup could be taken, but not restored.
  if (member.id != parent.id && !std::filesystem::exists(home.manifest(member.id))) {
    refuse_parent(parent, fmt::format("it is built on backup {}, whose manifest {} is missing; {}",
                                      member.id.text, home.manifest(member.id).string(), kTakeFull));
  }
}

void check_files(const Home& home, const BackupInfo& parent, const BackupInfo& member) {
  if (!home.backup_bucket) return check_files_on_disk(home, parent, member);
  try {
    (void)cloud_archives(home.backup_bucket->bucket(), member);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kCorrupt) throw;
    refuse_parent(parent, fmt::format("the files of backup {} are not all there: {}; {}", member.id.text,
                                      e.what(), kTakeFull));
  }
}

// Another host took the backup.
bool fetch(const BackupInfo& parent, const std::filesystem::path& path, const FetchManifest& fetch_manifest) {
  if (!fetch_manifest) return false;
  const auto file = os::create_file(path);
  if (!fetch_manifest(parent, *file)) return false;
  file->finish();
  return true;
}

void check_manifest(const Home& home, const BackupInfo& parent, const ServerFacts& facts,
                    const FetchManifest& fetch_manifest) {
  const std::filesystem::path path = home.manifest(parent.id);
  if (!std::filesystem::exists(path) && !fetch(parent, path, fetch_manifest)) {
    refuse_parent(parent, fmt::format("its manifest {} is missing; {}", path.string(), kTakeFull));
  }
  const auto summary = during(fmt::format("reading {}", path.string()), [&] {
    pgformat::ManifestReader reader([](const pgformat::ManifestFile&) {});
    const auto source = os::open_file(path);
    std::array<std::byte, 65536> buffer{};
    while (const std::size_t size = source->read(buffer)) {
      reader.write(stream::text_of(stream::Bytes(buffer).first(size)));
    }
    return reader.finish();
  });
  const auto& here = facts.system_identifier;
  if (summary.system_identifier && here && std::to_string(*summary.system_identifier) != *here) {
    refuse_parent(
        parent,
        fmt::format("its manifest is of the cluster with system identifier {}, the server's is {}; {}",
                    *summary.system_identifier, *here, kTakeFull));
  }
}

void warn_of_checksums(const std::vector<BackupInfo>& chain, const ServerFacts& facts, Events& events) {
  const auto now = facts.setting("data_checksums");
  const auto differs = std::ranges::find_if(chain, [&](const BackupInfo& member) {
    return member.data_checksums && now && *member.data_checksums != *now;
  });
  if (differs == chain.end()) return;
  events.warning(
      fmt::format("data_checksums is {} on the server, but was {} when backup {} was taken: a restore of the "
                  "chain may hold pages "
                  "whose checksums are wrong; {} instead",
                  *now, *differs->data_checksums, differs->id.text, kTakeFull));
}

}  // namespace

void require_incremental_server(const ServerFacts& facts, const std::string& server) {
  if (facts.version < kFirstIncrementalVersion) {
    throw Error(ErrorKind::kRefused,
                fmt::format("incremental backups need PostgreSQL 17 or later, server {} runs {}; {}", server,
                            facts.version_text, kTakeFull));
  }
  if (facts.setting("summarize_wal") != "on") {
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "incremental backups need summarize_wal = on, server {} has {}; set it, reload the server, "
            "and {} as the first parent",
            server, facts.setting("summarize_wal").value_or("hidden it from this role"), kTakeFull));
  }
}

BackupInfo choose_parent(const Home& home, const std::vector<BackupInfo>& backups, const std::string& word,
                         const ServerFacts& facts, const ParentSources& sources, Events& events) {
  const auto parent = catalog::resolve(backups, word);
  if (!parent) {
    throw Error(ErrorKind::kUsage, fmt::format("Unknown backup '{}' for server '{}'", word, home.server));
  }
  check_record(*parent, facts);
  const auto chain = chain_of(backups, *parent);
  for (const BackupInfo& member : chain) check_files(home, *parent, member);
  check_timeline(*parent, facts, sources);
  check_manifest(home, *parent, facts, sources.fetch_manifest);
  warn_of_checksums(chain, facts, events);
  return *parent;
}

std::optional<WalSummary> find_gap(std::vector<WalSummary> summaries, pgformat::Lsn from) {
  std::ranges::sort(summaries, {}, &WalSummary::start);
  pgformat::Lsn covered = from;
  for (const WalSummary& summary : summaries) {
    if (summary.end <= covered) continue;
    if (summary.start > covered) return WalSummary{.start = covered, .end = summary.start};
    covered = summary.end;
  }
  return std::nullopt;
}

void require_summaries(postgres::Session& session, const BackupInfo& parent, Events& events) {
  if (!parent.begin_xlog) return;
  std::vector<WalSummary> summaries;
  try {
    const auto rows = session.query(fmt::format(
        "SELECT start_lsn, end_lsn FROM pg_catalog.pg_available_wal_summaries() WHERE end_lsn > '{}'",
        pgformat::format_lsn(*parent.begin_xlog)));
    for (const postgres::Row& row : rows) {
      const auto start = pgformat::parse_lsn(row[0].value_or(""));
      const auto end = pgformat::parse_lsn(row[1].value_or(""));
      if (start && end) summaries.push_back({.start = *start, .end = *end});
    }
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCancelled || e.kind() == ErrorKind::kTransient) throw;
    return events.log(LogLevel::kInfo, fmt::format("the WAL summaries cannot be listed: {}", e.what()));
  }
  const auto gap = find_gap(std::move(summaries), *parent.begin_xlog);
  if (!gap) return;
  refuse_parent(parent,
                fmt::format("the server has no WAL summaries from {} to {}: they are older than "
                            "wal_summary_keep_time, or summarize_wal was off for a while; {}, and keep "
                            "wal_summary_keep_time longer than the time between two backups",
                            pgformat::format_lsn(gap->start), pgformat::format_lsn(gap->end), kTakeFull));
}

}  // namespace barman::engine
