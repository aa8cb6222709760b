// The bzip2 format, by libbz2.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 1 (blocks of 100 kB) to 9 (900 kB).
std::unique_ptr<stream::Filter> bzip2_compressor(int level);

// Reads any number of streams in a row. Empty input is not of the format.
std::unique_ptr<stream::Filter> bzip2_decompressor();

}  // namespace barman::codec
