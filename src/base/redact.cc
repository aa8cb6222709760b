#include "base/redact.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace barman {
namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool starts_with_any_case(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Where a quoted value ends, after its closing quote; a backslash takes the next character along. An
// unclosed quote runs to the end: better to hide too much.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote) at += text[at] == '\\' ? 2U : 1U;
  return std::min(at + 1, text.size());
}

std::size_t end_of_bare(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_blank(text[at]) && text[at] != '&' && text[at] != '\'' && text[at] != '"') {
    at += text[at] == '\\' ? 2U : 1U;
  }
  return std::min(at, text.size());
}

struct SecretSpan {
  std::size_t begin;
  std::size_t end;
};

// A "password = value" whose key begins at `at`.
std::optional<SecretSpan> assigned_secret(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 2> kKeys = {"password", "passphrase"};
  for (const std::string_view key : kKeys) {
    if (!starts_with_any_case(text.substr(at), key)) continue;
    std::size_t next = at + key.size();
    // "password": "x" of JSON and 'password': 'x' of Python
    if (next < text.size() && (text[next] == '"' || text[next] == '\'')) ++next;
    next = skip_blanks(text, next);
    const bool in_dictionary = next < text.size() && text[next] == ':' && next > at + key.size();
    if (next >= text.size() || (text[next] != '=' && !in_dictionary)) return std::nullopt;
    const std::size_t begin = skip_blanks(text, next + 1);
    if (begin >= text.size()) return std::nullopt;
    const bool quoted = text[begin] == '\'' || text[begin] == '"';
    const std::size_t end = quoted ? end_of_quoted(text, begin) : end_of_bare(text, begin);
    if (begin == end) return std::nullopt;
    return SecretSpan{begin, end};
  }
  return std::nullopt;
}

// The password of the URI whose scheme begins at `at`: between the first ":" and the last "@" of the part
// before the path.
std::optional<SecretSpan> uri_secret(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 2> kSchemes = {"postgres://", "postgresql://"};
  for (const std::string_view scheme : kSchemes) {
    if (!starts_with_any_case(text.substr(at), scheme)) continue;
    const std::size_t begin = at + scheme.size();
    std::size_t word = begin;
    while (word < text.size() && !is_blank(text[word])) ++word;
    // A password may hold "/" or "?" unencoded by mistake: look for the "@" in the whole word first.
    const std::string_view authority = text.substr(begin, word - begin);
    const std::size_t sign = authority.rfind('@');
    if (sign == std::string_view::npos) return std::nullopt;
    const std::size_t colon = authority.find(':');
    if (colon == std::string_view::npos || colon > sign || colon + 1 == sign) return std::nullopt;
    return SecretSpan{begin + colon + 1, begin + sign};
  }
  return std::nullopt;
}

}  // namespace

std::string redact(std::string_view text) {
  std::string result;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::optional<SecretSpan> secret;
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
    if (c == 'p') {
      secret = uri_secret(text, at);
      if (!secret) secret = assigned_secret(text, at);
    }
    if (!secret) {
      ++at;
      continue;
    }
    result += text.substr(kept, secret->begin - kept);
    result += kRedacted;
    kept = at = secret->end;
  }
  result += text.substr(kept);
  return result;
}

}  // namespace barman
