// Compressors and decompressors by kind, and their levels.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "codec/detect.h"
#include "stream/filter.h"

namespace barman::codec {

// Makes one frame (member, stream) of the format. Once it has said that it is done it may be used again: what
// comes then is the next frame. With `size` it is told how many bytes the only frame will take, which some
// formats note in front and some save memory by.
std::unique_ptr<stream::Filter> compressor(Compression kind, int level,
                                           std::optional<std::uint64_t> size = {});

// Reads any number of frames in a row, of whatever program.
std::unique_ptr<stream::Filter> decompressor(Compression kind);

// The kind that this name stands for, if it is one: "gzip", also the names that stand for another program
// making the same format: "pigz", "pygzip", "pybzip2".
std::optional<Compression> compression_named(std::string_view name);

// The levels that a kind knows, those that the words of the configuration stand for, and the one for backups
// that say nothing.
struct Levels {
  int lowest = 0;
  int highest = 0;
  int low = 0;
  int medium = 0;
  int high = 0;
  int of_backups = 0;
};
const Levels& levels_of(Compression kind);

// The level for archived WAL that a setting asks for: "low", "medium", "high" in any case, or a number, which
// is moved into the range. Nothing set is medium. Throws kUsage if it is none of these.
int level_of(Compression kind, std::string_view setting);

inline int medium_level(Compression kind) { return levels_of(kind).medium; }

}  // namespace barman::codec
