// barman cloud-wal-restore: one WAL file out of the bucket, as restore_command. Exit status: 0 it is there; 1
// the bucket was asked, and does not have it; 2 anything else. PostgreSQL takes every one but 0 for "not
// there".
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/cloud/restore_wal.h"
#include "engine/server/bucket_home.h"
#include "engine/wal/stored_stages.h"
#include "engine/wal/wal_format.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

constexpr int kNotThere = 1;

struct CloudWalRestoreOptions {
  std::string server;
  std::string name;
  std::string destination;
  std::string parallel;
  std::string spool = "/var/tmp/walrestore";
};

int fetch(Parts& parts, const config::Server& server, engine::BucketHome& bucket,
          const CloudWalRestoreOptions& options) {
  const engine::WalSpool spool(options.spool, bucket.url(), server.name);
  if (spool.take(options.name, options.destination)) return 0;
  const auto count = std::max(1U, files_at_a_time(options.parallel, server, "cloud_wal_restore_parallel"));
  const auto wal = engine::choose_cloud_wal(bucket.bucket(), options.name, count, true);
  if (wal.empty()) {
    // Recovery asks for what is not there as a matter of course.
    parts.out.log(engine::LogLevel::kInfo,
                  fmt::format("WAL file {} of server {} is not in the archive", options.name, server.name));
    return kNotThere;
  }
  if (wal.size() > 1) spool.make();
  const engine::WalFormat format(server, parts.runner);
  engine::fetch_with_others(
      bucket.bucket(), wal, options.destination, spool, parts.stop, [&](const engine::CloudWal& one) {
        return std::vector{format.to_plain(one.parsed, parts.stop), engine::whole_segment(one.parsed)};
      });
  return 0;
}

int cloud_wal_restore(Parts& parts, const CloudWalRestoreOptions& options) {
  if (!pgformat::parse_wal_name(options.name)) {
    parts.out.error(fmt::format("File is not a valid WAL file: {}", options.name));
    return 0;
  }
  const config::Server* server = select_server(parts, options.server, {});
  if (server == nullptr) return 0;
  const engine::Home home = home_of(parts, *server);
  if (!home.wal_bucket) {
    parts.out.error(
        fmt::format("server {} does not keep its WAL in a bucket: use barman get-wal or barman-wal-restore",
                    server->name));
    return 0;
  }
  return during(fmt::format("WAL file {} of server {}", options.name, server->name),
                [&] { return fetch(parts, *server, *home.wal_bucket, options); });
}

}  // namespace

void register_cloud_wal_restore(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<CloudWalRestoreOptions>();
  CLI::App* command = app.add_subcommand("cloud-wal-restore",
                                         "Fetches a WAL file from the server's bucket: for restore_command.");
  command
      ->add_option("--parallel,-p", options->parallel,
                   "Fetch so many files at a time: those that follow wait in the spool directory.")
      ->type_name("FILES")
      ->check(non_negative);
  command->add_option("--spool-dir", options->spool, "Where they wait.")
      ->type_name("DIRECTORY")
      ->capture_default_str();
  command->add_option("server_name", options->server, "The server.")->required();
  command->add_option("wal_name", options->name, "The WAL file: %f of restore_command.")->required();
  command->add_option("wal_dest", options->destination, "Where it goes: %p of restore_command.")->required();
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) { return cloud_wal_restore(parts, *options); };
  });
}

}  // namespace barman::cli
