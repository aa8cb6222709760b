// Hides secrets in text that people or files will keep.
#pragma once

#include <string>
#include <string_view>

namespace barman {

inline constexpr std::string_view kRedacted = "*REDACTED*";

// The text with the values of password=…, passphrase=… and sslpassword=… (bare, '…' or "…", any case) and the
// passwords in postgres:// and postgresql:// URIs (before the "@" and as a parameter) replaced by kRedacted.
// Everything else stays as it is.
std::string redact(std::string_view text);

}  // namespace barman
