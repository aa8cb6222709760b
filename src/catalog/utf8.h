// The little of Unicode that Python's repr() needs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace barman::catalog {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // in bytes
};

// The code point at a byte of the text, which is before its end. A byte that is no UTF-8 is given as the lone
// surrogate U+DC80..U+DCFF by which Python carries it.
CodePoint code_point_at(std::string_view text, std::size_t at);

// Appends it as UTF-8; the surrogates U+DC80..U+DCFF as the byte that they stand for.
void append_code_point(std::string& text, char32_t value);

// As Python's str.isprintable(): no control, format, private or separator character except the blank.
bool is_printable(char32_t value);

}  // namespace barman::catalog
