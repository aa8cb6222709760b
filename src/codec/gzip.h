// The gzip format (RFC 1952): what we write by libdeflate, in members of 1 MB; what others wrote, and single
// members of any length, by zlib.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 1 (fast) to 9 (small). Members name their sizes in an extra field, which other readers ignore.
std::unique_ptr<stream::Filter> gzip_compressor(int level);

// One member, however long: for readers that take the first for all.
std::unique_ptr<stream::Filter> gzip_member_compressor(int level);

// Reads any number of members in a row, and ignores zero bytes after the last one, as gzip does.
// Empty input is not of the format.
std::unique_ptr<stream::Filter> gzip_decompressor();

}  // namespace barman::codec
