#include "engine/wal/local_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "base/error.h"
#include "engine/wal/archive_scan.h"
#include "engine/wal/plain_source.h"
#include "engine/wal/store_wal.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/fault_point.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of_folder(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().native());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(ErrorKind::kFailed, "reading " + folder.native() + ": " + error.message());
  }
  std::ranges::sort(names);
  return names;
}

bool remove_if_there(const fs::path& path) {
  std::error_code error;
  const bool was_there = fs::remove(path, error);
  if (error) throw Error(ErrorKind::kFailed, "removing " + path.native() + ": " + error.message());
  return was_there;
}

// Makes the removals in a folder durable, and takes the folder away if nothing is left in it.
void settle_removals(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  os::sync_directory(folder);
  fs::remove(folder, error);
}

}  // namespace

std::vector<std::optional<WalFile>> LocalArchive::find(std::span<const std::string> names) {
  std::vector<std::optional<WalFile>> found;
  found.reserve(names.size());
  for (const std::string& name : names) {
    auto& wal = found.emplace_back();
    const auto parsed = pgformat::parse_wal_name(name);
    if (!parsed) continue;
    const fs::path path = home_.archived(*parsed, name);
    if (auto entry = describe_file(path)) {
      wal = WalFile{.parsed = *parsed, .entry = *std::move(entry), .key = path.native()};
    }
  }
  return found;
}

std::vector<std::string> LocalArchive::folders() {
  std::vector<std::string> names = names_of_folder(home_.wals);
  std::erase_if(names, [](const std::string& name) { return !pgformat::parse_segment(name + "00000000"); });
  return names;
}

std::vector<std::string> LocalArchive::names_in(const std::string& folder) {
  std::vector<std::string> names = names_of_folder(home_.wals / folder);
  std::erase_if(names, [&](const std::string& name) {
    const auto parsed = pgformat::parse_wal_name(name);
    return !parsed || pgformat::hash_directory(*parsed) != folder;
  });
  return names;
}

void LocalArchive::scan(const WalFormat* format, const ArchiveVisitor& visitor) {
  scan_archive(home_.wals, home_.xlogdb.filename(), format, visitor);
}

std::optional<catalog::WalEntry> LocalArchive::describe(const WalFile& wal, const WalFormat& format) {
  return describe_stored_wal(wal.key, &format);
}

void LocalArchive::read(const WalFile& wal, stream::Sink& into) {
  stream::pump(*os::open_file(wal.key), into);
}

void LocalArchive::fetch(const WalFile& wal, const WalFormat& format, const fs::path& to,
                         const std::stop_token& stop) {
  const StoredForm form = format.form_of(read_front(wal.key, codec::kDetectBytes), wal.parsed);
  if (form != StoredForm{}) {
    return copy_plain(*this, wal, format, os::create_file(to, {.sync = false}), stop);
  }
  const std::uint64_t size = os::copy_whole_file(wal.key, to, {.stop = stop});
  if (size != wal.entry.size) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has {} bytes, but {} are recorded", wal.key, size, wal.entry.size));
  }
}

WalRemains LocalArchive::remove(std::span<const std::string> names, std::size_t) {
  WalRemains remains;
  std::set<fs::path> folders;
  for (const std::string& name : names) {
    const auto parsed = pgformat::parse_wal_name(name);
    if (!parsed) continue;
    const fs::path path = home_.archived(*parsed, name);
    if (!remove_if_there(path)) remains.absent.push_back(name);
    folders.insert(path.parent_path());
    os::fault_point("purge-file");
  }
  for (const fs::path& folder : folders) settle_removals(folder);
  return remains;
}

std::vector<std::string> LocalArchive::places(std::span<const std::string> names) {
  std::vector<std::string> places;
  for (const std::string& name : names) {
    if (const auto parsed = pgformat::parse_wal_name(name)) places.push_back(home_.archived(*parsed, name));
  }
  return places;
}

Likeness LocalArchive::compare(const fs::path& arrived, const WalFile& archived, const WalFormat& format) {
  if (is_same_file(arrived, archived.key)) return Likeness::kItself;
  const bool same = same_wal(arrived, archived.key, archived.parsed, format).value_or(false);
  return same ? Likeness::kSame : Likeness::kOther;
}

std::optional<catalog::WalEntry> LocalArchive::store(const fs::path& arrived,
                                                     const WalFormat::Storing& storing,
                                                     const std::stop_token& stop) {
  const std::string name = arrived.filename();
  const auto parsed = pgformat::parse_wal_name(name);
  const fs::path target = home_.archived(*parsed, name);
  store_wal(arrived, target, storing.stages, stop);
  auto entry = describe_file(target);
  if (!entry)
    throw Error(ErrorKind::kFailed, fmt::format("{} vanished while it was archived", target.native()));
  entry->compression = storing.compression;
  entry->encryption = storing.encryption;
  return entry;
}

void LocalArchive::settle(std::span<const std::string> fresh, std::span<const std::string> found) {
  std::set<fs::path> folders;
  const auto path = [this](const std::string& name) {
    return home_.archived(*pgformat::parse_wal_name(name), name);
  };
  for (const std::string& name : fresh) folders.insert(path(name).parent_path());
  for (const std::string& name : found) {
    os::sync_file(path(name));
    folders.insert(path(name).parent_path());
  }
  for (const fs::path& folder : folders) os::sync_directory(folder);
}

}  // namespace barman::engine
