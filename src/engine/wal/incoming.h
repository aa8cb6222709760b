// What lies in a folder in which WAL arrives, and what of it is for the archive now.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/wal/archive.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

struct IncomingFile {
  std::string name;
  pgformat::WalName parsed;
};

struct Batch {
  std::vector<IncomingFile> files;   // to archive, in the order of their names, partials last
  std::vector<std::string> unknown;  // no WAL files, or no files at all
  std::size_t present = 0;           // entries of the folder, dot files not counted
};

// Dot files and *.tmp are somebody's work in progress and never touched. Of a streaming folder the newest
// partial stays, or if there is none, the newest segment: it tells the receiver where to go on. At most
// `limit` files are taken (0: all); only real WAL files count. A folder that does not exist is empty.
Batch next_batch(const std::filesystem::path& folder, Archiver archiver, std::size_t limit);

}  // namespace barman::engine
