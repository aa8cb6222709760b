// Python literals: what the Python Barman writes into the structured fields of backup.info with repr() and
// reads with ast.literal_eval().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace barman::catalog {

// None, a bool, a number, a string, a list, a tuple or a dict.
struct Literal {
  using List = std::vector<Literal>;
  struct Tuple {
    std::vector<Literal> items;
  };
  struct Entry;
  struct Dict {
    std::vector<Entry> items;  // in the order of the text
  };

  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Tuple, Dict> value;

  // The value stored under a text key; null if this is no dict or has no such key (the last one counts).
  [[nodiscard]] const Literal* find(std::string_view key) const;
  // Null if this is of another type.
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value); }
  [[nodiscard]] const std::vector<Literal>* items() const;  // of a list or a tuple
};

struct Literal::Entry {
  Literal key;
  Literal value;
};

// Parses a whole text: strings of all quote kinds and prefixes, escapes, adjacent strings, numbers, nested
// containers with trailing commas. Lone surrogates (how Python carries undecodable bytes) become those bytes.
// Throws kCorrupt on anything else, on more than 32 levels, and on integers beyond 64 bits.
Literal parse_literal(std::string_view text);

// As Python's repr() writes it.
std::string format_literal(const Literal& literal);
std::string format_literal(std::string_view text);

// A float as repr() writes it: the shortest text that reads back as the same value, "1406019026.0".
std::string format_python_float(double value);

}  // namespace barman::catalog
