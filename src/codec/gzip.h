// The gzip format (RFC 1952), by zlib.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 1 (fast) to 9 (small).
std::unique_ptr<stream::Filter> gzip_compressor(int level);

// Reads any number of members in a row, and ignores zero bytes after the last one, as gzip does.
// Empty input is not of the format.
std::unique_ptr<stream::Filter> gzip_decompressor();

}  // namespace barman::codec
