#include "engine/backup/streaming.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/backup/arriving_backup.h"
#include "engine/events.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/file_system_sync.h"
#include "os/tree.h"
#include "postgres/connector.h"

namespace barman::engine {

namespace {

// An attempt begins with nothing there.
void prepare(const StreamingCopy& copy) {
  os::remove_tree(copy.tablespaces);
  os::make_directories(copy.tablespaces);
  os::make_directories(copy.data, 0700);
}

void make_durable(const StreamingCopy& copy, os::FileSystemSync& sync, Events& events,
                  const std::stop_token& stop) {
  events.progress({.phase = "syncing"});
  // Archives are stored by now; nothing else on the file system needs to be waited for.
  if (copy.archives) {
    os::sync_tree(copy.tablespaces, 1, stop);
  } else {
    sync.finish(stop);
  }
  os::sync_directory(copy.tablespaces.parent_path());
  os::fault_point("backup-synced");
}

// The server's last word is general; its warnings name the files.
[[noreturn]] void throw_with_warnings(const Error& e, const std::vector<std::string>& warnings) {
  std::string text = e.what();
  for (const std::string& warning : warnings) text += "\nserver: " + warning;
  throw Error(e.kind(), text);
}

StreamingOutcome copy_once(const StreamingCopy& copy, postgres::Connector& connector, Clock& clock,
                           Events& events, const std::stop_token& stop) {
  const Time begin = clock.now();
  prepare(copy);
  os::FileSystemSync sync(copy.tablespaces);
  const auto replication =
      connector.replication(copy.conninfo, {.application_name = copy.application_name, .stop = stop});
  ArrivingBackup arriving(copy, events);
  const auto parent_manifest = copy.parent_manifest ? os::open_file(*copy.parent_manifest) : nullptr;
  const auto& compressed = copy.server_compression;
  const std::string compression(compressed ? codec::name_of(compressed->kind) : "");
  const std::string detail = compressed ? compressed->detail : "";
  try {
    replication->base_backup({.label = copy.label,
                              .fast_checkpoint = copy.fast_checkpoint,
                              .max_rate_kib = copy.max_rate_kib,
                              .tablespace_map = copy.archives.has_value(),
                              .compression = compression,
                              .compression_detail = detail,
                              .parent_manifest = parent_manifest.get()},
                             arriving, stop);
  } catch (const Error& e) {
    // Ctrl-C ends gpg as well, which then looks like a failure of its own.
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    throw_with_warnings(e, arriving.warnings());
  }
  StreamingOutcome outcome = arriving.finish();
  make_durable(copy, sync, events, stop);
  outcome.duration = clock.now() - begin;
  return outcome;
}

}  // namespace

StreamingOutcome copy_by_streaming(const StreamingCopy& copy, postgres::Connector& connector, Clock& clock,
                                   Events& events, const std::stop_token& stop) {
  for (int attempt = 0;; ++attempt) {
    try {
      return copy_once(copy, connector, clock, events, stop);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kTransient || attempt >= copy.retries || stop.stop_requested()) throw;
      events.warning(fmt::format("The copy of the base backup failed: {}", e.what()));
      events.warning(fmt::format("Retrying in {} seconds, attempt {} of {}", copy.pause.count(), attempt + 1,
                                 copy.retries));
    }
    if (!clock.sleep(copy.pause, stop)) throw Error(ErrorKind::kCancelled, "stopped on request");
  }
}

}  // namespace barman::engine
