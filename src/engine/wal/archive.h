// Moves WAL that has arrived into the archive. Shared: archive-wal, backup, check, switch-wal and restore run
// it.
//
// A file counts as archived when its data, its name in the archive and its line in the index are on disk;
// only then does it leave the folder it came in. So whatever moment a crash chooses, the file is still where
// it arrived, and the next run finishes the work: it finds the same content in the archive, sees to the line,
// and removes the source.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman {
class Clock;
}

namespace barman::engine {

// Where WAL arrives: the streaming folder, filled by receive-wal, and the incoming one, by archive_command.
enum class Archiver { kStreaming, kFile };
std::string_view name_of(Archiver archiver);  // "streaming", "file archival"

// The form that a server's WAL is to be stored in. Throws kUsage if it cannot be. `runner` outlives it.
WalFormat storing_format(const config::Server& server, os::ProcessRunner& runner);

struct ArchiveSettings {
  bool streaming = false;
  bool file = true;
  std::size_t streaming_batch_size = 0;  // files a run; 0 is all
  std::size_t file_batch_size = 0;
  WalFormat format{};  // that files are stored in, and read to be compared
};
// Throws kFailed or kUsage if the server wants its WAL stored in a way that cannot be: nothing is to be
// archived. `runner` must outlive the settings.
ArchiveSettings archive_settings(const config::Server& server, os::ProcessRunner& runner);

struct ArchiveResult {
  bool busy = false;                      // another process archives this server: nothing was done
  std::vector<std::string> archived{};    // names, in this order
  std::vector<std::string> duplicates{};  // were in the archive with the same content: removed
  std::vector<std::string> conflicts{};   // were in the archive with other content: moved to errors
  std::vector<std::string> unknown{};     // no WAL files: moved to errors
  std::vector<std::string> refused{};     // of another cluster, or not what their name says: moved to errors
  std::vector<std::string> incomplete{};  // shorter than a segment: left where they are
  bool operator==(const ArchiveResult&) const = default;
};

// How much a run tells: the command itself always says what it does; inside of other commands only files are
// worth a word.
enum class ArchiveTalk { kAlways, kWhenThereAreFiles };

// One batch of each archiver that is on, streaming first. Throws kFailed when a file cannot be stored (what
// was archived before stays archived), kCancelled when a stop was requested.
ArchiveResult archive_wal(const Home& home, const ArchiveSettings& settings, ArchiveTalk talk, Clock& clock,
                          Events& events, const std::stop_token& stop = {});

}  // namespace barman::engine
