// One backup of a chain, as a source of files: from a folder of plain files, or from archives.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "stream/stream.h"

namespace barman::engine {

// A file of a member. `path` is the manifest's name for it: relative to the data directory, files of a
// tablespace below pg_tblspc/<oid>/.
struct MemberFile {
  std::string path;
  std::uint64_t size = 0;
  unsigned mode = 0600;
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

class MemberReader {
 public:
  virtual ~MemberReader() = default;

  // Hands over all files, in any order, and returns when all sinks are finished. WAL, links and what is no
  // file are passed over. Throws kCancelled on `stop`.
  virtual void read(MemberReceiver& receiver, const std::stop_token& stop) = 0;
};

}  // namespace barman::engine
