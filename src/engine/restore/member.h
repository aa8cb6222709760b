// One backup of a chain, as a source of files: from a folder of plain files, or from archives in a folder or
// a bucket.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "engine/restore/kept_manifest.h"
#include "engine/restore/left_out.h"
#include "stream/stream.h"

namespace barman::catalog {
struct BackupInfo;
}

namespace barman::engine {

class Pace;
class WalFormat;
struct Home;

// A file of a member. `path` is the manifest's name for it: relative to the data directory, files of a
// tablespace below pg_tblspc/<oid>/.
struct MemberFile {
  std::string path;
  std::uint64_t size = 0;
  unsigned mode = 0600;
  std::int64_t modified = 0;      // seconds since the epoch
  std::filesystem::path place{};  // on this machine, if it is a file of its own
};

// Takes the files of a member. All functions may be called from several threads at once, a sink from one.
class MemberReceiver {
 public:
  virtual ~MemberReceiver() = default;

  // A folder, before what is in it.
  virtual void directory(const std::string& path, unsigned mode) = 0;

  // Where the bytes of the file go; null if nobody wants them. finish() throws kCorrupt, naming the file, if
  // they are not what the member's manifest says.
  virtual std::unique_ptr<stream::Sink> file(const MemberFile& file) = 0;
};

// How a member is read.
struct MemberReading {
  unsigned workers = 1;
  Pace& pace;
  std::stop_token stop{};
  bool (*passes_over)(std::string_view path) = is_left_out;  // files that nobody wants to see
};

class MemberReader {
 public:
  virtual ~MemberReader() = default;

  // What can be told of a file before it is read.
  struct Known {
    std::uint64_t size = 0;
    std::uint64_t size_after = 0;  // of the file in the destination, once this one was applied
  };
  // Nothing if only reading would tell. Throws kCorrupt, naming the file, if it is not there or cannot be
  // what `is_change` says: an incremental file.
  virtual std::optional<Known> look_at(const std::string& path, bool is_change) = 0;

  // Hands over all files, in any order, and returns when all sinks are finished. Links and what is no file
  // are passed over too. Throws kCancelled on a stop.
  virtual void read(MemberReceiver& receiver, const MemberReading& reading) = 0;
};

struct OpenMember {
  std::unique_ptr<MemberReader> files;
  std::optional<KeptManifest> manifest{};  // nothing if none can be found
  // Of archives in a bucket: how much is stored of the data directory (""), and of each tablespace, by what
  // its files have in front of their names in the manifest.
  std::map<std::string, std::uint64_t> stored_bytes{};
  bool is_compressed = false;  // the files may have more bytes than that
};

// The backup in the form in which it is kept. What is encrypted is decrypted as `format` does. Throws
// kCorrupt, naming it, for a part that is missing.
OpenMember open_member(const Home& home, const catalog::BackupInfo& info, const WalFormat& format);

// For messages: where the backup is, and where its manifest is or should be.
std::string backup_place(const Home& home, const catalog::BackupInfo& info);
std::string manifest_name(const Home& home, const catalog::BackupInfo& info);

// Whether the server sent a manifest with the backup, which is damaged without.
bool comes_with_manifest(const catalog::BackupInfo& info);

}  // namespace barman::engine
