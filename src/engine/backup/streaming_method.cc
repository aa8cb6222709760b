#include "engine/backup/streaming_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "engine/backup/archive_files.h"
#include "engine/backup/archive_form.h"
#include "engine/backup/bucket_archives.h"
#include "engine/backup/parent.h"
#include "engine/backup/plain_files.h"
#include "engine/backup/record.h"
#include "engine/events.h"
#include "engine/server/backup_record.h"
#include "engine/server/bucket_home.h"
#include "engine/server/copy_stats.h"
#include "engine/server/encryption.h"
#include "engine/server/open_bucket.h"
#include "os/fault_point.h"
#include "os/tree.h"

namespace barman::engine {

void StreamingMethod::prepare() {
  if (const auto problem = format_problem(backup_.around.server, backup_.facts.version)) {
    throw Error(ErrorKind::kRefused, *problem);
  }
  rate_ = max_rate(backup_.request.bandwidth);
  if (backup_.request.parent) choose_parent();
}

void StreamingMethod::choose_parent() {
  const BackupSurroundings& around = backup_.around;
  require_incremental_server(backup_.facts, around.home.server);
  const auto history = [this, &around](pgformat::Timeline timeline) {
    return around.connector
        .replication(around.server.values.text("streaming_conninfo"), {.stop = backup_.stop})
        ->timeline_history(timeline);
  };
  const catalog::BackupInfo parent =
      engine::choose_parent(around.home, backup_.existing, *backup_.request.parent, backup_.facts,
                            {.history = history, .fetch_manifest = around.fetch_manifest}, around.events);
  require_summaries(*backup_.connect("conninfo"), parent, around.events);
  backup_.info.parent_backup_id = parent.id;
}

void StreamingMethod::start() {
  const auto session = backup_.connect("conninfo");
  catalog::BackupInfo& info = backup_.info;
  record_server(info, backup_.facts);
  named_ = tablespaces(*session);
  refuse_what_archives_lack();
  info.tablespaces = named_;
  info.cluster_size = cluster_size(*session);
  record_start(info, wal_position(*session, backup_.facts), backup_.facts);
  backup_.around.catalog.save(info);
  os::fault_point("backup-started");
  backup_.around.events.info("Backup start at LSN: " +
                             position_text(info.begin_xlog, info.begin_wal, info.begin_offset));
}

// PostgreSQL before 16 leaves tablespaces in place (a test feature) out of archives with a tablespace_map.
void StreamingMethod::refuse_what_archives_lack() const {
  constexpr int kFirstComplete = 160000;
  if (!format_.is_tar || format_.in_bucket || backup_.facts.version >= kFirstComplete) return;
  for (const auto& tablespace : named_) {
    if (tablespace.location.starts_with('/')) continue;
    throw Error(ErrorKind::kRefused,
                fmt::format("tablespace {} is a folder of the data directory, and this version of "
                            "PostgreSQL leaves it out of archives; remove backup_compression, or move "
                            "what is in the tablespace",
                            tablespace.name));
  }
}

void StreamingMethod::copy() {
  const BackupSurroundings& around = backup_.around;
  around.events.info(begin_text());
  warn_of_files_left_out(backup_, external_files(backup_.info));
  const std::filesystem::path folder = around.home.backup(backup_.info.id);
  if (format_.in_bucket) {
    copy_into_bucket();
  } else if (auto form = archive_form(format_, around.runner, gpg_of(around.server))) {
    ArchiveFiles archives(folder, *std::move(form), around.events);
    copy_into(archives);
  } else {
    PlainFiles files(folder, around.events);
    copy_into(files);
  }
  around.events.info(fmt::format("Copy done (time: {})", human_duration(outcome_.duration)));
}

std::string StreamingMethod::begin_text() const {
  const auto& bucket = backup_.around.home.backup_bucket;
  return fmt::format("Starting backup copy via pg_basebackup for {}{}", backup_.info.id.text,
                     bucket ? " to the cloud storage aws-s3: " + bucket->url() : "");
}

void StreamingMethod::copy_into(BackupStorage& storage) {
  const BackupSurroundings& around = backup_.around;
  const BackupRequest& request = backup_.request;
  const auto& parent = backup_.info.parent_backup_id;
  outcome_ = copy_by_streaming(
      {.conninfo = around.server.values.text("streaming_conninfo"),
       .application_name = around.server.values.text("streaming_backup_name"),
       .label = fmt::format("Barman backup {} {}", around.home.server, backup_.info.id.text),
       .fast_checkpoint = request.fast_checkpoint,
       .max_rate_kib = rate_,
       .system_identifier = backup_.facts.system_identifier,
       .parent_manifest = parent ? std::optional(around.home.manifest(*parent)) : std::nullopt,
       .server_compression = server_compression(format_),
       .tablespace_map = format_.is_tar && !format_.in_bucket,
       .retries = request.retries,
       .pause = request.retry_pause,
       .server_waits_for_wal = [this] { switch_wal_of_primary(backup_); }},
      storage, around.connector, around.clock, around.events, backup_.stop);
  record_copy(backup_.info, outcome_);
}

void StreamingMethod::copy_into_bucket() {
  const BackupSurroundings& around = backup_.around;
  const config::Values& values = around.server.values;
  BucketArchives archives({.bucket = around.home.backup_bucket->bucket(),
                           .id = backup_.info.id,
                           .manifest = around.home.manifest(backup_.info.id),
                           .clock = around.clock},
                          series_form(format_, values, around.runner, gpg_of(around.server)));
  copy_into(archives);
  stored_ = archives.stored_bytes();
  backup_.info.copy_stats =
      cloud_copy_stats(archives.times(), outcome_.duration, upload_workers(around.server.values));
}

void StreamingMethod::stop() {
  const BackupSurroundings& around = backup_.around;
  catalog::BackupInfo& info = backup_.info;
  around.events.info("Finalising the backup.");
  backup_.doing = "reading the backup label";
  if (outcome_.label.empty()) throw Error(ErrorKind::kCorrupt, "the server sent no backup_label");
  backup_.doing = "issuing stop of the backup";
  const auto session = backup_.connect("conninfo");
  name_new_tablespaces(*session);
  record_tablespaces(info, outcome_, named_);
  record_label(info, outcome_.label);
  info.compression = recorded_compression(format_);
  if (format_.key) info.encryption = "gpg";
  record_end(info, outcome_.end, wal_position(*session, backup_.facts).now);
  if (backup_.facts.in_recovery) return switch_wal_of_primary(backup_);
  // The restore point first: the switch then sends it to the archive.
  try_on_server(backup_, *session,
                fmt::format("SELECT pg_catalog.pg_create_restore_point('barman_{}')", info.id.text));
  try_on_server(backup_, *session, "SELECT pg_catalog.pg_switch_wal()");
}

// Tablespaces that were created between our query and the start of the backup.
void StreamingMethod::name_new_tablespaces(postgres::Session& session) {
  std::set<std::uint32_t> known;
  for (const auto& tablespace : named_) known.insert(tablespace.oid);
  const bool all_known = std::ranges::all_of(
      outcome_.tablespaces, [&](const CopiedTablespace& copied) { return known.contains(copied.oid); });
  if (!all_known) named_ = tablespaces(session);
}

StoredSize StreamingMethod::measure() {
  if (format_.in_bucket) return {.bytes = stored_, .unique_bytes = stored_};
  const os::TreeSize size = os::measure_tree(backup_.around.home.backup(backup_.info.id));
  return {.bytes = size.bytes, .unique_bytes = size.unique_bytes};
}

}  // namespace barman::engine
