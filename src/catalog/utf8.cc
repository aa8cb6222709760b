#include "catalog/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace barman::catalog {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Control, format, separator, surrogate and private characters, and those that never will be characters.
constexpr std::array kUnprintable = {
    Range{0x0, 0x1F},        Range{0x7F, 0xA0},       Range{0xAD, 0xAD},       Range{0x600, 0x605},
    Range{0x61C, 0x61C},     Range{0x6DD, 0x6DD},     Range{0x70F, 0x70F},     Range{0x890, 0x891},
    Range{0x8E2, 0x8E2},     Range{0x1680, 0x1680},   Range{0x180E, 0x180E},   Range{0x2000, 0x200F},
    Range{0x2028, 0x202F},   Range{0x205F, 0x206F},   Range{0x3000, 0x3000},   Range{0xD800, 0xF8FF},
    Range{0xFEFF, 0xFEFF},   Range{0xFFF0, 0xFFFB},   Range{0xFFFE, 0xFFFF},   Range{0x110BD, 0x110BD},
    Range{0x110CD, 0x110CD}, Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A},
    Range{0x1FFFE, 0x1FFFF}, Range{0x2FFFE, 0x2FFFF}, Range{0xE0000, 0xE00FF}, Range{0xE01F0, 0x10FFFF},
};

// The bytes that a UTF-8 sequence with this first byte has; 0 if none starts so.
std::size_t sequence_length(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

bool is_canonical(char32_t value, std::size_t length) {
  if (length == 3) return value >= 0x800 && (value < 0xD800 || value > 0xDFFF);
  return length != 4 || (value >= 0x10000 && value <= 0x10FFFF);
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const CodePoint undecodable{static_cast<char32_t>(0xDC00 + byte(at)), 1};
  const std::size_t length = sequence_length(byte(at));
  if (length == 1) return {static_cast<char32_t>(byte(at)), 1};
  if (length == 0 || at + length > text.size()) return undecodable;
  char32_t value = byte(at) & (0xFFU >> (length + 1));
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return undecodable;
    value = value << 6U | (byte(i) & 0x3FU);
  }
  return is_canonical(value, length) ? CodePoint{value, length} : undecodable;
}

void append_code_point(std::string& text, char32_t value) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(static_cast<std::uint8_t>(byte)); };
  if (value >= 0xDC80 && value <= 0xDCFF) {
    add(value - 0xDC00);
  } else if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xC0U | value >> 6U);
    add(0x80U | (value & 0x3FU));
  } else if (value < 0x10000) {
    add(0xE0U | value >> 12U);
    add(0x80U | (value >> 6U & 0x3FU));
    add(0x80U | (value & 0x3FU));
  } else {
    add(0xF0U | value >> 18U);
    add(0x80U | (value >> 12U & 0x3FU));
    add(0x80U | (value >> 6U & 0x3FU));
    add(0x80U | (value & 0x3FU));
  }
}

bool is_printable(char32_t value) {
  return std::ranges::none_of(
      kUnprintable, [&](const Range& range) { return value >= range.first && value <= range.last; });
}

}  // namespace barman::catalog
