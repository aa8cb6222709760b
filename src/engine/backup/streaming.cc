#include "engine/backup/streaming.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/backup/arriving_backup.h"
#include "engine/events.h"
#include "os/durable_file.h"
#include "postgres/connector.h"

namespace barman::engine {

namespace {

// The server's last word is general; its warnings name the files.
[[noreturn]] void throw_with_warnings(const Error& e, const std::vector<std::string>& warnings) {
  std::string text = e.what();
  for (const std::string& warning : warnings) text += "\nserver: " + warning;
  throw Error(e.kind(), text);
}

StreamingOutcome copy_once(const StreamingCopy& copy, BackupStorage& storage, postgres::Connector& connector,
                           Clock& clock, Events& events, const std::stop_token& stop) {
  const Time begin = clock.now();
  storage.begin();
  const auto replication =
      connector.replication(copy.conninfo, {.application_name = copy.application_name, .stop = stop});
  ArrivingBackup arriving(copy, storage, events);
  const auto parent_manifest = copy.parent_manifest ? os::open_file(*copy.parent_manifest) : nullptr;
  const auto& compressed = copy.server_compression;
  const std::string compression(compressed ? codec::name_of(compressed->kind) : "");
  const std::string detail = compressed ? compressed->detail : "";
  try {
    replication->base_backup({.label = copy.label,
                              .fast_checkpoint = copy.fast_checkpoint,
                              .max_rate_kib = copy.max_rate_kib,
                              .tablespace_map = copy.tablespace_map,
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
  storage.finish(stop);
  outcome.duration = clock.now() - begin;
  return outcome;
}

}  // namespace

StreamingOutcome copy_by_streaming(const StreamingCopy& copy, BackupStorage& storage,
                                   postgres::Connector& connector, Clock& clock, Events& events,
                                   const std::stop_token& stop) {
  for (int attempt = 0;; ++attempt) {
    try {
      return copy_once(copy, storage, connector, clock, events, stop);
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
