// What a stored file is, told by its first bytes: archived WAL never has a suffix in its name.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "stream/stream.h"

namespace barman::codec {

enum class Compression { kBzip2, kGzip, kLz4, kSnappy, kXz, kZstd };

// The name used in the configuration and in the xlogdb: "gzip".
std::string_view name_of(Compression compression);

// As many bytes as detection looks at; a shorter file is judged by what it has.
inline constexpr std::size_t kDetectBytes = 16;

// Nothing if the bytes start no compressed stream that we know.
std::optional<Compression> detect_compression(stream::Bytes front);

// Whether the bytes start an encrypted OpenPGP message: a packet with an encrypted session key (RFC 9580,
// tags 1 and 3), whatever the kind of key.
bool is_openpgp_encrypted(stream::Bytes front);

}  // namespace barman::codec
