// Lines of <server>-xlog.db, the index of archived WAL. Format page: docs/formats/xlogdb.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace barman::catalog {

struct WalEntry {
  std::string name;
  std::uint64_t size = 0;  // as stored
  double time = 0;         // mtime, seconds since the epoch
  std::optional<std::string> compression{};
  std::optional<std::string> encryption{};
  bool operator==(const WalEntry&) const = default;
};

// The fields of a line, borrowed from it: for readers that go over many lines.
struct WalLine {
  std::string_view name;
  std::uint64_t size = 0;
  double time = 0;
  std::string_view compression{};  // "None" or empty: none
  std::string_view encryption{};
};

// As parse_xlogdb_line, but leaves the name unchecked.
std::optional<WalLine> parse_xlogdb_fields(std::string_view line);

// One line without its newline: 3, 4 or 5 fields separated by white space. Nothing if it is anything else,
// or if the name is not that of a WAL file.
std::optional<WalEntry> parse_xlogdb_line(std::string_view line);
// Five fields, tabs, a newline at the end; the time in Python's shortest round-trip form ("1406019026.0").
std::string format_xlogdb_line(const WalEntry& entry);

}  // namespace barman::catalog
