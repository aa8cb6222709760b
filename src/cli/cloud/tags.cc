#include <algorithm>
#include <cctype>

#include "cli/cloud/program.h"
#include "cli/grammar.h"

namespace barman::cli {
namespace {

constexpr std::size_t kMostKey = 128;
constexpr std::size_t kMostValue = 256;

bool is_tag_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view(" _.:/=+-@").find(c) != std::string_view::npos;
  });
}

// The first field of a line of CSV, which is taken away together with the comma behind it. Nothing if a quote
// is not closed.
std::optional<std::string> take_field(std::string_view& line, bool& last) {
  std::string field;
  std::size_t at = 0;
  if (line.starts_with('"')) {
    for (at = 1;; ++at) {
      if (at >= line.size()) return std::nullopt;
      if (line[at] != '"') {
        field += line[at];
      } else if (at + 1 < line.size() && line[at + 1] == '"') {
        field += line[at++];
      } else {
        ++at;
        break;
      }
    }
  } else {
    at = std::min(line.find(','), line.size());
    field = line.substr(0, at);
  }
  last = at == line.size();
  if (!last && line[at] != ',') return std::nullopt;
  line.remove_prefix(last ? at : at + 1);
  return field;
}

std::string tag_problem(const std::string& text) {
  return parse_tag(text) ? "" : "invalid check_tag value: '" + text + "'";
}

}  // namespace

std::optional<std::pair<std::string, std::string>> parse_tag(std::string_view text) {
  bool last = false;
  auto key = take_field(text, last);
  if (!key || last) return std::nullopt;
  auto value = take_field(text, last);
  if (!value || !last || key->empty() || key->size() > kMostKey || value->size() > kMostValue ||
      key->starts_with("aws:") || !is_tag_text(*key) || !is_tag_text(*value)) {
    return std::nullopt;
  }
  return std::pair{*key, *value};
}

void add_tag_options(CLI::App& app, const std::string& list, const std::string& single, Tags& tags) {
  const auto add = [&tags](const std::vector<std::string>& words) {
    tags.clear();
    for (const std::string& word : words) {
      if (const auto tag = parse_tag(word)) tags.push_back(*tag);
    }
    return true;
  };
  CLI::Option* several = app.add_option_function<std::vector<std::string>>(
      list, add, "tags for what is stored: KEY,VALUE KEY,VALUE ...");
  several->type_name("TAG ...")->expected(0, -1)->check(tag_problem);
  CLI::Option* one = app.add_option_function<std::vector<std::string>>(
      single, add, "a tag for what is stored: KEY,VALUE; may be repeated");
  one->type_name("TAG")->allow_extra_args(false)->check(tag_problem);
  exclude_each_other({several, one});
}

}  // namespace barman::cli
