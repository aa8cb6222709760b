#include "config/ini.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "config/words.h"

namespace barman::config {
namespace {

constexpr int kMostSubstitutions = 10;          // of one inside another
constexpr std::size_t kLongestValue = 1 << 20;  // after substitution
constexpr std::size_t kMostBadLinesShown = 5;

// Takes the next line off the front of `rest`. Lines end in "\n", "\r\n" or "\r".
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find_first_of("\r\n");
  const auto line = rest.substr(0, end);
  if (end == std::string_view::npos) {
    rest = {};
  } else {
    rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  return line;
}

class Reader {
 public:
  explicit Reader(std::string file) { ini_.file = std::move(file); }

  IniFile read(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
    while (!text.empty()) {
      ++line_;
      take(next_line(text));
    }
    for (auto& section : ini_.sections) finish(section);
    finish(ini_.defaults);
    if (!bad_.empty()) refuse();
    return std::move(ini_);
  }

 private:
  void take(std::string_view line) {
    const auto content = trimmed(line);
    if (content.empty()) {
      if (key_) current_key().value += '\n';
      return;
    }
    if (content.front() == '#' || content.front() == ';') return;
    const auto indent = static_cast<std::size_t>(content.data() - line.data());
    if (key_ && indent > indent_) {
      current_key().value.append("\n").append(content);
      return;
    }
    indent_ = indent;
    if (content.front() == '[' && content.rfind(']') != std::string_view::npos && content.rfind(']') > 1) {
      open(std::string(content.substr(1, content.rfind(']') - 1)));
    } else {
      assign(content);
    }
  }

  void open(std::string name) {
    key_.reset();
    opened_ = true;
    if (name == "DEFAULT") {
      section_.reset();
      return;
    }
    const auto known = std::ranges::find(ini_.sections, name, &IniSection::name);
    section_ = static_cast<std::size_t>(known - ini_.sections.begin());
    if (known == ini_.sections.end()) ini_.sections.push_back({.name = std::move(name), .line = line_});
  }

  void assign(std::string_view content) {
    key_.reset();
    const auto delimiter = content.find_first_of("=:");
    const auto name = trimmed(content.substr(0, delimiter));
    if (!opened_ || delimiter == std::string_view::npos || name.empty()) {
      bad_.push_back(fmt::format("line {}: '{}'", line_, content));
      return;
    }
    auto& keys = current_section().keys;
    const auto lowered = lower(name);
    const auto known = std::ranges::find(keys, lowered, &IniKey::name);
    key_ = static_cast<std::size_t>(known - keys.begin());
    if (known == keys.end()) keys.push_back({.name = lowered});
    current_key().value = trimmed(content.substr(delimiter + 1));
    current_key().line = line_;
  }

  static void finish(IniSection& section) {
    for (auto& key : section.keys) {
      const auto last = key.value.find_last_not_of(" \t\v\f\n");
      key.value.resize(last == std::string::npos ? 0 : last + 1);
    }
  }

  [[noreturn]] void refuse() const {
    std::string lines;
    for (std::size_t i = 0; i < std::min(bad_.size(), kMostBadLinesShown); ++i) lines += "\n\t" + bad_[i];
    if (bad_.size() > kMostBadLinesShown) {
      lines += fmt::format("\n\tand {} more", bad_.size() - kMostBadLinesShown);
    }
    const auto* what = opened_ ? "cannot understand" : "there is no [section] before";
    throw Error(
        ErrorKind::kUsage,
        fmt::format("configuration file '{}': {}{}\nEach line is a [section], a 'key = value', a comment "
                    "or, indented, the continuation of a value.",
                    ini_.file, what, lines));
  }

  IniSection& current_section() { return section_ ? ini_.sections[*section_] : ini_.defaults; }
  IniKey& current_key() { return current_section().keys[*key_]; }

  IniFile ini_;
  std::vector<std::string> bad_;
  int line_ = 0;
  bool opened_ = false;                   // some section, or [DEFAULT]
  std::optional<std::size_t> section_{};  // none: [DEFAULT]
  std::optional<std::size_t> key_{};      // that a deeper line would continue
  std::size_t indent_ = 0;
};

// Replaces %(name)s and %%.
class Interpolation {
 public:
  Interpolation(const IniFile& ini, const IniSection& section) : ini_(ini), section_(section) {}

  [[nodiscard]] std::string expand(const IniKey& key, const std::string& value, int depth) const {
    std::string result;
    for (std::size_t at = 0; at < value.size();) {
      const auto percent = value.find('%', at);
      result.append(value, at, percent - at);
      if (percent == std::string::npos) break;
      const auto rest = std::string_view(value).substr(percent);
      if (rest.starts_with("%%")) {
        // The original expands values twice, so its users had to write four.
        result += '%';
        at = percent + (rest.starts_with("%%%%") ? 4 : 2);
        continue;
      }
      const auto end = rest.find(")s");
      if (!rest.starts_with("%(") || end == std::string_view::npos) {
        refuse(key, "a single '%' means nothing: write '%%' for a percent sign");
      }
      result += referred(key, lower(rest.substr(2, end - 2)), depth);
      at = percent + end + 2;
      if (result.size() > kLongestValue) refuse(key, "the value grows beyond a mebibyte");
    }
    return result;
  }

 private:
  [[nodiscard]] std::string referred(const IniKey& from, const std::string& name, int depth) const {
    const auto* other = section_.find(name);
    if (other == nullptr) other = ini_.defaults.find(name);
    if (other == nullptr) {
      refuse(from, fmt::format("'%({})s' refers to a key that this section of this file does not set", name));
    }
    if (depth >= kMostSubstitutions) {
      refuse(from, fmt::format("'%({})s' leads back to itself or is nested too deeply", name));
    }
    return expand(*other, without_inline_comments(other->value), depth + 1);
  }

  [[noreturn]] void refuse(const IniKey& key, std::string_view why) const {
    throw Error(ErrorKind::kUsage,
                fmt::format("Bad value substitution: option '{}' in section '{}' ({}, line {}): {}", key.name,
                            section_.name, ini_.file, key.line, why));
  }

  const IniFile& ini_;
  const IniSection& section_;
};

// Where the comment of one line begins, or its end. A quote opens at the start of a word, as in
// password='a #b', and holds everything up to its partner; one without a partner is a character like others.
std::size_t comment_start(std::string_view line) {
  bool word_start = true;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if ((c == ';' || c == '#') && (i == 0 || is_blank(line[i - 1]))) return i;
    if ((c == '"' || c == '\'') && word_start) {
      const auto partner = line.find(c, i + 1);
      if (partner != std::string_view::npos) i = partner;
    }
    word_start = is_blank(c) || c == '=';
  }
  return line.size();
}

}  // namespace

const IniKey* IniSection::find(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &IniKey::name);
  return found == keys.end() ? nullptr : &*found;
}

const IniSection* IniFile::find(std::string_view section) const {
  const auto found = std::ranges::find(sections, section, &IniSection::name);
  return found == sections.end() ? nullptr : &*found;
}

IniFile parse_ini(std::string_view text, std::string file) { return Reader(std::move(file)).read(text); }

std::string without_inline_comments(std::string_view value) {
  std::string result;
  while (true) {
    const auto end = value.find('\n');
    const auto line = value.substr(0, end);
    result += trimmed(line.substr(0, comment_start(line)));
    if (end == std::string_view::npos) return result;
    result += '\n';
    value.remove_prefix(end + 1);
  }
}

std::string final_value(const IniFile& ini, const IniSection& section, const IniKey& key,
                        InlineComments comments) {
  auto value = comments == InlineComments::kStrip ? without_inline_comments(key.value) : key.value;
  value = Interpolation(ini, section).expand(key, value, 0);
  const bool quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace barman::config
