// SHA-256, MD5 and base64, as requests to stores need them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "stream/content.h"
#include "stream/stream.h"

namespace barman::store {

using Sha256 = std::array<std::byte, 32>;

Sha256 sha256(stream::Bytes data);
Sha256 sha256(stream::Content& content);
Sha256 hmac_sha256(stream::Bytes key, std::string_view text);
std::string md5_base64(stream::Bytes data);
std::string md5_base64(stream::Content& content);
std::string md5_hex(stream::Bytes data);
std::string md5_hex(stream::Content& content);

std::string hex_text(stream::Bytes data);  // lower case
std::string base64_text(stream::Bytes data);
// Nothing if the text is not base64 with its padding.
std::optional<std::string> parse_base64(std::string_view text);

}  // namespace barman::store
