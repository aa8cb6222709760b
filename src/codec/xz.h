// The xz format, by liblzma.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 0 (fast) to 9 (small), a preset of xz. With `size`, the number of bytes to come, no larger
// dictionary is taken than these fill; it saves memory, of which xz takes eleven dictionaries.
std::unique_ptr<stream::Filter> xz_compressor(int level, std::optional<std::uint64_t> size = {});

// Reads any number of streams in a row, with padding between them. Empty input is not of the format. Throws
// kFailed if a stream needs more than 128 MiB of memory; xz -9 needs 65.
std::unique_ptr<stream::Filter> xz_decompressor();

}  // namespace barman::codec
