// The gzip format (RFC 1952): what we write by libdeflate, in members of 1 MB; what others wrote, by
// zlib. A single member of any length: one_frame.cc.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 1 (fast) to 9 (small). Members name their sizes in an extra field, which other readers ignore.
std::unique_ptr<stream::Filter> gzip_compressor(int level);

// Reads any number of members in a row, and ignores zero bytes after the last one, as gzip does.
// Empty input is not of the format.
std::unique_ptr<stream::Filter> gzip_decompressor();

}  // namespace barman::codec
