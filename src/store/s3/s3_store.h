// Objects in a bucket of Amazon S3, or of what speaks its protocol.
#pragma once

#include <string>
#include <vector>

#include "store/bucket.h"
#include "store/s3/client.h"
#include "store/s3/form.h"
#include "store/s3/s3_inspection.h"

namespace barman::store {

// Uploads of all threads together hold part_memory_bytes(part_size, workers) of parts; one that is known to
// be small may be one larger part (CreateOptions::expected_bytes).
//
// All keys are below `root` ("" or "a/b"), which nobody sees. Objects of other people whose names could not
// be ours ("a//b", "../x", "folder/") are not listed.
class S3Store final : public Bucket {
 public:
  S3Store(S3Client& client, const std::string& root, S3Form form);

  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key,
                                                     CreateOptions options = {}) override;
  void put(std::string_view key, stream::Content& content, CreateOptions options = {}) override;
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override;
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override;
  void list(std::string_view prefix, const Visit& visit) override;
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override;
  bool remove(std::string_view key) override;

  [[nodiscard]] bool exists() override;
  [[nodiscard]] std::vector<NotRemoved> remove_all(const std::vector<std::string>& keys,
                                                   std::size_t batch = kLargestBatch) override;
  [[nodiscard]] bool is_locked(std::string_view key, Time now) override;
  [[nodiscard]] std::vector<UnfinishedUpload> unfinished_uploads(std::string_view prefix) override;
  void withdraw(const UnfinishedUpload& upload) override;
  void begin_cleaning_up() override { client_.begin_cleaning_up(); }
  [[nodiscard]] Inspection& inspection() override { return inspection_; }

  void create_bucket();

  // The most memory that parts of uploads ever had.
  [[nodiscard]] std::size_t peak_part_bytes() { return memory_.peak_bytes(); }

 private:
  [[nodiscard]] std::string full(std::string_view key) const;
  // The key below the root, if it is one of ours.
  [[nodiscard]] std::optional<std::string> own(std::string_view full_key) const;
  // Nothing if there is no such object; anything else but success is thrown.
  [[nodiscard]] std::optional<HttpAnswer> head(std::string_view key);
  void list_pages(std::string_view prefix, bool one_level, const std::function<bool(const ListPage&)>& visit);
  std::vector<NotRemoved> remove_batch(const std::vector<std::string>& keys);
  std::vector<NotRemoved> remove_singly(const std::vector<std::string>& keys);

  S3Client& client_;
  const std::string root_;  // empty or with "/" at the end
  const S3Form form_;
  const std::vector<Header> customer_headers_;
  PartMemory memory_;
  S3Inspection inspection_;
};

}  // namespace barman::store
