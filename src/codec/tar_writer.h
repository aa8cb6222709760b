// Puts an archive together: POSIX ustar, with pax headers where its fields are too small.
#pragma once

#include <cstdint>
#include <string>

#include "stream/stream.h"

namespace barman::codec {

// What an archive keeps of an entry besides its bytes.
struct TarAttributes {
  std::uint32_t mode = 0600;  // permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t modified = 0;
};

class TarWriter {
 public:
  // `to` is borrowed; it is not finished.
  explicit TarWriter(stream::Sink& to) : to_(to) {}

  void directory(const std::string& path, const TarAttributes& attributes);
  void symlink(const std::string& path, const std::string& target, const TarAttributes& attributes);

  // Exactly `size` bytes follow: end_file() fills up with zeroes, data() drops what is too much.
  void begin_file(const std::string& path, std::uint64_t size, const TarAttributes& attributes);
  void data(stream::Bytes bytes);
  void end_file();

  // The blocks of zeroes at the end.
  void finish();

 private:
  void header(const std::string& path, char type, std::uint64_t size, const std::string& target,
              const TarAttributes& attributes);
  void zeroes(std::uint64_t size);
  void write(stream::Bytes bytes);

  stream::Sink& to_;
  std::uint64_t written_ = 0;
  std::uint64_t left_ = 0;  // of the file under way
};

}  // namespace barman::codec
