#include "pgformat/relation_file.h"

#include <algorithm>
#include <charconv>

namespace barman::pgformat {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Cuts off what is in front of the first "/" and returns it; all of the text if there is none.
std::string_view cut_part(std::string_view& text) {
  const std::size_t end = text.find('/');
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

// The name in "global/NAME", "base/OID/NAME", …; empty if the path is none of these.
std::string_view name_in(std::string_view path) {
  std::string_view part = cut_part(path);
  if (part == "pg_tblspc" && is_number(cut_part(path))) part = cut_part(path);
  const bool has_databases = part == "base" || part.starts_with("PG_");
  if (part != "global" && !(has_databases && is_number(cut_part(path)))) return {};
  return path.find('/') == std::string_view::npos ? path : std::string_view();
}

}  // namespace

std::optional<RelationFile> parse_relation_path(std::string_view path) {
  std::string_view name = name_in(path);
  RelationFile file;
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
    const std::string_view digits = name.substr(dot + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), file.segment);
    if (!is_number(digits) || failure != std::errc() || end != digits.data() + digits.size())
      return std::nullopt;
    name = name.substr(0, dot);
  }
  if (name.starts_with('t')) {  // tBACKEND_NUMBER
    const std::size_t mark = name.find('_');
    if (mark == std::string_view::npos || !is_number(name.substr(1, mark - 1))) return std::nullopt;
    file.is_temporary = true;
    name.remove_prefix(mark + 1);
  }
  for (const std::string_view fork : {"_fsm", "_vm", "_init"}) {
    if (!name.ends_with(fork)) continue;
    name.remove_suffix(fork.size());
    break;
  }
  return is_number(name) ? std::optional(file) : std::nullopt;
}

}  // namespace barman::pgformat
