// The gzip format in one member, however long: for readers that take the first for all.
#pragma once

#include <memory>

#include "stream/filter.h"

namespace barman::codec {

// `level` is 1 (fast) to 9 (small).
std::unique_ptr<stream::Filter> gzip_member_compressor(int level);

}  // namespace barman::codec
