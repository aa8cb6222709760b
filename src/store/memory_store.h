// Objects in memory: the fake for tests, held to the same contract as the real stores.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "store/bucket.h"

namespace barman::store {

class MemoryStore final : public Bucket {
 public:
  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key,
                                                     CreateOptions options = {}) override;
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override;
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override;
  void list(std::string_view prefix, const Visit& visit) override;
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override;
  bool remove(std::string_view key) override;

  // As a bucket it is always there, has no locks and no uploads that are unfinished.
  [[nodiscard]] bool exists() override { return true; }
  [[nodiscard]] std::vector<NotRemoved> remove_all(const std::vector<std::string>& keys,
                                                   std::size_t batch = kLargestBatch) override;
  [[nodiscard]] bool is_locked(std::string_view, Time) override { return false; }
  [[nodiscard]] std::vector<UnfinishedUpload> unfinished_uploads(std::string_view) override { return {}; }
  void withdraw(const UnfinishedUpload&) override {}

 private:
  class Pending;

  std::mutex mutex_;  // guards objects_
  std::map<std::string, std::string, std::less<>> objects_;
};

}  // namespace barman::store
