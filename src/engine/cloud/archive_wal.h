// One WAL file into a bucket.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "codec/detect.h"
#include "store/object_store.h"

namespace barman::engine {

struct CloudWalForm {
  std::optional<codec::Compression> compression{};
  int level = 0;  // of the compression
  std::vector<std::pair<std::string, std::string>> tags{};
};

// Stores the file under its name; an object of this name is replaced, as the original does. Throws kUsage if
// the name is none of a WAL file.
void archive_cloud_wal(store::ObjectStore& store, const std::filesystem::path& path, const CloudWalForm& form,
                       const std::stop_token& stop);

}  // namespace barman::engine
