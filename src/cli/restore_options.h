// What "barman restore" may be told.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace barman::cli {

struct RestoreOptions {
  std::string server;
  std::string backup;
  std::string destination;
  std::string time, xid, lsn, name, timeline, action;
  bool immediate = false, exclusive = false, standby = false;
  std::vector<std::string> tablespaces;
  std::string remote_command, wal_directory, staging_path, old_staging, staging_location, combine_mode,
      restore_command;
  std::string recovery_file = "postgresql.auto.conf";
  std::string snapshot_instance, cloud_place;
  std::string jobs, bwlimit, retry_times, retry_sleep, batch_size, batch_period, port;
  bool no_retry = false;
  int get_wal = 0;  // 1 asked for, -1 refused, 0 as configured
  int verify = 0;   // 1 asked for, -1 refused, 0 the default
  bool partial_wal = false, skip_archive = false;
  bool delta = false, no_delta = false;
  bool network_compression = false, no_network_compression = false;
};

// Adds all of them to the command.
void add_restore_options(CLI::App& command, RestoreOptions& options);

}  // namespace barman::cli
