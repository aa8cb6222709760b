#include "catalog/xlogdb.h"

#include <array>
#include <charconv>

#include "catalog/python_literal.h"
#include "pgformat/wal_name.h"

namespace barman::catalog {

namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

// The fields of a line; their number, or 0 if there are more than five.
std::size_t split(std::string_view line, std::array<std::string_view, 5>& fields) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t from = at;
    while (at < line.size() && !is_blank(line[at])) ++at;
    if (count == fields.size()) return 0;
    fields.at(count++) = line.substr(from, at - from);
  }
  return count;
}

std::optional<std::string> unless_none(std::string_view text) {
  if (text.empty() || text == "None") return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<WalLine> parse_xlogdb_fields(std::string_view line) {
  std::array<std::string_view, 5> fields;
  if (split(line, fields) < 3) return std::nullopt;
  WalLine parsed{.name = fields[0], .compression = fields[3], .encryption = fields[4]};
  if (!read_number(fields[1], parsed.size) || !read_number(fields[2], parsed.time)) return std::nullopt;
  return parsed;
}

std::optional<WalEntry> parse_xlogdb_line(std::string_view line) {
  const auto fields = parse_xlogdb_fields(line);
  if (!fields || !pgformat::parse_wal_name(fields->name)) return std::nullopt;
  return WalEntry{.name = std::string(fields->name),
                  .size = fields->size,
                  .time = fields->time,
                  .compression = unless_none(fields->compression),
                  .encryption = unless_none(fields->encryption)};
}

std::string format_xlogdb_line(const WalEntry& entry) {
  return entry.name + '\t' + std::to_string(entry.size) + '\t' + format_python_float(entry.time) + '\t' +
         entry.compression.value_or("None") + '\t' + entry.encryption.value_or("None") + '\n';
}

}  // namespace barman::catalog
