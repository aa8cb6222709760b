// Objects in memory: the fake for tests, held to the same contract as the real stores.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "store/object_store.h"

namespace barman::store {

class MemoryStore final : public ObjectStore {
 public:
  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key,
                                                     CreateOptions options = {}) override;
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override;
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override;
  void list(std::string_view prefix, const Visit& visit) override;
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override;
  bool remove(std::string_view key) override;

 private:
  class Pending;

  std::mutex mutex_;  // guards objects_
  std::map<std::string, std::string, std::less<>> objects_;
};

}  // namespace barman::store
