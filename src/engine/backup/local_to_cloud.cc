#include "engine/backup/local_to_cloud.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/backup/archive_form.h"
#include "engine/backup/record.h"
#include "engine/events.h"
#include "engine/server/backup_record.h"
#include "engine/server/bucket_home.h"
#include "engine/server/encryption.h"
#include "engine/server/keep_alive.h"
#include "engine/server/local_cluster.h"
#include "engine/server/open_bucket.h"
#include "os/fault_point.h"

namespace barman::engine {

namespace {

constexpr std::uint64_t kKilobyte = 1000;  // of bandwidth_limit

}  // namespace

void LocalToCloudMethod::prepare() {
  require_fitting_options();
  const ServerFacts& facts = backup_.facts;
  if (!facts.backup_privileges) {
    throw Error(
        ErrorKind::kRefused,
        "the role of conninfo may not start and stop backups; grant EXECUTE on these functions to it");
  }
  catalog::BackupInfo info;
  record_server(info, facts);
  require_own_cluster(info.pgdata.value_or(""), facts.system_identifier.value_or("(hidden from the role)"));
  require_local_cluster(cluster_files(info));
}

void LocalToCloudMethod::require_fitting_options() const {
  const auto refuse = [this](std::string_view reason) {
    throw Error(ErrorKind::kUsage, fmt::format("server {}: {}", backup_.around.home.server, reason));
  };
  if (!format_.in_bucket) {
    refuse("backup_method = local-to-cloud needs basebackups_directory = s3://BUCKET/PATH");
  }
  if (backup_.request.parent) {
    refuse(
        "backup_method = local-to-cloud takes full backups only; leave --incremental out, or use "
        "backup_method = postgres");
  }
  if (format_.on_server) {
    refuse(
        "with backup_method = local-to-cloud the server sends nothing that it could compress; set "
        "backup_compression_location = client");
  }
}

void LocalToCloudMethod::start() {
  const BackupSurroundings& around = backup_.around;
  catalog::BackupInfo& info = backup_.info;
  record_server(info, backup_.facts);
  // Both ends of a backup wait as long as it takes: for a checkpoint, and for the WAL to be archived.
  session_ = around.connector.session(around.server.values.text("conninfo"), {.stop = backup_.stop});
  info.cluster_size = cluster_size(*session_);
  server_.emplace(*session_, backup_.facts);
  server_->start(info, fmt::format("Barman backup {} {}", around.home.server, info.id.text),
                 backup_.request.fast_checkpoint, around.clock);
  info.tablespaces = tablespaces(*session_);
  around.catalog.save(info);
  os::fault_point("backup-started");
}

TreeForm LocalToCloudMethod::tree_form() const {
  const BackupSurroundings& around = backup_.around;
  const config::Values& values = around.server.values;
  TreeForm form{.archives = series_form(format_, values, around.runner, gpg_of(around.server)),
                .workers = upload_workers(values)};
  if (const auto limit = static_cast<std::uint64_t>(backup_.request.bandwidth); limit > 0) {
    form.archives.stages.push_back(stream::throttle(limit * kKilobyte, around.clock, backup_.stop));
  }
  return form;
}

void LocalToCloudMethod::copy() {
  const BackupSurroundings& around = backup_.around;
  warn_of_external_files();
  form_ = tree_form();
  if (const auto layout = page_layout(backup_.facts)) {
    form_.pages = &pages_.emplace(*layout, around.clock, backup_.stop);
  }
  {
    const KeepAlive alive(*session_, backup_.request.keep_alive, around.clock);
    form_.between = [&] {
      alive.require();
      around.events.progress({.phase = "copying",
                              .done = upload_ ? upload_->stored_bytes() : 0,
                              .expected = backup_.info.cluster_size});
    };
    upload_ = std::make_unique<ClusterUpload>(around.home.backup_bucket->bucket(), backup_.info.id,
                                              cluster_files(backup_.info), form_, around.clock);
    upload_->copy(backup_.stop);
  }
  form_.between = {};
  os::fault_point("backup-files-read");
  if (pages_) require_sound_pages(*pages_, *session_);
}

// Those that the main one includes are not looked for.
void LocalToCloudMethod::warn_of_external_files() const {
  catalog::BackupInfo included;
  included.pgdata = backup_.info.pgdata;
  included.included_files = backup_.info.included_files;
  warn_of_files_left_out(backup_, external_files(included));
}

void LocalToCloudMethod::stop() {
  catalog::BackupInfo& info = backup_.info;
  backup_.doing = "issuing stop of the backup";
  const std::string label = server_->stop(info, backup_.around.clock);
  create_restore_point(*session_, backup_.facts, info.id);
  switch_wal_of_primary(backup_);
  backup_.doing = "storing the last archive";
  upload_->finish(label);
  info.copy_stats = upload_->copy_stats();
  info.compression = recorded_compression(format_);
  if (format_.key) info.encryption = "gpg";
  os::fault_point("backup-synced");
}

StoredSize LocalToCloudMethod::measure() {
  return {.bytes = upload_->stored_bytes(), .unique_bytes = upload_->stored_bytes()};
}

}  // namespace barman::engine
