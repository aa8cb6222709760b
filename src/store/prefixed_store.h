// A folder of another store as a store of its own.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "store/object_store.h"

namespace barman::store {

class PrefixedStore final : public ObjectStore {
 public:
  // Keys are those of the store, which outlives this, without `folder` and "/" in front. `store` is asked for
  // it each time, and so may open it at the first.
  PrefixedStore(std::function<ObjectStore&()> store, std::string_view folder)
      : store_(std::move(store)), prefix_(std::string(folder) + "/") {}

  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key,
                                                     CreateOptions options = {}) override;
  void put(std::string_view key, stream::Content& content, CreateOptions options = {}) override;
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override;
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override;
  void list(std::string_view prefix, const Visit& visit) override;
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override;
  bool remove(std::string_view key) override;

 private:
  [[nodiscard]] std::string full(std::string_view key) const;

  const std::function<ObjectStore&()> store_;
  const std::string prefix_;
};

}  // namespace barman::store
