#include "engine/wal/xlog_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "engine/server/bucket_home.h"
#include "engine/wal/wal_archive.h"
#include "os/append_file.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/lock_file.h"
#include "pgformat/wal_name.h"
#include "stream/memory.h"

namespace barman::engine {

namespace {

constexpr std::size_t kLargestIndex = std::size_t{4} * 1024 * 1024 * 1024;
constexpr mode_t kIndexMode = 0644;
constexpr std::size_t kBlock = 256 * 1024;  // read at a time

struct Line {
  std::size_t number = 0;  // from 1
  std::string_view text;   // without the newline
  bool torn = false;       // the last one, and cut short
};

// A last line without its newline is whole only if all five fields are: the others may be cut.
bool is_whole(std::string_view text) {
  const auto fields = catalog::parse_xlogdb_fields(text);
  return fields && pgformat::parse_wal_name(fields->name) &&
         (fields->encryption == "None" || fields->encryption == "gpg");
}

// Returns the number of the line after the last one.
template <class Visit>
std::size_t for_each_line(std::string_view text, const Visit& visit, std::size_t number = 1) {
  for (; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    visit(Line{number, line, end == std::string_view::npos && !is_whole(line)});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return number;
}

// The lines of a file that may be larger than one wants to hold.
template <class Visit>
void for_each_line(stream::Source& file, const Visit& visit) {
  std::string block;
  std::size_t kept = 0;  // of a line whose end has not been read
  for (std::size_t number = 1;;) {
    block.resize(kept + kBlock);
    const std::size_t got = file.read(std::as_writable_bytes(std::span(block)).subspan(kept));
    block.resize(kept + got);
    const std::size_t whole = got == 0 ? block.size() : block.rfind('\n') + 1;
    number = for_each_line(std::string_view(block).substr(0, whole), visit, number);
    if (got == 0) return;
    block.erase(0, whole);
    kept = block.size();
  }
}

template <class Visit>
void for_each_entry(stream::Source& file, const Home& home, Events& events, const Visit& visit) {
  for_each_line(file, [&](const Line& line) {
    if (line.text.empty()) return;
    const auto fields = line.torn ? std::nullopt : catalog::parse_xlogdb_fields(line.text);
    if (fields && pgformat::parse_wal_name(fields->name)) {
      visit(*fields);
    } else {
      events.warning(fmt::format(
          "{}, line {}: not an entry of the WAL index, skipped; \"barman rebuild-xlogdb {}\" makes it anew",
          home.xlogdb.native(), line.number, home.server));
    }
  });
}

std::optional<std::string> unless_none(std::string_view text) {
  if (text.empty() || text == "None") return std::nullopt;
  return std::string(text);
}

catalog::WalEntry entry_of(const catalog::WalLine& line) {
  return {.name = std::string(line.name),
          .size = line.size,
          .time = line.time,
          .compression = unless_none(line.compression),
          .encryption = unless_none(line.encryption)};
}

std::string lines_of(std::span<const catalog::WalEntry> entries) {
  std::string lines;
  for (const catalog::WalEntry& entry : entries) lines += catalog::format_xlogdb_line(entry);
  return lines;
}

// Removes new indexes that were never finished: who held the lock was killed.
void remove_unfinished(const std::filesystem::path& index) {
  const std::string begin = "." + index.filename().native() + ".";
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(index.parent_path())) {
    const std::string name = entry.path().filename();
    if (name.starts_with(begin) && name.ends_with(".tmp")) found.push_back(entry.path());
  }
  for (const auto& path : found) os::remove_file(path);
}

}  // namespace

bool XlogIndex::require_file() const {
  std::error_code unclear;  // opening it says what is wrong
  if (std::filesystem::exists(home_.xlogdb, unclear) || unclear) return true;
  if (!home_.wal_bucket && !std::filesystem::exists(home_.wals, unclear)) return false;
  write_anew();
  return true;
}

std::string XlogIndex::text() const {
  return require_file() ? os::read_file(home_.xlogdb, kLargestIndex).value_or("") : "";
}

// Another host writes the archive: an index here would be as old as the day when it was made.
bool XlogIndex::is_elsewhere() const { return home_.wal_bucket && !home_.is_active; }

void XlogIndex::visit_archive(const Visit& visit) const {
  wal_archive(home_)->scan(format_, {.wal =
                                         [&](const pgformat::WalName&, const catalog::WalEntry& entry) {
                                           visit({.name = entry.name,
                                                  .size = entry.size,
                                                  .time = entry.time,
                                                  .compression = entry.compression.value_or(""),
                                                  .encryption = entry.encryption.value_or("")});
                                         },
                                     .foreign = [](const std::string&) {}});
}

std::vector<catalog::WalEntry> XlogIndex::read() const {
  std::vector<catalog::WalEntry> entries;
  visit([&](const catalog::WalLine& line) { entries.push_back(entry_of(line)); });
  return entries;
}

void XlogIndex::visit(const Visit& visit) const {
  if (is_elsewhere()) return visit_archive(visit);
  const auto lock = os::LockFile::acquire(home_.xlogdb_lock());
  if (require_file()) for_each_entry(*os::open_file(home_.xlogdb), home_, events_, visit);
}

void XlogIndex::require() {
  std::error_code unclear;  // the lines that are appended later say what is wrong
  const bool is_there = std::filesystem::exists(home_.xlogdb, unclear) || unclear;
  if (is_there && !(home_.wal_bucket && std::filesystem::is_empty(home_.xlogdb, unclear))) return;
  const auto lock = os::LockFile::acquire(home_.xlogdb_lock());
  repair_or_rebuild();
}

void XlogIndex::append(std::span<const catalog::WalEntry> entries) {
  if (entries.empty()) return;
  const auto lock = os::LockFile::acquire(home_.xlogdb_lock());
  if (repair_or_rebuild(entries)) {
    append_missing_locked(entries);
  } else {
    os::append_to_file(home_.xlogdb, lines_of(entries));
  }
}

std::size_t XlogIndex::append_missing(std::span<const catalog::WalEntry> entries) {
  if (entries.empty()) return 0;
  const auto lock = os::LockFile::acquire(home_.xlogdb_lock());
  repair_or_rebuild();
  return append_missing_locked(entries);
}

std::size_t XlogIndex::append_missing_locked(std::span<const catalog::WalEntry> entries) {
  std::unordered_set<std::string_view> absent;
  for (const catalog::WalEntry& entry : entries) absent.insert(entry.name);
  for_each_line(text(), [&](const Line& line) {
    if (const auto fields = catalog::parse_xlogdb_fields(line.text)) absent.erase(fields->name);
  });
  std::string lines;
  for (const catalog::WalEntry& entry : entries) {
    if (absent.contains(entry.name)) lines += catalog::format_xlogdb_line(entry);
  }
  if (!lines.empty()) os::append_to_file(home_.xlogdb, lines);
  return absent.size();
}

bool XlogIndex::repair_or_rebuild(std::span<const catalog::WalEntry> known) {
  std::error_code error;
  const auto size = std::filesystem::file_size(home_.xlogdb, error);
  if (error == std::errc::no_such_file_or_directory) {
    tell_of_rebuild("missing", write_anew(known), known.size());
    return true;
  }
  if (error) return false;
  if (size == 0) {
    if (!home_.wal_bucket) return false;
    tell_of_rebuild("empty", write_anew(known), known.size());
    return true;
  }
  constexpr std::uintmax_t kLongestLine = 1024;
  std::string tail;
  stream::AppendTo into(tail);
  stream::pump(*os::open_file(home_.xlogdb, size > kLongestLine ? size - kLongestLine : 0), into);
  if (tail.empty() || tail.back() == '\n') return false;
  if (is_whole(std::string_view(tail).substr(tail.rfind('\n') + 1))) {
    os::append_to_file(home_.xlogdb, "\n");
    return false;
  }
  events_.warning(
      fmt::format("the last line of {} is cut short, as by a crash: making it anew from the archive",
                  home_.xlogdb.native()));
  write_anew(known);
  return true;
}

void XlogIndex::remove(const Choose& gone, const Remove& before) {
  if (is_elsewhere()) {
    std::vector<catalog::WalEntry> going = read();
    std::erase_if(going, [&](const catalog::WalEntry& entry) { return !gone(entry); });
    if (!going.empty()) before(going);
    return;
  }
  const auto lock = os::LockFile::acquire(home_.xlogdb_lock());
  repair_or_rebuild();
  const std::string all = text();
  std::string kept;
  std::vector<catalog::WalEntry> going;
  for_each_line(all, [&](const Line& line) {
    auto entry = catalog::parse_xlogdb_line(line.text);
    if (entry && gone(*entry)) {
      going.push_back(*std::move(entry));
    } else {
      kept.append(line.text).append("\n");
    }
  });
  if (going.empty()) return;
  before(going);
  remove_unfinished(home_.xlogdb);
  os::fault_point("xlogdb-remove");
  os::write_file(home_.xlogdb, kept, {.mode = kIndexMode});
}

void XlogIndex::tell_of_rebuild(std::string_view why, const Rebuilt& rebuilt, std::size_t known) const {
  const std::uint64_t count = rebuilt.histories + rebuilt.backup_labels + rebuilt.segments;
  if (!home_.wal_bucket || count <= known) return;
  events_.warning(fmt::format(
      "the index of archived WAL {} was {}, although the bucket holds WAL: made anew from a listing "
      "of {} ({} files)",
      home_.xlogdb.native(), why, home_.wal_bucket->url(), count));
}

XlogIndex::Rebuilt XlogIndex::rebuild() {
  const auto lock = os::LockFile::acquire(home_.xlogdb_lock());
  return write_anew();
}

XlogIndex::Rebuilt XlogIndex::write_anew(std::span<const catalog::WalEntry> known) const {
  std::unordered_map<std::string_view, const catalog::WalEntry*> by_name;
  for (const catalog::WalEntry& entry : known) by_name.emplace(entry.name, &entry);
  Rebuilt rebuilt;
  os::make_directories(home_.xlogdb.parent_path());
  remove_unfinished(home_.xlogdb);
  auto file = os::create_file(home_.xlogdb, {.mode = kIndexMode});
  wal_archive(home_)->scan(
      format_,
      {.wal =
           [&](const pgformat::WalName& name, const catalog::WalEntry& entry) {
             const auto better = by_name.find(entry.name);
             file->write(stream::bytes_of(
                 catalog::format_xlogdb_line(better == by_name.end() ? entry : *better->second)));
             ++(name.kind == pgformat::WalKind::kHistory  ? rebuilt.histories
                : name.kind == pgformat::WalKind::kBackup ? rebuilt.backup_labels
                                                          : rebuilt.segments);
           },
       .foreign =
           [&](const std::string& place) {
             events_.warning(fmt::format("{} is no WAL file in its place, left out of the index", place));
           }});
  os::fault_point("xlogdb-rebuild");
  file->finish();
  return rebuilt;
}

}  // namespace barman::engine
