#include "pgformat/json_scanner.h"

#include "base/error.h"

namespace barman::pgformat {

namespace {

constexpr std::size_t kLongestToken = 64 * 1024;

[[noreturn]] void throw_not_json(std::string_view what) {
  throw Error(ErrorKind::kCorrupt, "not JSON: " + std::string(what));
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool is_bare(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

// A character that is a token by itself.
bool punctuation(char c, JsonToken::Kind& kind) {
  using Kind = JsonToken::Kind;
  switch (c) {
    case '{':
      kind = Kind::kOpenObject;
      return true;
    case '}':
      kind = Kind::kCloseObject;
      return true;
    case '[':
      kind = Kind::kOpenArray;
      return true;
    case ']':
      kind = Kind::kCloseArray;
      return true;
    case ':':
      kind = Kind::kColon;
      return true;
    case ',':
      kind = Kind::kComma;
      return true;
    default:
      return false;
  }
}

}  // namespace

void JsonScanner::write(std::string_view text) {
  while (!text.empty()) {
    switch (state_) {
      case State::kBetween:
        text.remove_prefix(between(text));
        break;
      case State::kString:
        text.remove_prefix(in_string(text));
        break;
      case State::kEscape:
        escape(text.front());
        text.remove_prefix(1);
        break;
      case State::kUnicode:
        unicode_digit(text.front());
        text.remove_prefix(1);
        break;
      case State::kBare:
        text.remove_prefix(in_bare(text));
        break;
    }
  }
}

void JsonScanner::finish() {
  if (state_ == State::kBare) end_bare();
  if (state_ != State::kBetween) throw_not_json("a string is cut short");
}

std::size_t JsonScanner::between(std::string_view text) {
  const char c = text.front();
  JsonToken::Kind kind{};
  if (is_blank(c)) return 1;
  if (punctuation(c, kind)) {
    visit_({.kind = kind, .text = text.substr(0, 1)});
    return 1;
  }
  token_.clear();
  if (c == '"') {
    state_ = State::kString;
    return 1;
  }
  if (!is_bare(c)) throw_not_json("unexpected character");
  state_ = State::kBare;
  return 0;
}

std::size_t JsonScanner::in_string(std::string_view text) {
  std::size_t plain = 0;
  while (plain < text.size() && text[plain] != '"' && text[plain] != '\\') {
    if (static_cast<unsigned char>(text[plain]) < 0x20) throw_not_json("control character in a string");
    ++plain;
  }
  if (plain != 0) {
    end_lone_surrogate();
    append(text.substr(0, plain));
  }
  if (plain == text.size()) return plain;
  if (text[plain] == '"') {
    end_string();
  } else {
    state_ = State::kEscape;
  }
  return plain + 1;
}

std::size_t JsonScanner::in_bare(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && is_bare(text[size])) ++size;
  append(text.substr(0, size));
  if (size != text.size()) end_bare();
  return size;
}

void JsonScanner::escape(char letter) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (letter == 'u') {
    state_ = State::kUnicode;
    unicode_ = 0;
    unicode_digits_ = 0;
    return;
  }
  end_lone_surrogate();
  const std::size_t at = kLetters.find(letter);
  if (at == std::string_view::npos) throw_not_json("unknown escape in a string");
  append(kMeanings.substr(at, 1));
  state_ = State::kString;
}

void JsonScanner::unicode_digit(char digit) {
  constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
  const std::size_t value = kDigits.find(digit);
  if (value == std::string_view::npos) throw_not_json("malformed \\u in a string");
  unicode_ = unicode_ << 4 | static_cast<char32_t>(value % 16);
  if (++unicode_digits_ < 4) return;
  state_ = State::kString;
  if (unicode_ >= 0xDC00 && unicode_ <= 0xDFFF) {
    if (high_surrogate_ == 0) throw_not_json("half a surrogate pair in a string");
    append_code_point(0x10000 + ((high_surrogate_ - 0xD800) << 10) + (unicode_ - 0xDC00));
    high_surrogate_ = 0;
    return;
  }
  end_lone_surrogate();
  if (unicode_ >= 0xD800 && unicode_ <= 0xDBFF) {
    high_surrogate_ = unicode_;
  } else {
    append_code_point(unicode_);
  }
}

void JsonScanner::append(std::string_view text) {
  if (token_.size() + text.size() > kLongestToken) throw_not_json("a token is longer than 64 KiB");
  token_ += text;
}

void JsonScanner::append_code_point(char32_t code) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    append(std::string{static_cast<char>(code)});
  } else if (code < 0x800) {
    append(std::string{static_cast<char>(0xC0 | code >> 6), tail(0)});
  } else if (code < 0x10000) {
    append(std::string{static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)});
  } else {
    append(std::string{static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)});
  }
}

void JsonScanner::end_string() {
  end_lone_surrogate();
  state_ = State::kBetween;
  visit_({.kind = JsonToken::Kind::kString, .text = token_});
}

void JsonScanner::end_bare() {
  state_ = State::kBetween;
  const char first = token_.front();
  const bool is_number = first == '-' || (first >= '0' && first <= '9');
  visit_({.kind = is_number ? JsonToken::Kind::kNumber : JsonToken::Kind::kWord, .text = token_});
}

void JsonScanner::end_lone_surrogate() const {
  if (high_surrogate_ != 0) throw_not_json("half a surrogate pair in a string");
}

}  // namespace barman::pgformat
