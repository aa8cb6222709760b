// The lz4 frame format, by liblz4.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 0 (fast) to 16 (small; from 12 on nothing changes). Frames and blocks end with checksums.
std::unique_ptr<stream::Filter> lz4_compressor(int level);

// Reads any number of frames in a row. Empty input is not of the format.
std::unique_ptr<stream::Filter> lz4_decompressor();

}  // namespace barman::codec
