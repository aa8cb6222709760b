// Objects as files below a folder.
#pragma once

#include <filesystem>

#include "store/object_store.h"

namespace barman::store {

// The folder need not exist: it is made with the first object. Names that start with "." and end with ".tmp"
// are files under way: they are never listed.
class DirectoryStore final : public ObjectStore {
 public:
  explicit DirectoryStore(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key,
                                                     CreateOptions options = {}) override;
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override;
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override;
  void list(std::string_view prefix, const Visit& visit) override;
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override;
  bool remove(std::string_view key) override;

 private:
  std::filesystem::path root_;
};

}  // namespace barman::store
