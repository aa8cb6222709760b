// Splits JSON text that arrives in pieces into its tokens, in bounded memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace barman::pgformat {

struct JsonToken {
  enum class Kind {
    kOpenObject,
    kCloseObject,
    kOpenArray,
    kCloseArray,
    kColon,
    kComma,
    kString,
    kNumber,
    kWord
  };

  Kind kind;
  std::string_view text;  // of a string: decoded, UTF-8; of numbers and words: as written
};

class JsonScanner {
 public:
  using Visit = std::function<void(const JsonToken&)>;

  explicit JsonScanner(Visit visit) : visit_(std::move(visit)) {}

  // Throws kCorrupt on what no JSON token can start with or contain, and on a token longer than 64 KiB.
  void write(std::string_view text);

  // Throws kCorrupt if the text ended within a token.
  void finish();

 private:
  enum class State { kBetween, kString, kEscape, kUnicode, kBare };

  std::size_t between(std::string_view text);
  std::size_t in_string(std::string_view text);
  std::size_t in_bare(std::string_view text);
  void escape(char letter);
  void unicode_digit(char digit);
  void append(std::string_view text);
  void append_code_point(char32_t code);
  void end_string();
  void end_bare();
  void end_lone_surrogate() const;

  Visit visit_;
  State state_ = State::kBetween;
  std::string token_;
  char32_t unicode_ = 0;  // digits of \uXXXX so far
  int unicode_digits_ = 0;
  char32_t high_surrogate_ = 0;  // 0: none waits for its low one
};

}  // namespace barman::pgformat
