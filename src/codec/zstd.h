// The zstd format (RFC 8878), by libzstd.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "stream/filter.h"

namespace barman::codec {

// `level` is -131072 (fast) to 22 (small). With `size`, the number of bytes to come, the frame tells it, and
// memory is chosen by it; another number of bytes is then kFailed. Each frame ends with a checksum. With
// `workers` that many threads of the library's own work on the frame, on pieces of a few megabytes; 0: the
// caller's thread does.
std::unique_ptr<stream::Filter> zstd_compressor(int level, std::optional<std::uint64_t> size = {},
                                                unsigned workers = 0);

// Reads any number of frames in a row. Empty input is not of the format. Throws kFailed if a frame wants more
// memory than zstd grants without being asked (128 MiB).
std::unique_ptr<stream::Filter> zstd_decompressor();

}  // namespace barman::codec
