#include "pgformat/incremental.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pgformat/little_endian.h"

namespace barman::pgformat {

namespace {

constexpr std::string_view kIncrementalPrefix = "INCREMENTAL.";
constexpr std::size_t kFixedNumbers = 3 * sizeof(std::uint32_t);

[[noreturn]] void throw_bad_increment(const std::string& what) {
  throw Error(ErrorKind::kCorrupt, "incremental file: " + what);
}

}  // namespace

std::optional<std::string> name_without_increment(std::string_view path) {
  const bool holds_relations =
      path.starts_with("base/") || path.starts_with("global/") || path.starts_with("pg_tblspc/");
  if (!holds_relations) return std::nullopt;
  const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  if (!path.substr(name).starts_with(kIncrementalPrefix)) return std::nullopt;
  std::string whole(path.substr(0, name));
  whole += path.substr(name + kIncrementalPrefix.size());
  if (whole.size() == name) return std::nullopt;
  return whole;
}

std::uint64_t IncrementalHeader::size() const {
  const std::uint64_t numbers = kFixedNumbers + blocks.size() * sizeof(std::uint32_t);
  return blocks.empty() ? numbers : (numbers + kBlockSize - 1) / kBlockSize * kBlockSize;
}

std::uint64_t IncrementalHeader::result_size() const {
  std::uint64_t length = std::min(truncation_blocks, kBlocksOfSegment);
  for (const std::uint32_t block : blocks) length = std::max<std::uint64_t>(length, block + 1U);
  return length * kBlockSize;
}

void IncrementalReader::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t taken = take(bytes);
    position_ += taken;
    bytes = bytes.subspan(taken);
  }
}

void IncrementalReader::finish() const {
  const bool complete = state_ == State::kData && block_ == header_.blocks.size();
  if (!complete) throw_bad_increment(fmt::format("cut short after {} bytes", position_));
}

std::size_t IncrementalReader::take(std::span<const std::byte> bytes) {
  switch (state_) {
    case State::kFixed: {
      const std::size_t taken = collect(bytes, kFixedNumbers);
      if (number_.size() == kFixedNumbers) read_fixed();
      return taken;
    }
    case State::kBlockNumbers: {
      const std::size_t taken = collect(bytes, sizeof(std::uint32_t));
      if (number_.size() == sizeof(std::uint32_t)) read_block_number();
      return taken;
    }
    case State::kPadding:
      return skip_padding(bytes);
    case State::kData:
      return pass_data(bytes);
  }
  return bytes.size();
}

std::size_t IncrementalReader::collect(std::span<const std::byte> bytes, std::size_t wanted) {
  const std::size_t taken = std::min(wanted - number_.size(), bytes.size());
  number_.insert(number_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken;
}

void IncrementalReader::read_fixed() {
  const auto magic = little_endian<std::uint32_t>(number_, 0);
  if (magic != kIncrementalMagic)
    throw_bad_increment(fmt::format("does not begin as one, but with {:08x}", magic));
  count_ = little_endian<std::uint32_t>(number_, 4);
  if (count_ > kBlocksOfSegment) {
    throw_bad_increment(
        fmt::format("says that it has {} blocks, a segment holds {}", count_, kBlocksOfSegment));
  }
  header_.truncation_blocks = little_endian<std::uint32_t>(number_, 8);
  header_.blocks.reserve(count_);
  number_.clear();
  state_ = State::kBlockNumbers;
  if (count_ == 0) end_of_numbers();
}

void IncrementalReader::read_block_number() {
  const auto block = little_endian<std::uint32_t>(number_, 0);
  if (block >= kBlocksOfSegment) {
    throw_bad_increment(fmt::format("has block {}, a segment holds {}", block, kBlocksOfSegment));
  }
  header_.blocks.push_back(block);
  number_.clear();
  if (header_.blocks.size() == count_) end_of_numbers();
}

void IncrementalReader::end_of_numbers() {
  visitor_.header(header_);
  const bool padded = header_.size() != kFixedNumbers + count_ * sizeof(std::uint32_t);
  state_ = padded ? State::kPadding : State::kData;
}

std::size_t IncrementalReader::skip_padding(std::span<const std::byte> bytes) {
  const auto taken =
      static_cast<std::size_t>(std::min<std::uint64_t>(header_.size() - position_, bytes.size()));
  if (position_ + taken == header_.size()) state_ = State::kData;
  return taken;
}

// As many bytes at once as go to one place.
std::size_t IncrementalReader::pass_data(std::span<const std::byte> bytes) {
  const auto& blocks = header_.blocks;
  if (block_ == blocks.size()) throw_bad_increment("goes on after its last block");
  const std::uint64_t offset = blocks[block_] * kBlockSize + within_;
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const auto part =
        static_cast<std::size_t>(std::min<std::uint64_t>(kBlockSize - within_, bytes.size() - taken));
    taken += part;
    within_ += part;
    if (within_ < kBlockSize) break;
    within_ = 0;
    ++block_;
    if (block_ == blocks.size() || blocks[block_] != blocks[block_ - 1] + 1) break;
  }
  visitor_.data(offset, bytes.first(taken));
  return taken;
}

void IncrementalApplier::header(const IncrementalHeader& header) {
  const std::uint64_t keeps = std::uint64_t{header.truncation_blocks} * kBlockSize;
  const std::uint64_t whole_blocks = segment_.size() / kBlockSize * kBlockSize;
  segment_.resize(std::min(whole_blocks, keeps));
  segment_.resize(header.result_size());
}

void IncrementalApplier::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  segment_.write(offset, bytes);
}

}  // namespace barman::pgformat
