// The parts of a URL, and the percent signs in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace barman::store {

struct Url {
  std::string scheme;  // lower case
  std::string host;    // with ":port" if it has one
  std::string path;    // from the first "/" on, still encoded; may be empty

  bool operator==(const Url&) const = default;
};

// Nothing if there is no "scheme://host" in front, or if it holds a user, blanks or control characters.
std::optional<Url> parse_url(std::string_view text);

// Everything but letters, digits and "-_.~" becomes %XX; with `keep_slashes` also "/" stays.
std::string percent_encode(std::string_view text, bool keep_slashes = false);

// "%2F" becomes "/". What is no escape stays as it is.
std::string percent_decode(std::string_view text);

// "a=1&b=": encoded, ordered by name.
using Query = std::vector<std::pair<std::string, std::string>>;
std::string query_text(Query query);

}  // namespace barman::store
