#include "engine/wal/examine.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>

#include "base/error.h"
#include "engine/server/identity.h"
#include "engine/wal/plain_source.h"

namespace barman::engine {

namespace {

using pgformat::WalHeader;
using pgformat::WalKind;
using pgformat::WalName;

bool may_be_segment_size(std::uint64_t size) {
  constexpr std::uint64_t kSmallest = std::uint64_t{1} << 20U;
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 30U;
  return std::has_single_bit(size) && size >= kSmallest && size <= kLargest;
}

Examination without_header(const WalName& name, std::optional<std::uint64_t> size) {
  if (name.kind != WalKind::kSegment || !size) return {};
  if (*size < pgformat::kWalHeaderSize)
    return {WalVerdict::kIncomplete, fmt::format("has only {} bytes", *size)};
  if (may_be_segment_size(*size)) return {WalVerdict::kMisplaced, "does not start as a WAL segment does"};
  return {};  // made by a program that we do not know, between PostgreSQL and us
}

Examination of_size(const WalHeader& header, std::uint64_t size) {
  if (size == header.segment_size) return {};
  return {size < header.segment_size ? WalVerdict::kIncomplete : WalVerdict::kMisplaced,
          fmt::format("has {} bytes, a segment of its server has {}", size, header.segment_size)};
}

}  // namespace

Examination examine_header(const WalName& name, const std::optional<WalHeader>& header,
                           std::optional<std::uint64_t> size,
                           std::optional<std::uint64_t> system_identifier) {
  if (name.kind == WalKind::kHistory || name.kind == WalKind::kBackup) {
    return size == 0U ? Examination{WalVerdict::kIncomplete, "is empty"} : Examination{};
  }
  if (!header) return without_header(name, size);
  if (system_identifier && header->system_identifier != *system_identifier) {
    return {WalVerdict::kForeign, fmt::format("is of the system {}, this server is {}",
                                              header->system_identifier, *system_identifier)};
  }
  const auto place = pgformat::segment_of(header->page_address, name.segment.timeline, header->segment_size);
  if (place != name.segment || pgformat::offset_in_segment(header->page_address, header->segment_size) != 0) {
    return {WalVerdict::kMisplaced, fmt::format("holds the WAL of {}", pgformat::format_segment(place))};
  }
  // The first segment of a timeline starts with pages of the one it left.
  if (header->timeline > name.segment.timeline) {
    return {WalVerdict::kMisplaced, fmt::format("holds WAL of timeline {}", header->timeline)};
  }
  if (name.kind == WalKind::kPartial || !size) return {};
  return of_size(*header, *size);
}

Examination examine_file(const std::filesystem::path& path, const WalName& name, std::uint64_t size,
                         const StoredForm& form, std::optional<std::uint64_t> system_identifier) {
  if (form.encrypted || form.custom) return {};
  if (!form.compression) {
    const auto front = read_front(path, pgformat::kWalHeaderSize);
    return examine_header(name, pgformat::parse_wal_header(front), size, system_identifier);
  }
  const auto plain = open_plain(path, form);
  if (!plain) return {};
  std::vector<std::byte> front(pgformat::kWalHeaderSize);
  try {
    front.resize(read_fully(*plain, front));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kCorrupt) throw;
    return {WalVerdict::kIncomplete, e.what()};
  }
  return examine_header(name, pgformat::parse_wal_header(front), std::nullopt, system_identifier);
}

std::optional<std::uint64_t> known_system_identifier(const Home& home) {
  const auto identity = read_identity(home);
  if (!identity) return std::nullopt;
  const std::string& digits = identity->systemid;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc{} && end == digits.data() + digits.size()) return number;
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format(
          "{}: the systemid \"{}\" is not a number; correct or remove the file (the next backup writes it)",
          home.identity.native(), digits));
}

}  // namespace barman::engine
