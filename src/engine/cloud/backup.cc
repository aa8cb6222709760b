#include "engine/cloud/backup.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/server/backup_record.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/inspect.h"
#include "engine/server/keep_alive.h"
#include "engine/server/low_level_backup.h"
#include "engine/upload/cluster_upload.h"
#include "engine/upload/page_check.h"
#include "os/durable_file.h"
#include "pgformat/control_file.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using catalog::BackupInfo;
using catalog::BackupStatus;

class CloudBackup {
 public:
  CloudBackup(store::ObjectStore& store, postgres::Session& session, const CloudBackupRequest& request,
              Clock& clock, const std::stop_token& stop)
      : store_(store),
        session_(session),
        request_(request),
        clock_(clock),
        stop_(stop),
        facts_(inspect(session)),
        server_(session, facts_) {}

  BackupInfo run() {
    require_good_server();
    describe();
    try {
      server_.start(info_, fmt::format("Barman backup {} {}", *info_.server_name, info_.id.text),
                    request_.fast_checkpoint, clock_);
      record_tablespaces();
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
  }

  void describe() {
    info_.id = free_id();
    info_.backup_name = request_.name;
    info_.server_name = "cloud";
    record_server(info_, facts_);
    require_local_cluster(cluster_files(info_));
    info_.cluster_size = cluster_size(session_);
  }

  catalog::BackupId free_id() {
    for (Time now = clock_.now();; now += std::chrono::seconds(1)) {
      catalog::BackupId id{compact_local_text(now)};
      if (!store_.stat(backup_info_key(id))) return id;
    }
  }

  // Those in place, below the data directory's pg_tblspc, are part of it.
  void record_tablespaces() {
    info_.tablespaces = tablespaces(session_);
    std::erase_if(info_.tablespaces,
                  [](const catalog::Tablespace& one) { return fs::path(one.location).is_relative(); });
  }

  // The first time on the condition that nobody else has begun a backup of this id.
  void save() {
    const auto sink = store_.create(backup_info_key(info_.id),
                                    {.must_be_new = !is_recorded_, .same_is_taken = !is_recorded_});
    sink->write(stream::bytes_of(catalog::format_backup_info(info_)));
    try {
      sink->finish();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kRefused) throw;
      throw Error(ErrorKind::kRefused,
                  fmt::format("another host began backup {} in the same second; start this one again",
                              info_.id.text));
    }
    is_recorded_ = true;
  }

  void copy() {
    TreeForm form = request_.form;
    std::optional<PageCheck> check;
    if (const auto layout = page_layout(facts_)) form.pages = &check.emplace(*layout, clock_, stop_);
    std::optional<ClusterUpload> upload;
    {
      const KeepAlive alive(session_, request_.keep_alive, clock_);
      form.between = [&alive] { alive.require(); };
      upload.emplace(store_, info_.id, cluster_files(info_), form, clock_);
      upload->copy(stop_);
    }
    form.between = {};
    if (check) require_sound_pages(*check, session_);
    const std::string label = server_.stop(info_, clock_);
    create_restore_point(session_, facts_, info_.id);
    upload->finish(label);
    info_.copy_stats = upload->copy_stats();
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
  const CloudBackupRequest& request_;
  Clock& clock_;
  const std::stop_token stop_;
  const ServerFacts facts_;
  LowLevelBackup server_;
  BackupInfo info_;
  bool is_recorded_ = false;
};

}  // namespace

BackupInfo take_cloud_backup(store::ObjectStore& store, postgres::Session& session,
                             const CloudBackupRequest& request, Clock& clock, const std::stop_token& stop) {
  return CloudBackup(store, session, request, clock, stop).run();
}

void upload_local_backup(store::ObjectStore& store, const catalog::BackupId& id, const fs::path& folder,
                         const fs::path& record, const TreeForm& form, const std::stop_token& stop) {
  const auto text = os::read_file(record);
  if (!text) throw Error(ErrorKind::kFailed, fmt::format("{} is not there", record.native()));
  const BackupInfo info = catalog::parse_backup_info(id, *text);
  const auto all_but_control = [](const std::string& relative, bool) {
    return relative != pgformat::kControlFile;
  };
  for (const catalog::Tablespace& one : info.tablespaces) {
    const std::string oid = std::to_string(one.oid);
    if (!fs::is_directory(folder / oid)) continue;
    ArchiveTree series(store, id, oid, form);
    series.add_tree(folder / oid, all_but_control, stop);
    series.finish();
  }
  ArchiveTree data(store, id, "data", form);
  data.add_tree(folder / "data", all_but_control, stop);
  if (!data.add_file(folder / "data" / pgformat::kControlFile, std::string(pgformat::kControlFile))) {
    throw Error(ErrorKind::kRefused,
                fmt::format("{} is no backup of plain files", (folder / "data").native()));
  }
  data.finish();
  store::write_text(store, backup_info_key(id), *text);
}

}  // namespace barman::engine
