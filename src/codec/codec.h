// Compressors and decompressors by kind. Those of this build: gzip and bzip2.
#pragma once

#include <memory>

#include "codec/detect.h"
#include "stream/filter.h"

namespace barman::codec {

// Both are empty pointers if this build does not have the codec.
std::unique_ptr<stream::Filter> compressor(Compression kind, int level);
std::unique_ptr<stream::Filter> decompressor(Compression kind);

// The level that "medium" stands for in the configuration.
int medium_level(Compression kind);

}  // namespace barman::codec
