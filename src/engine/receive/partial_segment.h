// The WAL segment that is arriving, as a file: "<name>.partial", of a segment's length from the start,
// renamed to
// "<name>" when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>

#include "pgformat/wal_name.h"
#include "stream/stream.h"

namespace barman::engine {

class PartialSegment {
 public:
  // Creates the file, or opens the one that is there: what it holds stays, because the server may have been
  // told that it is safe here. Throws kFailed if there is no room for the whole segment.
  PartialSegment(const std::filesystem::path& folder, const pgformat::Segment& segment,
                 pgformat::SegmentSize size);
  PartialSegment(const PartialSegment&) = delete;
  PartialSegment& operator=(const PartialSegment&) = delete;
  ~PartialSegment();

  [[nodiscard]] const pgformat::Segment& segment() const { return segment_; }

  void write(std::uint64_t offset, stream::Bytes data);
  // Returns when all that was written is on disk.
  void sync();
  // sync(), then gives the file its final name, durably. The last call.
  void complete();
  // Removes the file if this object created it. The last call.
  void discard();

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
  pgformat::Segment segment_;
  int fd_ = -1;
  bool created_ = false;
  bool dirty_ = false;
  std::uint64_t kicked_ = 0;  // up to here the kernel was asked to write
};

}  // namespace barman::engine
