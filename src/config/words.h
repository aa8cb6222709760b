// Blanks and letter case as the configuration's formats see them: ASCII, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace barman::config {

inline constexpr std::string_view kBlanks = " \t\n\v\f\r";

inline bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// Without the blanks at both ends; a part of `text`.
std::string_view trimmed(std::string_view text);

std::string lower(std::string_view text);

}  // namespace barman::config
