// Objects in a bucket of Amazon S3, or of what speaks its protocol.
#pragma once

#include <string>
#include <vector>

#include "store/bucket.h"
#include "store/s3/client.h"
#include "store/s3/upload.h"

namespace barman::store {

// How objects are written and read.
struct S3Form {
  std::string encryption{};    // "AES256" or "aws:kms"; empty: the bucket's own
  std::string kms_key{};       // with "aws:kms"
  std::string customer_key{};  // 32 bytes, for encryption with a key that the store forgets; secret
  std::size_t part_size = 8UL * 1024 * 1024;
  unsigned workers = 1;                 // parts that are sent at a time
  std::size_t most_parts = kMostParts;  // of one object
};

// Throws kUsage for what does not go together.
void check_form(const S3Form& form);

// The key in a file of base64, "file:///path". Throws kUsage, naming the path, never what is in it.
std::string read_customer_key(const std::string& url);

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

  void create_bucket();

  // The most memory that parts of uploads ever had.
  [[nodiscard]] std::size_t peak_part_bytes() { return memory_.peak_bytes(); }

 private:
  [[nodiscard]] std::string full(std::string_view key) const;
  [[nodiscard]] std::vector<Header> headers_of(const CreateOptions& options) const;
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
};

}  // namespace barman::store
