#include "pgformat/backup_label.h"

#include <charconv>

#include "base/error.h"

namespace barman::pgformat {

namespace {

[[noreturn]] void throw_malformed(const std::string& what) { throw Error(ErrorKind::kCorrupt, what); }

// The text after `key`, if the line starts with it.
std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  return line.substr(key.size());
}

// Calls `visit` for each line, without its end ("\n" or "\r\n").
template <class Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

std::optional<Timeline> parse_timeline(std::string_view text) {
  Timeline value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 10);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

// "0/2000028 (file 000000010000000000000002)"
void read_start(std::string_view value, BackupLabel& label) {
  constexpr std::string_view kBefore = " (file ";
  const std::size_t before = value.find(kBefore);
  if (before != std::string_view::npos && value.ends_with(')')) {
    const auto lsn = parse_lsn(value.substr(0, before));
    std::string_view name = value.substr(before + kBefore.size());
    name.remove_suffix(1);
    if (lsn && parse_segment(name)) {
      label.start = *lsn;
      label.start_wal = name;
      return;
    }
  }
  throw_malformed("backup_label: malformed START WAL LOCATION: " + std::string(value));
}

HistoryEntry parse_history_line(std::string_view line) {
  const std::size_t first = line.find('\t');
  const std::size_t second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second != std::string_view::npos) {
    const auto parent = parse_timeline(line.substr(0, first));
    const auto lsn = parse_lsn(line.substr(first + 1, second - first - 1));
    if (parent && lsn) {
      return {.parent = *parent, .switched_at = *lsn, .reason = std::string(line.substr(second + 1))};
    }
  }
  throw_malformed("timeline history: malformed line: " + std::string(line));
}

std::string_view without_leading_blanks(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\v\f\r");
  return first == std::string_view::npos ? std::string_view{} : line.substr(first);
}

}  // namespace

BackupLabel parse_backup_label(std::string_view text) {
  BackupLabel label;
  for_each_line(text, [&](std::string_view line) {
    if (const auto start = value_of(line, "START WAL LOCATION: ")) {
      read_start(*start, label);
    } else if (const auto name = value_of(line, "LABEL: ")) {
      label.label = *name;
    } else if (const auto timeline = value_of(line, "START TIMELINE: ")) {
      label.timeline = parse_timeline(*timeline);
      if (!label.timeline)
        throw_malformed("backup_label: malformed START TIMELINE: " + std::string(*timeline));
    } else if (const auto from = value_of(line, "INCREMENTAL FROM LSN: ")) {
      label.incremental_from = parse_lsn(*from);
      if (!label.incremental_from) {
        throw_malformed("backup_label: malformed INCREMENTAL FROM LSN: " + std::string(*from));
      }
    }
  });
  if (label.start_wal.empty()) throw_malformed("backup_label: no START WAL LOCATION");
  return label;
}

std::string combined_backup_label(std::string_view text) {
  std::string label;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n') + 1);  // npos + 1 is 0
    const std::string_view whole = line.empty() ? text : line;
    if (!whole.starts_with("INCREMENTAL FROM ")) label += whole;
    text.remove_prefix(whole.size());
  }
  return label;
}

std::vector<HistoryEntry> parse_history(std::string_view text) {
  std::vector<HistoryEntry> entries;
  for_each_line(text, [&](std::string_view raw) {
    const std::string_view line = without_leading_blanks(raw);
    if (line.empty() || line.starts_with('#')) return;
    HistoryEntry entry = parse_history_line(line);
    if (!entries.empty() && entry.parent <= entries.back().parent) {
      throw_malformed("timeline history: timelines are not in ascending order: " + std::string(line));
    }
    entries.push_back(std::move(entry));
  });
  if (entries.empty()) throw_malformed("timeline history: no entry");
  return entries;
}

}  // namespace barman::pgformat
