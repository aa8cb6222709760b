#include "engine/cloud/backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "catalog/python_literal.h"
#include "catalog/timestamp.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/backup_record.h"
#include "engine/server/inspect.h"
#include "os/durable_file.h"
#include "os/tree.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using catalog::BackupInfo;
using catalog::BackupStatus;

constexpr int kOldestVersion = 130000;
constexpr int kRenamedFunctions = 150000;  // pg_start_backup became pg_backup_start
constexpr int kIdleTimeout = 140000;       // idle_session_timeout exists

std::string seconds_text(std::chrono::duration<double> length) {
  return catalog::format_python_float(length.count());
}

class CloudBackup {
 public:
  CloudBackup(store::ObjectStore& store, postgres::Session& session, const CloudBackupRequest& request,
              Clock& clock, const std::stop_token& stop)
      : store_(store), session_(session), form_(request.form), request_(request), clock_(clock), stop_(stop) {
    form_.between = [this] { keep_alive(); };
  }

  BackupInfo run() {
    facts_ = inspect(session_);
    require_good_server();
    describe();
    try {
      start();
      save();
      copy();
      info_.status = BackupStatus::kDone;
      save();
      return info_;
    } catch (const std::exception& error) {
      record_failure(error.what());
      throw;
    }
  }

 private:
  void require_good_server() const {
    if (facts_.version < kOldestVersion) {
      throw Error(ErrorKind::kRefused,
                  fmt::format("the server is PostgreSQL {}; 13 is the oldest that can be backed up",
                              facts_.version_text));
    }
    if (!facts_.backup_privileges) {
      throw Error(ErrorKind::kRefused,
                  "the role may not start and stop backups; grant EXECUTE on these functions to it");
    }
    const auto data = facts_.setting("data_directory");
    if (!data || !fs::exists(fs::path(*data) / "global" / "pg_control")) {
      throw Error(ErrorKind::kRefused,
                  "the data directory cannot be read here; run this on the server's host, as its user");
    }
  }

  void describe() {
    info_.id = free_id();
    info_.backup_name = request_.name;
    info_.server_name = "cloud";
    record_server(info_, facts_);
    info_.cluster_size = cluster_size(session_);
    for (catalog::Tablespace& one : tablespaces(session_)) {
      // One that is in place, below the data directory, is part of it.
      if (fs::path(one.location).is_absolute() && !one.location.starts_with(*info_.pgdata + "/")) {
        info_.tablespaces.push_back(std::move(one));
      }
    }
  }

  catalog::BackupId free_id() {
    for (Time now = clock_.now();; now += std::chrono::seconds(1)) {
      catalog::BackupId id{compact_local_text(now)};
      if (!store_.stat(backup_info_key(id))) return id;
    }
  }

  void start() {
    if (facts_.version >= kIdleTimeout) session_.query("SET idle_session_timeout TO 0");
    const std::array<std::string, 2> parameters{fmt::format("Barman backup cloud {}", info_.id.text),
                                                request_.fast_checkpoint ? "true" : "false"};
    const bool renamed = facts_.version >= kRenamedFunctions;
    const auto rows = session_.query(renamed ? "SELECT pg_catalog.pg_backup_start($1, $2::bool)"
                                             : "SELECT pg_catalog.pg_start_backup($1, $2::bool, false)",
                                     parameters);
    const auto begin = pgformat::parse_lsn(rows.at(0).at(0).value_or(""));
    if (!begin) throw Error(ErrorKind::kFailed, "the server does not say where the backup begins");
    info_.begin_xlog = *begin;
    info_.begin_offset = pgformat::offset_in_segment(*begin, facts_.segment_size);
    info_.timeline = facts_.timeline;
    if (facts_.timeline) {
      info_.begin_wal =
          pgformat::format_segment(pgformat::segment_of(*begin, *facts_.timeline, facts_.segment_size));
    }
    info_.begin_time = catalog::local_timestamp(clock_.now());
    info_.status = BackupStatus::kStarted;
    asked_ = clock_.now();
  }

  void save() { store::write_text(store_, backup_info_key(info_.id), catalog::format_backup_info(info_)); }

  void keep_alive() {
    if (request_.keep_alive.count() == 0 || clock_.now() - asked_ < request_.keep_alive) return;
    session_.query("SELECT 1");
    asked_ = clock_.now();
  }

  void copy() {
    const Time begun = clock_.now();
    std::map<std::string, std::chrono::duration<double>> times;
    for (const catalog::Tablespace& one : info_.tablespaces) {
      const Time before = clock_.now();
      copy_tablespace(one);
      times[std::to_string(one.oid)] = clock_.now() - before;
    }
    const Time before = clock_.now();
    ArchiveSeries data(store_, info_.id, "data", form_);
    copy_data(data);
    data.add_text("backup_label", stop_backup(), label_attributes());
    data.finish();
    times["data"] = clock_.now() - before;
    record_times(times, clock_.now() - begun);
  }

  void copy_tablespace(const catalog::Tablespace& one) {
    const std::string front = fmt::format("PG_{}_", facts_.version / 10000);
    ArchiveSeries series(store_, info_.id, std::to_string(one.oid), form_);
    series.add_tree(
        one.location,
        [&](const std::string& relative, bool is_folder) {
          return relative.starts_with(front) && is_backed_up(relative, is_folder);
        },
        stop_);
    series.finish();
  }

  void copy_data(ArchiveSeries& data) {
    const fs::path root = *info_.pgdata;
    data.add_tree(root, is_backed_up, stop_);
    if (!data.add_file(root / "global" / "pg_control", "global/pg_control")) {
      throw Error(ErrorKind::kFailed, "global/pg_control vanished from the data directory");
    }
    for (const auto& file : {info_.config_file, info_.hba_file, info_.ident_file}) {
      if (file && !file->starts_with(*info_.pgdata + "/")) data.add_file(*file, fs::path(*file).filename());
    }
  }

  // Waits until the WAL of the backup is archived. Returns the text of backup_label.
  std::string stop_backup() {
    const bool renamed = facts_.version >= kRenamedFunctions;
    const auto rows = session_.query(renamed ? "SELECT lsn, labelfile FROM pg_catalog.pg_backup_stop()"
                                             : "SELECT lsn, labelfile FROM pg_catalog.pg_stop_backup(false)");
    const auto end = pgformat::parse_lsn(rows.at(0).at(0).value_or(""));
    std::string label = rows.at(0).at(1).value_or("");
    if (!end) throw Error(ErrorKind::kFailed, "the server does not say where the backup ends");
    record_label(info_, label);
    record_end(info_, {.lsn = *end, .timeline = info_.timeline.value_or(1)},
               catalog::local_timestamp(clock_.now()));
    if (!facts_.in_recovery) {
      const std::array<std::string, 1> name{"barman_" + info_.id.text};
      session_.query("SELECT pg_catalog.pg_create_restore_point($1)", name);
    }
    return label;
  }

  [[nodiscard]] codec::TarAttributes label_attributes() const {
    struct stat status {};
    codec::TarAttributes attributes{.mode = 0644};
    if (::stat(info_.pgdata->c_str(), &status) == 0) {
      attributes.uid = status.st_uid;
      attributes.gid = status.st_gid;
    }
    return attributes;
  }

  void record_times(const std::map<std::string, std::chrono::duration<double>>& times,
                    std::chrono::duration<double> total) {
    std::string none;
    std::string each;
    for (const auto& [item, time] : times) {
      none += fmt::format("{}'{}': 0", none.empty() ? "" : ", ", item);
      each += fmt::format("{}'{}': {}", each.empty() ? "" : ", ", item, seconds_text(time));
    }
    const std::string all = seconds_text(total);
    info_.copy_stats = fmt::format(
        "{{'total_time': {0}, 'number_of_workers': {1}, 'analysis_time': 0, 'analysis_time_per_item': "
        "{{{2}}}, "
        "'copy_time_per_item': {{{3}}}, 'serialized_copy_time_per_item': {{{3}}}, 'copy_time': {0}, "
        "'serialized_copy_time': {0}}}",
        all, request_.workers, none, each);
  }

  // The bucket keeps the reason; that this fails as well is not worth another message.
  void record_failure(const std::string& reason) noexcept {
    try {
      info_.status = BackupStatus::kFailed;
      info_.error = reason;
      save();
    } catch (...) {  // NOLINT(bugprone-empty-catch): the first failure is told
    }
  }

  store::ObjectStore& store_;
  postgres::Session& session_;
  CloudArchiveForm form_;
  const CloudBackupRequest& request_;
  Clock& clock_;
  const std::stop_token stop_;
  ServerFacts facts_;
  BackupInfo info_;
  Time asked_{};  // when the server last heard of us
};

}  // namespace

BackupInfo take_cloud_backup(store::ObjectStore& store, postgres::Session& session,
                             const CloudBackupRequest& request, Clock& clock, const std::stop_token& stop) {
  return CloudBackup(store, session, request, clock, stop).run();
}

void upload_local_backup(store::ObjectStore& store, const catalog::BackupId& id, const fs::path& folder,
                         const fs::path& record, const CloudArchiveForm& form, const std::stop_token& stop) {
  const auto text = os::read_file(record);
  if (!text) throw Error(ErrorKind::kFailed, fmt::format("{} is not there", record.native()));
  const BackupInfo info = catalog::parse_backup_info(id, *text);
  const auto all_but_control = [](const std::string& relative, bool) {
    return relative != "global/pg_control";
  };
  for (const catalog::Tablespace& one : info.tablespaces) {
    const std::string oid = std::to_string(one.oid);
    if (!fs::is_directory(folder / oid)) continue;
    ArchiveSeries series(store, id, oid, form);
    series.add_tree(folder / oid, all_but_control, stop);
    series.finish();
  }
  ArchiveSeries data(store, id, "data", form);
  data.add_tree(folder / "data", all_but_control, stop);
  if (!data.add_file(folder / "data" / "global" / "pg_control", "global/pg_control")) {
    throw Error(ErrorKind::kRefused,
                fmt::format("{} is no backup of plain files", (folder / "data").native()));
  }
  data.finish();
  store::write_text(store, backup_info_key(id), *text);
}

}  // namespace barman::engine
