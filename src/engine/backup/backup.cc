#include "engine/backup/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/wal_removal.h"
#include "engine/backup/local_to_cloud.h"
#include "engine/backup/method.h"
#include "engine/backup/record.h"
#include "engine/backup/streaming_method.h"
#include "engine/backup/sweep.h"
#include "engine/backup/under_way.h"
#include "engine/events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/change_record.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/identity.h"
#include "engine/server/interrupted.h"
#include "engine/server/promotion.h"
#include "engine/server/support.h"
#include "engine/server/wal_purge.h"
#include "engine/server/withdraw_backup.h"
#include "engine/wal/wal_archive.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/lock_file.h"
#include "store/bucket.h"

namespace barman::engine {

namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string major_version(int version) { return std::to_string(version / 10000); }

std::string local_time_text(Time instant) {
  const std::string text = local_iso_text(instant);
  return text.substr(0, text.find_first_of("+-", sizeof "2026-11-22"));
}

std::unique_ptr<BackupMethod> method_of(BackupUnderWay& backup) {
  if (backup.around.server.values.text("backup_method") == "local-to-cloud") {
    return std::make_unique<LocalToCloudMethod>(backup);
  }
  return std::make_unique<StreamingMethod>(backup);
}

// One backup, from its lock to its last line.
class Run {
 public:
  Run(const BackupRequest& request, const BackupSurroundings& around, const std::stop_token& stop)
      : around_(around),
        begun_(around.clock.now()),
        backup_{.request = request, .around = around, .stop = stop},
        method_(method_of(backup_)) {}

  BackupInfo take() {
    make_directories();
    const auto lock = os::LockFile::try_acquire(around_.home.backup_lock());
    if (!lock) throw Error(ErrorKind::kBusy, "Another backup process is running");
    require_bucket();
    const auto settled = settle_interrupted_backups(around_.catalog, around_.home.server, around_.events);
    inspect_server();
    backup_.existing = around_.catalog.list().backups;
    if (const auto& bucket = around_.home.backup_bucket) {
      sweep(bucket->bucket(), around_.home, backup_.existing, settled, around_.events);
    }
    method_->prepare();
    try {
      record_new_backup();
      take_recorded();
    } catch (const Error& e) {
      fail(e.what());
      if (e.kind() == ErrorKind::kCancelled) throw;
      around_.events.error(fmt::format("Backup failed {}.\nDETAILS: {}", backup_.doing, e.what()));
      return info_;
    } catch (const std::exception& e) {
      fail(e.what());
      throw;
    }
    wait_for_wal();
    review();
    return info_;
  }

 private:
  void make_directories() const {
    const Home& home = around_.home;
    for (const auto& folder : {home.backup_directory, home.meta, home.base, home.wals, home.incoming,
                               home.streaming, home.errors, home.xlogdb.parent_path()}) {
      if (!folder.empty()) os::make_directories(folder);
    }
  }

  // Before anything is recorded, here or there.
  void require_bucket() const {
    const auto& bucket = around_.home.backup_bucket;
    if (!bucket || bucket->bucket().exists()) return;
    throw Error(ErrorKind::kRefused,
                fmt::format("the bucket of {} does not exist; create it first", bucket->url()));
  }

  void inspect_server() {
    backup_.facts = inspect(*backup_.connect("conninfo"));
    const ServerFacts& facts = backup_.facts;
    if (!facts.system_identifier) return;
    const std::string& here = *facts.system_identifier;
    const auto known =
        establish_identity(around_.home, {.systemid = here, .version = major_version(facts.version)});
    if (known.systemid != here) {
      throw Error(
          ErrorKind::kRefused,
          fmt::format("server {} has system identifier {}, but {} says that the backups here are of {}; "
                      "use another server section for another cluster",
                      around_.home.server, here, around_.home.identity.string(), known.systemid));
    }
  }

  // Both records name each other before anything is copied: whatever happens then, a deletion finds the
  // child.
  void link_to_parent() const {
    if (!info_.parent_backup_id) return;
    change_record(around_.home, around_.catalog, *info_.parent_backup_id, [this](BackupInfo& parent) {
      parent.children_backup_ids.push_back(info_.id);
      return true;
    });
    os::fault_point("backup-parent-linked");
  }

  void record_new_backup() {
    info_.server_name = around_.home.server;
    info_.mode = method_->mode();
    info_.backup_name = backup_.request.name;
    info_.systemid = backup_.facts.system_identifier;
    std::vector<BackupInfo> taken = backup_.existing;
    while (!record_as(next_backup_id(begun_, taken))) {
      taken.push_back({.id = std::exchange(info_.id, {})});
    }
    os::fault_point("backup-recorded");
    link_to_parent();
  }

  // Whether nobody else has this id: another host may back up into the same place, at the same moment.
  bool record_as(catalog::BackupId id) {
    const auto& bucket = around_.home.backup_bucket;
    // Some stores take no notice of conditions.
    const bool is_taken = bucket && bucket->bucket().stat(backup_info_key(id));
    info_.id = std::move(id);
    return !is_taken && around_.catalog.add(info_);
  }

  void take_recorded() {
    around_.events.info(fmt::format("Starting backup using {} method for server {} in {}", method_->mode(),
                                    around_.home.server, place_text(backup_)));
    method_->start();
    backup_.doing = "copying files";
    method_->copy();
    method_->stop();
    purge_older_wal();
    measure();
    complete();
  }

  void measure() {
    backup_.doing = "calculating backup size";
    const StoredSize size = method_->measure();
    info_.size = size.bytes;
    info_.deduplicated_size = size.unique_bytes;
    around_.catalog.save(info_);
  }

  void complete() {
    info_.status = BackupStatus::kWaitingForWals;
    around_.catalog.save(info_);
    os::fault_point("backup-waiting");
    around_.events.info("Backup size: " + pretty_size(static_cast<double>(*info_.size)));
    around_.events.info("Backup end at LSN: " +
                        position_text(info_.end_xlog, info_.end_wal, info_.end_offset));
    around_.events.info(fmt::format("Backup completed (start time: {}, elapsed time: {})",
                                    local_time_text(begun_), human_duration(around_.clock.now() - begun_)));
  }

  // Only says and records: the failure itself must come out whatever else goes wrong.
  void fail(const std::string& reason) {
    method_.reset();  // what it has begun ends: the backup on the server, uploads
    info_.status = BackupStatus::kFailed;
    info_.error = fmt::format("failure {} ({})", backup_.doing, first_line(reason));
    if (info_.id.text.empty()) return;  // it was not even recorded
    const auto& bucket = around_.home.backup_bucket;
    try {
      if (bucket) bucket->bucket().begin_cleaning_up();
      around_.catalog.save(info_);
    } catch (const std::exception& e) {
      around_.events.warning(fmt::format(
          "Backup {} could not be marked FAILED: {}. The next backup will do it.", info_.id.text, e.what()));
    }
    if (bucket) withdraw(info_.id);
  }

  // What is in the bucket of a backup that came to nothing; a warning if that cannot be done now.
  void withdraw(const catalog::BackupId& id) const {
    try {
      withdraw_backup(around_.home.backup_bucket->bucket(), id);
      os::remove_file(around_.home.manifest(id));
    } catch (const std::exception& e) {
      tell_not_taken_back(around_.home, id, e.what(), around_.events);
    }
  }

  void wait_for_wal() {
    const BackupRequest& request = backup_.request;
    if (!request.wait) return;
    const std::string limit =
        request.wait_limit.count() > 0 ? fmt::format(" (max: {} seconds)", request.wait_limit.count()) : "";
    around_.events.info(fmt::format("Waiting for the WAL file {} from server '{}'{}", *info_.end_wal,
                                    around_.home.server, limit));
    const Time deadline = around_.clock.now() + request.wait_limit;
    while (!is_archived(*info_.end_wal)) {
      around_.archive_once();
      if (is_archived(*info_.end_wal)) break;
      if (request.wait_limit.count() > 0 && around_.clock.now() >= deadline) {
        around_.events.error(fmt::format("The WAL file {} has not been received in {} seconds",
                                         *info_.end_wal, request.wait_limit.count()));
        break;
      }
      around_.events.progress({.phase = "waiting for WAL"});
      if (!around_.clock.sleep(std::chrono::milliseconds(100), backup_.stop)) {
        throw Error(ErrorKind::kCancelled, "stopped while waiting for WAL; the backup itself is complete");
      }
    }
  }

  // Still under the lock: what becomes of the backup by the WAL that is there.
  void review() {
    around_.archive_once();
    info_ = promote(around_.home, around_.catalog, std::move(info_));
    if (info_.status == BackupStatus::kFailed) {
      around_.events.error(
          fmt::format("This backup has been marked as FAILED due to the following reason: {}",
                      info_.error.value_or("unknown")));
      return;
    }
    if (info_.status != BackupStatus::kWaitingForWals) return;
    around_.events.warning(fmt::format(
        "IMPORTANT: this backup is classified as WAITING_FOR_WALS: not all of the WAL that it needs has "
        "arrived yet.\nBarman makes it DONE as soon as {} is archived.\n"
        "Hint: with --wait, the backup command waits for that.",
        *info_.end_wal));
  }

  [[nodiscard]] bool is_archived(const std::string& wal) const {
    return find_archived(*wal_archive(around_.home), wal).has_value();
  }

  // Nothing can use WAL that is older than the first backup.
  void purge_older_wal() const {
    for (const BackupInfo& other : backup_.existing) {
      if (catalog::is_available(other)) return;
    }
    const std::string& server = around_.home.server;
    around_.events.info("This is the first backup for server " + server);
    if (around_.server.values.flag("worm_mode")) {
      around_.events.info("'worm_mode' is enabled, skip purging of unused WAL files.");
      return;
    }
    const auto older = catalog::wal_before(info_);
    if (!older) return;
    const auto removed = purge_wal(around_.home, *older, removal_rules(around_.server), around_.events);
    if (removed.empty()) return;
    around_.events.info("WAL segments preceding the current backup have been found:");
    for (const std::string& wal : removed) {
      around_.events.info(fmt::format("\t{} from server {} has been removed", wal, server));
    }
  }

  const BackupSurroundings& around_;
  const Time begun_;
  BackupUnderWay backup_;
  BackupInfo& info_ = backup_.info;
  std::unique_ptr<BackupMethod> method_;
};

}  // namespace

BackupRequest backup_request(const config::Server& server) {
  const config::Values& values = server.values;
  return {.fast_checkpoint = values.flag("immediate_checkpoint"),
          .bandwidth = values.optional_number("bandwidth_limit").value_or(0),
          .keep_alive = std::chrono::seconds(
              std::max<std::int64_t>(values.optional_number("keepalive_interval").value_or(60), 0)),
          .retries = static_cast<int>(values.optional_number("basebackup_retry_times").value_or(0)),
          .retry_pause = std::chrono::seconds(values.optional_number("basebackup_retry_sleep").value_or(30))};
}

std::optional<std::uint32_t> max_rate(std::int64_t kilobytes_a_second) {
  constexpr std::int64_t kSlowest = 32;
  constexpr std::int64_t kFastest = 1048576;
  if (kilobytes_a_second == 0) return std::nullopt;
  if (kilobytes_a_second < kSlowest || kilobytes_a_second > kFastest) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("bandwidth limit {}: PostgreSQL accepts {} to {} kilobytes a second, or 0 for no limit",
                    kilobytes_a_second, kSlowest, kFastest));
  }
  return static_cast<std::uint32_t>(kilobytes_a_second);
}

BackupInfo take_backup(const BackupRequest& request, const BackupSurroundings& around,
                       const std::stop_token& stop) {
  require_supported(around.server, Verb::kBackup);
  return Run(request, around, stop).take();
}

}  // namespace barman::engine
