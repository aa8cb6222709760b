#include "pgformat/wal_name.h"

#include <fmt/format.h>

#include <array>

namespace barman::pgformat {

namespace {

constexpr std::size_t kDigits = 8;
constexpr std::size_t kSegmentDigits = 24;

constexpr std::uint8_t kNoDigit = 0x80;

constexpr auto kDigitValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

// By hand: listings go through the names of hundreds of thousands of files.
std::optional<std::uint32_t> parse_digits(std::string_view text) {
  if (text.size() != kDigits) return std::nullopt;
  std::uint32_t value = 0;
  std::uint8_t seen = 0;
  for (const char c : text) {
    const std::uint8_t digit = kDigitValues[static_cast<unsigned char>(c)];
    seen |= digit;
    value = (value << 4U) | digit;
  }
  return (seen & kNoDigit) != 0 ? std::nullopt : std::optional(value);
}

// A segment as its number since the start of the WAL.
std::uint64_t number_of(const Segment& segment, SegmentSize size) {
  return std::uint64_t{segment.log} * (std::uint64_t{last_seg_of_log(size)} + 1) + segment.seg;
}

}  // namespace

std::optional<Segment> parse_segment(std::string_view name) {
  if (name.size() != kSegmentDigits) return std::nullopt;
  const auto timeline = parse_digits(name.substr(0, kDigits));
  const auto log = parse_digits(name.substr(kDigits, kDigits));
  const auto seg = parse_digits(name.substr(2 * kDigits));
  if (!timeline || !log || !seg) return std::nullopt;
  return Segment{.timeline = *timeline, .log = *log, .seg = *seg};
}

std::optional<WalName> parse_wal_name(std::string_view name) {
  if (name.size() > kDigits && name.substr(kDigits) == ".history") {
    const auto timeline = parse_digits(name.substr(0, kDigits));
    if (!timeline) return std::nullopt;
    return WalName{.kind = WalKind::kHistory, .segment = {.timeline = *timeline}};
  }
  const auto segment = parse_segment(name.substr(0, kSegmentDigits));
  if (!segment) return std::nullopt;
  const std::string_view rest = name.substr(kSegmentDigits);
  if (rest.empty()) return WalName{.kind = WalKind::kSegment, .segment = *segment};
  if (rest == kPartialSuffix) return WalName{.kind = WalKind::kPartial, .segment = *segment};
  const bool is_backup = rest.size() == 1 + kDigits + 7 && rest.front() == '.' &&
                         parse_digits(rest.substr(1, kDigits)) && rest.substr(1 + kDigits) == ".backup";
  if (!is_backup) return std::nullopt;
  return WalName{.kind = WalKind::kBackup, .segment = *segment};
}

std::string format_segment(const Segment& segment) {
  return fmt::format("{:08X}{:08X}{:08X}", segment.timeline, segment.log, segment.seg);
}

std::string format_history_name(Timeline timeline) { return fmt::format("{:08X}.history", timeline); }

std::string hash_directory(const WalName& name) {
  if (name.kind == WalKind::kHistory) return {};
  return fmt::format("{:08X}{:08X}", name.segment.timeline, name.segment.log);
}

std::uint32_t last_seg_of_log(SegmentSize size) { return static_cast<std::uint32_t>(0xFFFFFFFFU / size); }

Segment next_segment(const Segment& segment, SegmentSize size) {
  if (segment.seg < last_seg_of_log(size)) return {segment.timeline, segment.log, segment.seg + 1};
  return {segment.timeline, segment.log + 1, 0};
}

Segment previous_segment(const Segment& segment, SegmentSize size) {
  if (segment.seg > 0) return {segment.timeline, segment.log, segment.seg - 1};
  return {segment.timeline, segment.log - 1, last_seg_of_log(size)};
}

Segment segment_of(Lsn lsn, Timeline timeline, SegmentSize size) {
  return {.timeline = timeline,
          .log = static_cast<std::uint32_t>(lsn.value >> 32),
          .seg = static_cast<std::uint32_t>((lsn.value & 0xFFFFFFFFU) / size)};
}

std::uint64_t offset_in_segment(Lsn lsn, SegmentSize size) { return lsn.value % size; }

Lsn start_of(const Segment& segment, SegmentSize size) {
  return Lsn{(std::uint64_t{segment.log} << 32) + std::uint64_t{segment.seg} * size};
}

std::uint64_t segments_between(const Segment& first, const Segment& last, SegmentSize size) {
  if (last < first) return 0;
  return number_of(last, size) - number_of(first, size) + 1;
}

}  // namespace barman::pgformat
