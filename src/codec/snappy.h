// The framing format of snappy, as python-snappy and snzip write it. The blocks are made by libsnappy, the
// frames by us.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

std::unique_ptr<stream::Filter> snappy_compressor();

// Reads any number of streams in a row. Empty input is not of the format. The format does not mark its end:
// what is cut off between two blocks is not missed.
std::unique_ptr<stream::Filter> snappy_decompressor();

}  // namespace barman::codec
