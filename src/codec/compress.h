// Compression and decompression as stages of a data path, on as many cores as they may have.
//
// The input is cut into blocks of a fixed size, and each becomes a frame (member, stream) of its own: every
// program that reads the format reads them in a row, and any number of threads can work on them. What is lost
// is what a block could have learned from the one before; so blocks are several times as large as the
// distance that the method looks back at the usual levels, or, where that would take tens of megabytes a
// worker, as large as memory allows.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "codec/codec.h"
#include "stream/chain.h"

namespace barman::codec {

// Plain bytes in one frame.
std::size_t block_size(Compression kind, int level);

// The cores but one, as the rest of the path wants one too; at least one, and only so many that the stage
// takes no more than 72 MiB.
unsigned default_workers(Compression kind, int level);

// So many whole files, each by its own compressor(), may be compressed at a time: at least one, and only so
// many that they take no more than 72 MiB.
unsigned files_at_a_time(Compression kind, int level);

// Compresses on `workers` threads, at least one, which begin when there is a second block and give way to
// others where cores are short. Holds at most `workers` + 4 blocks and their frames. Nothing in, one empty
// frame out.
stream::Stage compress(Compression kind, int level, unsigned workers);
inline stream::Stage compress(Compression kind, int level) {
  return compress(kind, level, default_workers(kind, level));
}

// The same as one frame (member, stream), for programs that take the first for all: the original's restore
// from a bucket does. gzip, zstd and lz4 use the workers; the others one thread, that of the caller.
stream::Stage compress_in_one_frame(Compression kind, int level, unsigned workers);

// Reads what any program wrote, on the thread of the caller.
stream::Stage decompress(Compression kind);

// The same for a large stream, none if it is not compressed: what follows takes the plain bytes on a thread
// of its own, where some of them wait.
std::vector<stream::Stage> decompress_ahead(const std::optional<Compression>& kind);

}  // namespace barman::codec
