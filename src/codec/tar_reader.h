// Takes a tar archive apart while it arrives.
//
// The format is POSIX ustar with GNU's long names and numbers above the octal range, and with the names and
// sizes of pax headers: all that PostgreSQL sends, and what the tar program and Python make of such files.
// PostgreSQL before 15 leaves out the two blocks of zeroes that end an archive.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "stream/stream.h"

namespace barman::codec {

struct TarEntry {
  enum class Kind { kFile, kDirectory, kSymlink };

  Kind kind = Kind::kFile;
  std::string path;  // safe below a root, see base/relative_path.h; without "./" in front or "/" at the end
  std::string link_target;  // of a symlink, as it stands: not safe
  std::uint64_t size = 0;   // of a file
  std::uint32_t mode = 0;   // permission bits
  std::uint32_t uid = 0;    // of its owner, where it was packed
  std::uint32_t gid = 0;
  std::int64_t modified = 0;
};

inline constexpr std::size_t kTarBlock = 512;  // what headers and contents are made of

// What the block says of a file if it looks like the header of one, its checksum being right: to find a file
// in an archive of which only a part is there. A name that is not safe is none.
std::optional<TarEntry> file_header_in(stream::Bytes block);

// Told about each entry in the archive's order. data() is called for files only, any number of times, with
// spans that are valid during the call.
class TarReceiver {
 public:
  virtual ~TarReceiver() = default;

  virtual void begin(const TarEntry& entry) = 0;
  virtual void data(stream::Bytes bytes) = 0;
  virtual void end() = 0;
};

// Whether an archive that just ends, without its blocks of zeroes, is taken for a whole one.
enum class TarEnd { kMayBeMissing, kRequired };

// The sink that an archive is written to. Throws kCorrupt on a header whose checksum is wrong, a name that
// would leave the root, an entry that is no file, directory or symlink, and in finish() if the archive is cut
// short. What the receiver throws comes out of write().
class TarReader final : public stream::Sink {
 public:
  explicit TarReader(TarReceiver& receiver, TarEnd end = TarEnd::kMayBeMissing)
      : receiver_(receiver), end_(end) {}

  void write(stream::Bytes data) override;
  void finish() override;

 private:
  static constexpr std::size_t kBlock = kTarBlock;

  enum class State { kHeader, kData, kPadding, kLongName, kEnd };

  stream::Bytes take_header(stream::Bytes data);
  stream::Bytes take_data(stream::Bytes data);
  stream::Bytes take_padding(stream::Bytes data);
  stream::Bytes take_long_name(stream::Bytes data);
  static void take_end(stream::Bytes data);
  void read_header();
  void begin_entry(const TarEntry& entry);
  void begin_long_name(std::string& name, std::uint64_t size);
  void take_pax_records();
  void pad(std::uint64_t size);

  TarReceiver& receiver_;
  const TarEnd end_;
  State state_ = State::kHeader;
  std::array<std::byte, kBlock> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t left_ = 0;     // bytes of the data, name or padding that are still to come
  std::uint64_t padding_ = 0;  // that follows the data
  std::string long_name_;      // GNU's extra entries, for the one that follows
  std::string long_target_;
  std::string pax_text_;
  std::string global_pax_text_;            // read and ignored
  std::optional<std::uint64_t> pax_size_;  // of the entry that follows
  std::string* long_text_ = nullptr;       // which of them is being read
};

}  // namespace barman::codec
