// Objects in memory: the fake for tests, held to the same contract as the real stores, and the place of who
// keeps nothing.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "store/inspection.h"

namespace barman::store {

class MemoryStore final : public Bucket, private Inspection {
 public:
  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key,
                                                     CreateOptions options = {}) override;
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override;
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override;
  void list(std::string_view prefix, const Visit& visit) override;
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override;
  bool remove(std::string_view key) override;

  // As a bucket it is always there and has no locks.
  [[nodiscard]] bool exists() override { return true; }
  [[nodiscard]] std::vector<NotRemoved> remove_all(const std::vector<std::string>& keys,
                                                   std::size_t batch = kLargestBatch) override;
  [[nodiscard]] bool is_locked(std::string_view, Time) override { return false; }
  [[nodiscard]] std::vector<UnfinishedUpload> unfinished_uploads(std::string_view prefix) override;
  void withdraw(const UnfinishedUpload& upload) override;
  [[nodiscard]] Inspection& inspection() override { return *this; }

  // What its clock says from now on: objects and uploads are dated by it. Until then it has none.
  void set_time(Time now);

 private:
  class Pending;
  struct Object {
    std::string text;
    Time modified;
  };
  struct Upload {
    UnfinishedUpload upload;
    std::map<unsigned, std::string> parts;
  };

  [[nodiscard]] BucketState state() override { return {.versioning = "off", .object_lock = "off"}; }
  [[nodiscard]] std::optional<Time> time_there() override;
  [[nodiscard]] Encryption wanted_encryption() const override { return {}; }
  [[nodiscard]] Encryption encryption_of(std::string_view) override { return {}; }
  [[nodiscard]] Conditional store_if_absent(std::string_view key, std::string_view text) override;
  [[nodiscard]] UnfinishedUpload begin_upload(std::string_view key) override;
  [[nodiscard]] std::string send_part(const UnfinishedUpload& upload, unsigned number,
                                      stream::Bytes part) override;
  void complete(const UnfinishedUpload& upload, const std::vector<std::string>& parts) override;
  [[nodiscard]] std::optional<std::uint64_t> uploaded_bytes(const UnfinishedUpload& upload) override;

  [[nodiscard]] Upload& known(const UnfinishedUpload& upload);  // requires the lock

  std::mutex mutex_;  // guards the following
  std::map<std::string, Object, std::less<>> objects_;
  std::map<std::string, Upload> uploads_;  // by id
  std::optional<Time> now_;
  std::size_t uploads_begun_ = 0;
};

}  // namespace barman::store
