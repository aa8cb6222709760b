// barman cron: starts what every server needs in the background. Meant to run once a minute.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/cron/tasks.h"
#include "engine/delete/retention.h"
#include "engine/server/interrupted.h"
#include "engine/server/reconcile.h"
#include "engine/server/retention_settings.h"
#include "engine/server/support.h"
#include "engine/server/wal_connections.h"
#include "os/durable_file.h"
#include "os/lock_file.h"
#include "os/process.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

class ServerCron {
 public:
  ServerCron(Parts& parts, const config::Server& server, bool keep_descriptors)
      : parts_(parts), server_(server), keep_descriptors_(keep_descriptors), opened_(server, parts) {}

  // Starts what brings WAL. Returns whether there is more to do; until then the server's lock is held.
  bool begin() {
    if (!server_.active()) {
      end_receiver(fmt::format("Server '{}' is inactive: stopping receive-wal subprocess", server_.name));
      return false;
    }
    if (server_.passive()) {
      parts_.out.error(fmt::format(
          "server {} is passive, and this build does not copy from another Barman yet", server_.name));
      return false;
    }
    lock_ = os::LockFile::try_acquire(opened_.home.cron_lock());
    if (!lock_) {
      parts_.out.info(fmt::format(
          "Another cron process is already running on server {}. Skipping to the next server", server_.name));
      return false;
    }
    start_wal();
    return true;
  }

  void look_after_backups() {
    engine::reconcile_with_bucket(opened_.home, opened_.catalog, parts_.out);
    engine::settle_interrupted_backups(opened_.home, opened_.catalog, parts_.out);
    check_oldest_waiting();
    engine::enforce_retention(opened_.home, opened_.catalog, engine::retention_settings(server_),
                              engine::removal_rules(server_), parts_.out, parts_.clock, parts_.stop);
  }

 private:
  void start(const std::vector<std::string>& command) {
    std::vector<std::string> argv = parts_.own_argv;
    argv.emplace_back("-q");
    argv.insert(argv.end(), command.begin(), command.end());
    parts_.runner.start_detached({.argv = argv}, keep_descriptors_);
  }

  // Work in the background cannot say why it does nothing: what it would refuse is said here.
  bool is_supported(engine::Verb verb) {
    const std::optional<std::string> reason = engine::unsupported(server_, verb);
    if (reason) parts_.out.error(*reason);
    return !reason;
  }

  void start_wal() {
    if (const auto overrides = engine::wal_connections(server_).overrides) parts_.out.info(*overrides);
    for (const char* option : {"incoming_wals_directory", "streaming_wals_directory", "wals_directory"}) {
      if (!engine::is_bucket_url(server_.values.text(option))) os::make_directories(server_.path(option));
    }
    if (is_supported(engine::Verb::kArchiveWal) && !os::lock_owner(opened_.home.archive_lock())) {
      parts_.out.notice(fmt::format("Starting WAL archiving for server {}", server_.name));
      start({"archive-wal", server_.name});
    }
    if (!server_.values.flag("streaming_archiver")) {
      end_receiver(
          fmt::format("streaming_archiver is off for server {}: stopping receive-wal", server_.name));
    } else if (is_supported(engine::Verb::kReceiveWal) && !os::lock_owner(opened_.home.receive_lock())) {
      parts_.out.notice(fmt::format("Starting streaming archiver for server {}", server_.name));
      start({"receive-wal", server_.name});
    }
  }

  // Says `why` and ends the receiver, if there is one.
  void end_receiver(const std::string& why) {
    if (!os::lock_owner(opened_.home.receive_lock())) return;
    parts_.out.info(why);
    pid_t pid = 0;
    switch (engine::end_task(opened_.home, "receive-wal", parts_.clock, parts_.stop, pid)) {
      case engine::Ended::kYes:
        parts_.out.info(fmt::format("Stopped process receive-wal({})", pid));
        break;
      case engine::Ended::kNo:
        parts_.out.error(fmt::format("Cannot terminate process receive-wal({})", pid));
        break;
      case engine::Ended::kNotRunning:
        break;
    }
  }

  void check_oldest_waiting() {
    const auto backups = opened_.backups(parts_.out);
    const auto waiting = std::find_if(backups.begin(), backups.end(), [](const catalog::BackupInfo& info) {
      return info.status == catalog::BackupStatus::kWaitingForWals;
    });
    if (waiting == backups.end()) return;
    parts_.out.notice(
        fmt::format("Starting check-backup for backup {} of server {}", waiting->id.text, server_.name));
    start({"check-backup", server_.name, waiting->id.text});
  }

  Parts& parts_;
  const config::Server& server_;
  bool keep_descriptors_;
  ServerCatalog opened_;
  std::optional<os::LockFile> lock_;
};

int cron(Parts& parts, bool keep_descriptors) {
  if (parts.configuration.servers.empty()) return 0;
  std::map<std::string, std::unique_ptr<ServerCron>> begun;
  for_each_server(parts, {"all"}, {.inactive = Then::kRun, .disabled = Then::kSkip, .passive = Then::kRun},
                  [&](const config::Server& server) {
                    auto one = std::make_unique<ServerCron>(parts, server, keep_descriptors);
                    if (one->begin()) begun.emplace(server.name, std::move(one));
                  });
  // A bucket that does not answer keeps nobody's WAL waiting.
  for (const auto& one : begun) {
    for_each_server(parts, {one.first}, kEveryServer,
                    [&](const config::Server&) { one.second->look_after_backups(); });
  }
  if (parts.configuration.global.flag("lock_directory_cleanup")) {
    engine::clean_lock_files(parts.configuration.global.text("barman_lock_directory"));
  }
  return 0;
}

}  // namespace

void register_cron(CLI::App& app, Body& chosen) {
  auto keep_descriptors = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("cron", "Starts the background work of all servers; run it every minute.");
  command->add_flag("--keep-descriptors", *keep_descriptors,
                    "Leave standard output and error of background processes open.");
  command->callback([keep_descriptors, &chosen] {
    chosen = [keep_descriptors](Parts& parts) { return cron(parts, *keep_descriptors); };
  });
}

}  // namespace barman::cli
