// Incremental files, INCREMENTAL.<name>: the blocks of one segment of a relation that changed since the
// backup that an incremental backup is built on (PostgreSQL 17 and later).
//
// A header of numbers, least significant byte first: the magic number, how many blocks there are, the
// shortest length that the segment has afterwards, and the place of each block in the segment. Then, if there
// is at least one, zeros up to a multiple of the block size, and the blocks in that order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace barman::pgformat {

inline constexpr std::uint32_t kIncrementalMagic = 0xD3AE1F0D;

// PostgreSQL's own, unless it was built with others.
inline constexpr std::uint64_t kBlockSize = 8192;
inline constexpr std::uint32_t kBlocksOfSegment = 131072;

// "base/5/INCREMENTAL.1259" makes "base/5/1259". Nothing if the path is not that of an incremental file: they
// are only where relations are.
std::optional<std::string> name_without_increment(std::string_view path);

struct IncrementalHeader {
  // Blocks before this one that are not here stay as they were. Older minor versions may say more than a
  // segment holds.
  std::uint32_t truncation_blocks = 0;
  std::vector<std::uint32_t> blocks{};

  // Where the parts of the file that stand up to the header end: `size` bytes of the header.
  [[nodiscard]] std::uint64_t size() const;
  // The length of the segment afterwards, in bytes.
  [[nodiscard]] std::uint64_t result_size() const;
};

// Hears what an incremental file says, in the order of its bytes.
class IncrementalVisitor {
 public:
  virtual ~IncrementalVisitor() = default;
  virtual void header(const IncrementalHeader& header) = 0;
  // Bytes of one or several blocks, by their place in the segment.
  virtual void data(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

// Reads an incremental file piece by piece. Holds the list of blocks, at most half a megabyte.
class IncrementalReader {
 public:
  explicit IncrementalReader(IncrementalVisitor& visitor) : visitor_(visitor) {}

  // Throws kCorrupt as soon as the bytes cannot be an incremental file.
  void write(std::span<const std::byte> bytes);
  // Throws kCorrupt if the file is cut short.
  void finish() const;

 private:
  enum class State { kFixed, kBlockNumbers, kPadding, kData };

  std::size_t take(std::span<const std::byte> bytes);
  std::size_t collect(std::span<const std::byte> bytes, std::size_t wanted);
  std::size_t skip_padding(std::span<const std::byte> bytes);
  std::size_t pass_data(std::span<const std::byte> bytes);
  void read_fixed();
  void read_block_number();
  void end_of_numbers();

  IncrementalVisitor& visitor_;
  State state_ = State::kFixed;
  IncrementalHeader header_;
  std::vector<std::byte> number_;  // what has come of the numbers that are read next
  std::uint32_t count_ = 0;
  std::uint64_t position_ = 0;  // in the file
  std::size_t block_ = 0;       // that the next byte of data is of
  std::uint64_t within_ = 0;    // that block
};

// A segment of a relation that is being changed.
class SegmentFile {
 public:
  virtual ~SegmentFile() = default;
  [[nodiscard]] virtual std::uint64_t size() = 0;
  // Bytes that come anew are zeros.
  virtual void resize(std::uint64_t size) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

// Makes of a segment, as the backup before had it, the segment that the incremental file describes: cuts off
// what lies beyond the recorded length, puts the blocks in their places, and leaves zeros between. An
// IncrementalReader's visitor.
class IncrementalApplier final : public IncrementalVisitor {
 public:
  explicit IncrementalApplier(SegmentFile& segment) : segment_(segment) {}

  void header(const IncrementalHeader& header) override;
  void data(std::uint64_t offset, std::span<const std::byte> bytes) override;

 private:
  SegmentFile& segment_;
};

}  // namespace barman::pgformat
