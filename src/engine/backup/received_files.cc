#include "engine/backup/received_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "os/tree.h"
#include "pgformat/crc32c.h"
#include "pgformat/hex.h"

namespace barman::engine {

namespace {

// FNV-1a. Among a million paths two of the same digest are as likely as 1 in 30 million; such two are told
// apart by size and checksum.
std::uint64_t digest(std::string_view path) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (const char c : path) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return value;
}

[[noreturn]] void throw_corrupt(const std::string& what) {
  throw Error(
      ErrorKind::kCorrupt,
      what +
          "; the backup is not usable, take another one and check network and storage if it happens again");
}

}  // namespace

void ReceivedFiles::begin(std::string_view path) { current_ = {.path = digest(path)}; }

void ReceivedFiles::data(stream::Bytes bytes) {
  current_.crc = pgformat::crc32c(current_.crc, bytes.data(), bytes.size());
  current_.size += bytes.size();
}

void ReceivedFiles::end() {
  bytes_ += current_.size;
  records_.push_back(current_);
  sorted_ = false;
}

void ReceivedFiles::account(const pgformat::ManifestFile& listed) {
  using pgformat::ChecksumKind;
  if (listed.kind != ChecksumKind::kCrc32c && listed.kind != ChecksumKind::kNone) {
    throw_corrupt(fmt::format("the manifest has a checksum of {} that was not asked for", listed.path));
  }
  if (!sorted_) sort();
  const auto [first, last] = same_path(listed.path);
  if (first == last) throw_corrupt(fmt::format("file {} is in the manifest but did not arrive", listed.path));
  const auto crc = pgformat::parse_crc32c(listed.checksum);
  const auto match = std::find_if(first, last, [&](const Record& record) {
    return !record.accounted && record.size == listed.size && (!crc || record.crc == *crc);
  });
  if (match != last) {
    match->accounted = true;
    return;
  }
  const Record& arrived = *first;
  if (arrived.accounted) throw_corrupt(fmt::format("file {} is in the manifest twice", listed.path));
  if (arrived.size != listed.size) {
    throw_corrupt(fmt::format("file {} arrived with {} bytes, the manifest says {}", listed.path,
                              arrived.size, listed.size));
  }
  throw_corrupt(fmt::format("file {} arrived with checksum {}, the manifest says {}", listed.path,
                            pgformat::format_crc32c(arrived.crc), listed.checksum));
}

bool ReceivedFiles::has_unlisted() const { return !std::ranges::all_of(records_, &Record::accounted); }

std::optional<std::string> ReceivedFiles::find_unlisted(const std::filesystem::path& data) {
  if (!has_unlisted()) return std::nullopt;
  if (!sorted_) sort();
  std::optional<std::string> found;
  const auto look = [&](const std::string& path) {
    const auto [first, last] = same_path(path);
    if (!std::all_of(first, last, [](const Record& record) { return record.accounted; })) found = path;
  };
  os::walk_tree(data, [&](const os::TreeEntry& entry) {
    if (found) return false;
    if (entry.kind == os::EntryKind::kFile) look(entry.relative.string());
    if (entry.kind == os::EntryKind::kSymlink && entry.relative.parent_path() == "pg_tblspc") {
      os::walk_tree(data / entry.relative / "", [&](const os::TreeEntry& inner) {
        if (!found && inner.kind == os::EntryKind::kFile) look((entry.relative / inner.relative).string());
        return !found;
      });
    }
    return true;
  });
  return found ? found : "(its name is lost)";
}

// Of sorted records.
auto ReceivedFiles::same_path(std::string_view path) -> std::pair<Records::iterator, Records::iterator> {
  const std::uint64_t wanted = digest(path);
  return {std::ranges::lower_bound(records_, wanted, {}, &Record::path),
          std::ranges::upper_bound(records_, wanted, {}, &Record::path)};
}

void ReceivedFiles::sort() {
  std::ranges::sort(records_, {}, &Record::path);
  sorted_ = true;
}

}  // namespace barman::engine
