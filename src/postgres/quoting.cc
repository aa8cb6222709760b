#include "postgres/quoting.h"

namespace barman::postgres {

namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result += quote;
}

}  // namespace

std::string quote_literal(std::string_view text) { return quoted(text, '\''); }

std::string quote_name(std::string_view text) { return quoted(text, '"'); }

}  // namespace barman::postgres
