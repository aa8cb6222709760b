#include "catalog/python_literal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/error.h"
#include "catalog/utf8.h"

namespace barman::catalog {

namespace {

constexpr int kDeepest = 32;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// A parser by recursive descent. `position_` is always within the text or at its end.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Literal whole() {
    Literal literal = value(0);
    skip_space();
    if (position_ != text_.size()) fail("unexpected text after the value");
    return literal;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("not a Python literal: {} at byte {}", what, position_ + 1));
  }

  [[nodiscard]] bool ended() const { return position_ == text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  void skip_space() {
    while (!ended() && is_space(text_[position_])) ++position_;
  }
  bool take(char c) {
    if (ended() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  Literal value(int depth) {
    if (depth > kDeepest) fail("nested too deeply");
    skip_space();
    if (ended()) fail("the text ends early");
    const char c = peek();
    if (c == '[') return Literal{items(']', depth).first};
    if (c == '(') return parenthesis(depth);
    if (c == '{') return Literal{dict(depth)};
    if (starts_string()) return Literal{strings()};
    if (is_digit(c) || c == '-' || c == '+' || c == '.') return number();
    return word();
  }

  // The values up to `close`, and whether the last was followed by a comma.
  std::pair<std::vector<Literal>, bool> items(char close, int depth) {
    ++position_;
    std::vector<Literal> found;
    bool comma = false;
    for (;;) {
      skip_space();
      if (take(close)) return {std::move(found), comma};
      if (!found.empty() && !comma) fail("a comma is missing");
      found.push_back(value(depth + 1));
      skip_space();
      comma = take(',');
    }
  }

  Literal parenthesis(int depth) {
    auto [found, comma] = items(')', depth);
    if (found.size() == 1 && !comma) return std::move(found.front());
    return Literal{Literal::Tuple{std::move(found)}};
  }

  Literal::Dict dict(int depth) {
    ++position_;
    Literal::Dict found;
    bool comma = true;
    for (;;) {
      skip_space();
      if (take('}')) return found;
      if (!comma) fail("a comma is missing");
      Literal key = value(depth + 1);
      skip_space();
      if (!take(':')) fail("a colon is missing");
      found.items.push_back({.key = std::move(key), .value = value(depth + 1)});
      skip_space();
      comma = take(',');
    }
  }

  [[nodiscard]] bool starts_string() const {
    std::size_t ahead = 0;
    while (ahead < 2 && std::string_view("bBrRuU").find(peek(ahead)) != std::string_view::npos &&
           peek(ahead) != '\0') {
      ++ahead;
    }
    return peek(ahead) == '\'' || peek(ahead) == '"';
  }

  // Strings that follow one another are one string.
  std::string strings() {
    std::string joined;
    while (starts_string()) {
      string(joined);
      skip_space();
    }
    return joined;
  }

  void string(std::string& into) {
    bool raw = false;
    for (; peek() != '\'' && peek() != '"'; ++position_) raw = raw || peek() == 'r' || peek() == 'R';
    const char quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote;
    position_ += triple ? 3 : 1;
    for (;;) {
      if (ended()) fail("a string is not closed");
      const char c = text_[position_];
      if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) break;
      if (c == '\n' && !triple) fail("a string is not closed");
      ++position_;
      if (c != '\\') {
        into += c;
      } else if (raw) {
        into += c;
        if (!ended()) into += text_[position_++];
      } else {
        escape(into);
      }
    }
    position_ += triple ? 3 : 1;
  }

  void escape(std::string& into) {
    if (ended()) fail("a string is not closed");
    static constexpr std::string_view kLetters = "abfnrtv\\'\"";
    static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
    const char c = text_[position_++];
    if (const auto at = kLetters.find(c); at != std::string_view::npos) {
      into += kMeanings[at];
    } else if (c == 'x') {
      append_code_point(into, hex(2));
    } else if (c == 'u') {
      append_code_point(into, hex(4));
    } else if (c == 'U') {
      append_code_point(into, hex(8));
    } else if (c >= '0' && c <= '7') {
      append_code_point(into, octal(c));
    } else if (c != '\n') {  // an escaped newline is nothing; other unknown escapes stand for themselves
      into += '\\';
      into += c;
    }
  }

  char32_t hex(std::size_t digits) {
    std::uint32_t code = 0;
    const char* from = text_.data() + position_;
    if (position_ + digits > text_.size()) fail("an escape is cut short");
    const auto [end, error] = std::from_chars(from, from + digits, code, 16);
    if (error != std::errc{} || end != from + digits || code > 0x10FFFF) fail("an escape is not hexadecimal");
    position_ += digits;
    return static_cast<char32_t>(code);
  }

  char32_t octal(char first) {
    auto code = static_cast<char32_t>(first - '0');
    for (int more = 0; more < 2 && peek() >= '0' && peek() <= '7'; ++more, ++position_) {
      code = code * 8 + static_cast<char32_t>(peek() - '0');
    }
    return code;
  }

  Literal number() {
    std::string digits;
    bool real = false;
    while (peek() == '-' || peek() == '+') {
      if (!digits.empty()) fail("not a number");
      digits += text_[position_++];
    }
    for (; !ended(); ++position_) {
      const char c = peek();
      const bool exponent_sign = (c == '-' || c == '+') && (digits.back() == 'e' || digits.back() == 'E');
      if (c == '_') continue;
      if (!is_digit(c) && c != '.' && c != 'e' && c != 'E' && !exponent_sign) break;
      real = real || !is_digit(c);
      digits += c;
    }
    if (digits.starts_with('+')) digits.erase(0, 1);
    return real ? Literal{converted<double>(digits)} : Literal{converted<std::int64_t>(digits)};
  }

  template <class Number>
  Number converted(const std::string& digits) const {
    Number number{};
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, number);
    if (error != std::errc{} || end != last || digits.empty()) fail("not a number that fits");
    return number;
  }

  Literal word() {
    std::size_t length = 0;
    while (is_letter(peek(length))) ++length;
    const std::string_view name = text_.substr(position_, length);
    if (name != "None" && name != "True" && name != "False") fail("an unknown word");
    position_ += length;
    if (name == "None") return Literal{};
    return Literal{name == "True"};
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string joined(const std::vector<Literal>& items) {
  std::string text;
  for (const Literal& item : items) {
    if (!text.empty()) text += ", ";
    text += format_literal(item);
  }
  return text;
}

std::string dict_text(const Literal::Dict& dict) {
  std::string text = "{";
  for (const auto& [key, value] : dict.items) {
    if (text.size() > 1) text += ", ";
    text += format_literal(key) + ": " + format_literal(value);
  }
  return text + "}";
}

// The escape of a character that repr() does not print as it is; empty if it does.
std::string escaped(char32_t c, char quote) {
  if (c == U'\n') return "\\n";
  if (c == U'\r') return "\\r";
  if (c == U'\t') return "\\t";
  if (c == U'\\' || c == static_cast<char32_t>(quote)) return std::string("\\") + static_cast<char>(c);
  if (is_printable(c)) return "";
  const auto code = static_cast<std::uint32_t>(c);
  if (code < 0x100) return fmt::format("\\x{:02x}", code);
  return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

}  // namespace

const Literal* Literal::find(std::string_view key) const {
  const auto* dict = std::get_if<Dict>(&value);
  const Literal* found = nullptr;
  if (dict == nullptr) return found;
  for (const auto& [name, content] : dict->items) {
    if (name.text() != nullptr && *name.text() == key) found = &content;
  }
  return found;
}

const std::vector<Literal>* Literal::items() const {
  if (const auto* tuple = std::get_if<Tuple>(&value)) return &tuple->items;
  return std::get_if<List>(&value);
}

Literal parse_literal(std::string_view text) { return Parser(text).whole(); }

std::string format_literal(std::string_view text) {
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == text.npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string literal(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    const std::string replacement = escaped(next.value, quote);
    literal += replacement.empty() ? std::string(text.substr(at, next.length)) : replacement;
    at += next.length;
  }
  return literal + quote;
}

std::string format_literal(const Literal& literal) {
  return std::visit(Overloaded{
                        [](std::monostate) { return std::string("None"); },
                        [](bool flag) { return std::string(flag ? "True" : "False"); },
                        [](std::int64_t number) { return std::to_string(number); },
                        [](double number) { return format_python_float(number); },
                        [](const std::string& text) { return format_literal(std::string_view(text)); },
                        [](const Literal::List& list) { return "[" + joined(list) + "]"; },
                        [](const Literal::Tuple& tuple) {
                          return "(" + joined(tuple.items) + (tuple.items.size() == 1 ? ",)" : ")");
                        },
                        [](const Literal::Dict& dict) { return dict_text(dict); },
                    },
                    literal.value);
}

std::string format_python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  const auto scientific = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
  const std::string_view shortest(buffer.data(), static_cast<std::size_t>(scientific.ptr - buffer.data()));
  const std::string tail(shortest.substr(shortest.find('e') + 1));
  const int exponent = std::atoi(tail.c_str());
  if (exponent < -4 || exponent >= 16) return std::string(shortest);
  const auto fixed = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::fixed);
  std::string text(buffer.data(), static_cast<std::size_t>(fixed.ptr - buffer.data()));
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

}  // namespace barman::catalog
