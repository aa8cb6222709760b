#include "engine/backup/backup.h"

#include <fmt/format.h>

#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/wal_removal.h"
#include "engine/backup/archive_form.h"
#include "engine/backup/parent.h"
#include "engine/backup/record.h"
#include "engine/backup/streaming.h"
#include "engine/events.h"
#include "engine/server/backup_format.h"
#include "engine/server/backup_record.h"
#include "engine/server/encryption.h"
#include "engine/server/identity.h"
#include "engine/server/inspect.h"
#include "engine/server/interrupted.h"
#include "engine/server/promotion.h"
#include "engine/server/support.h"
#include "engine/server/wal_purge.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/lock_file.h"
#include "os/tree.h"
#include "postgres/connector.h"
#include "postgres/session.h"

namespace barman::engine {

namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;

// Of a statement that is no copy: long enough for a busy server, not for ever.
constexpr std::chrono::minutes kStatementTime{5};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string major_version(int version) { return std::to_string(version / 10000); }

std::string local_time_text(Time instant) {
  const std::string text = local_iso_text(instant);
  return text.substr(0, text.find_first_of("+-", sizeof "2026-11-22"));
}

// One backup, from its lock to its last line.
class Run {
 public:
  Run(const BackupRequest& request, const BackupSurroundings& around, std::stop_token stop)
      : request_(request),
        around_(around),
        stop_(std::move(stop)),
        begun_(around.clock.now()),
        format_(backup_format(around.server)) {}

  BackupInfo take() {
    make_directories();
    const auto lock = os::LockFile::try_acquire(around_.home.backup_lock());
    if (!lock) throw Error(ErrorKind::kBusy, "Another backup process is running");
    settle_interrupted_backups(around_.catalog, around_.home.server, around_.events);
    inspect_server();
    if (const auto problem = format_problem(around_.server, facts_.version)) {
      throw Error(ErrorKind::kRefused, *problem);
    }
    existing_ = around_.catalog.list().backups;
    if (request_.parent) choose_parent();
    record_new_backup();
    try {
      start();
      copy();
      stop_backup();
      measure();
      complete();
    } catch (const Error& e) {
      fail(e.what());
      if (e.kind() == ErrorKind::kCancelled) throw;
      around_.events.error(fmt::format("Backup failed {}.\nDETAILS: {}", action_, e.what()));
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
      os::make_directories(folder);
    }
  }

  std::unique_ptr<postgres::Session> connect(const char* conninfo) const {
    return around_.connector.session(around_.server.values.text(conninfo),
                                     {.timeout = kStatementTime, .stop = stop_});
  }

  void inspect_server() {
    facts_ = inspect(*connect("conninfo"));
    if (!facts_.system_identifier) return;
    const std::string& here = *facts_.system_identifier;
    const auto known =
        establish_identity(around_.home, {.systemid = here, .version = major_version(facts_.version)});
    if (known.systemid != here) {
      throw Error(
          ErrorKind::kRefused,
          fmt::format("server {} has system identifier {}, but {} says that the backups here are of {}; "
                      "use another server section for another cluster",
                      around_.home.server, here, around_.home.identity.string(), known.systemid));
    }
  }

  void choose_parent() {
    require_incremental_server(facts_, around_.home.server);
    const auto history = [this](pgformat::Timeline timeline) {
      return around_.connector
          .replication(around_.server.values.text("streaming_conninfo"),
                       {.timeout = kStatementTime, .stop = stop_})
          ->timeline_history(timeline);
    };
    const BackupInfo parent =
        engine::choose_parent(around_.home, existing_, *request_.parent, facts_, history, around_.events);
    require_summaries(*connect("conninfo"), parent, around_.events);
    info_.parent_backup_id = parent.id;
  }

  // Both records name each other before anything is copied: whatever happens then, a deletion finds the
  // child.
  void link_to_parent() const {
    if (!info_.parent_backup_id) return;
    auto parent = around_.catalog.find(*info_.parent_backup_id);
    if (!parent) return;
    parent->children_backup_ids.push_back(info_.id);
    around_.catalog.save(*parent);
    os::fault_point("backup-parent-linked");
  }

  void record_new_backup() {
    info_.id = next_backup_id(begun_, existing_);
    info_.server_name = around_.home.server;
    info_.mode = "postgres";
    info_.backup_name = request_.name;
    info_.systemid = facts_.system_identifier;
    around_.catalog.save(info_);
    os::fault_point("backup-recorded");
    link_to_parent();
  }

  void start() {
    around_.events.info(fmt::format("Starting backup using postgres method for server {} in {}",
                                    around_.home.server, around_.home.backup(info_.id).string()));
    const auto session = connect("conninfo");
    record_server(info_, facts_);
    named_ = tablespaces(*session);
    refuse_what_archives_lack();
    info_.tablespaces = named_;
    info_.cluster_size = cluster_size(*session);
    record_start(info_, wal_position(*session, facts_), facts_);
    around_.catalog.save(info_);
    os::fault_point("backup-started");
    around_.events.info("Backup start at LSN: " +
                        position_text(info_.begin_xlog, info_.begin_wal, info_.begin_offset));
  }

  // PostgreSQL before 16 leaves tablespaces in place (a test feature) out of archives.
  void refuse_what_archives_lack() const {
    constexpr int kFirstComplete = 160000;
    if (!format_.is_tar || facts_.version >= kFirstComplete) return;
    for (const auto& tablespace : named_) {
      if (tablespace.location.starts_with('/')) continue;
      throw Error(ErrorKind::kRefused,
                  fmt::format("tablespace {} is a folder of the data directory, and this version of "
                              "PostgreSQL leaves it out of archives; remove backup_compression, or move "
                              "what is in the tablespace",
                              tablespace.name));
    }
  }

  void copy() {
    action_ = "copying files";
    around_.events.info("Starting backup copy via pg_basebackup for " + info_.id.text);
    warn_of_external_files();
    outcome_ =
        copy_by_streaming({.conninfo = around_.server.values.text("streaming_conninfo"),
                           .application_name = around_.server.values.text("streaming_backup_name"),
                           .label = fmt::format("Barman backup {} {}", around_.home.server, info_.id.text),
                           .data = around_.home.data(info_.id),
                           .tablespaces = around_.home.backup(info_.id),
                           .fast_checkpoint = request_.fast_checkpoint,
                           .max_rate_kib = request_.max_rate_kib,
                           .system_identifier = facts_.system_identifier,
                           .parent_manifest = parent_manifest(),
                           .server_compression = server_compression(format_),
                           .archives = archive_form(format_, around_.runner, gpg_of(around_.server)),
                           .retries = request_.retries,
                           .pause = request_.retry_pause,
                           .server_waits_for_wal = [this] { switch_wal_of_primary(); }},
                          around_.connector, around_.clock, around_.events, stop_);
    around_.events.info(fmt::format("Copy done (time: {})", human_duration(outcome_.duration)));
  }

  [[nodiscard]] std::optional<std::filesystem::path> parent_manifest() const {
    if (!info_.parent_backup_id) return std::nullopt;
    return manifest_of(around_.home, *info_.parent_backup_id);
  }

  void stop_backup() {
    around_.events.info("Finalising the backup.");
    action_ = "reading the backup label";
    if (outcome_.label.empty()) throw Error(ErrorKind::kCorrupt, "the server sent no backup_label");
    action_ = "issuing stop of the backup";
    const auto session = connect("conninfo");
    name_new_tablespaces(*session);
    record_copy(info_, outcome_, named_);
    record_label(info_, outcome_.label);
    record_format();
    record_end(info_, outcome_.end, wal_position(*session, facts_).now);
    if (facts_.in_recovery) {
      switch_wal_of_primary();
    } else {
      // The restore point first: the switch then sends it to the archive.
      try_on_server(*session,
                    fmt::format("SELECT pg_catalog.pg_create_restore_point('barman_{}')", info_.id.text));
      try_on_server(*session, "SELECT pg_catalog.pg_switch_wal()");
    }
    purge_older_wal();
  }

  void record_format() {
    info_.compression = recorded_compression(format_);
    if (format_.key) info_.encryption = "gpg";
  }

  void measure() {
    action_ = "calculating backup size";
    const os::TreeSize size = os::measure_tree(around_.home.backup(info_.id));
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
    info_.status = BackupStatus::kFailed;
    info_.error = fmt::format("failure {} ({})", action_, first_line(reason));
    try {
      around_.catalog.save(info_);
    } catch (const std::exception& e) {
      around_.events.warning(fmt::format(
          "Backup {} could not be marked FAILED: {}. The next backup will do it.", info_.id.text, e.what()));
    }
  }

  void wait_for_wal() {
    if (!request_.wait) return;
    const std::string limit =
        request_.wait_limit.count() > 0 ? fmt::format(" (max: {} seconds)", request_.wait_limit.count()) : "";
    around_.events.info(fmt::format("Waiting for the WAL file {} from server '{}'{}", *info_.end_wal,
                                    around_.home.server, limit));
    const Time deadline = around_.clock.now() + request_.wait_limit;
    while (!is_archived(*info_.end_wal)) {
      around_.archive_once();
      if (is_archived(*info_.end_wal)) break;
      if (request_.wait_limit.count() > 0 && around_.clock.now() >= deadline) {
        around_.events.error(fmt::format("The WAL file {} has not been received in {} seconds",
                                         *info_.end_wal, request_.wait_limit.count()));
        break;
      }
      around_.events.progress({.phase = "waiting for WAL"});
      if (!around_.clock.sleep(std::chrono::milliseconds(100), stop_)) {
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
    const auto name = pgformat::parse_wal_name(wal);
    return name && std::filesystem::exists(around_.home.archived(*name, wal));
  }

  void warn_of_external_files() const {
    if (around_.server.values.lists("backup_options", "external_configuration")) return;
    const auto files = external_files(info_);
    if (files.empty()) return;
    std::string text =
        "The following configuration files are outside the data directory and are not part of the backup; "
        "copy them by "
        "other means (backup_options = external_configuration silences this warning):";
    for (const std::string& file : files) text += "\n\t" + file;
    around_.events.warning(text);
  }

  // Tablespaces that were created between our query and the start of the backup.
  void name_new_tablespaces(postgres::Session& session) {
    std::set<std::uint32_t> known;
    for (const auto& tablespace : named_) known.insert(tablespace.oid);
    for (const auto& copied : outcome_.tablespaces) {
      if (!known.contains(copied.oid)) {
        named_ = tablespaces(session);
        return;
      }
    }
  }

  // Steps that help, but that a backup can do without.
  void try_on_server(postgres::Session& session, const std::string& statement) const {
    try {
      session.query(statement);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kCancelled) throw;
      around_.events.log(LogLevel::kWarning, fmt::format("{}: {}", statement, e.what()));
    }
  }

  // A standby cannot end a segment by itself.
  void switch_wal_of_primary() const {
    if (!facts_.in_recovery || !around_.server.values.has("primary_conninfo")) return;
    try {
      try_on_server(*connect("primary_conninfo"), "SELECT pg_catalog.pg_switch_wal()");
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kCancelled) throw;
      around_.events.log(LogLevel::kWarning, fmt::format("switching WAL on the primary: {}", e.what()));
    }
  }

  // Nothing can use WAL that is older than the first backup.
  void purge_older_wal() const {
    for (const BackupInfo& other : existing_) {
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
    const auto removed = purge_wal(around_.home, *older, around_.events);
    if (removed.empty()) return;
    around_.events.info("WAL segments preceding the current backup have been found:");
    for (const std::string& wal : removed) {
      around_.events.info(fmt::format("\t{} from server {} has been removed", wal, server));
    }
  }

  const BackupRequest& request_;
  const BackupSurroundings& around_;
  std::stop_token stop_;
  Time begun_;
  BackupFormat format_;
  ServerFacts facts_;
  std::vector<BackupInfo> existing_;
  std::vector<catalog::Tablespace> named_;
  StreamingOutcome outcome_;
  BackupInfo info_;
  const char* action_ = "starting backup";
};

}  // namespace

BackupRequest backup_request(const config::Server& server) {
  const config::Values& values = server.values;
  return {.fast_checkpoint = values.flag("immediate_checkpoint"),
          .max_rate_kib = max_rate(values.optional_number("bandwidth_limit").value_or(0)),
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
