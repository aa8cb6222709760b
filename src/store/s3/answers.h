// The XML documents of S3. All of it is hostile until parsed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/bucket.h"

namespace barman::store {

// <Error>. Fields that are not there are empty.
struct S3Error {
  std::string code{};
  std::string message{};  // printable, short
  std::string region{};

  bool operator==(const S3Error&) const = default;
};
// Nothing if the document is no <Error>.
std::optional<S3Error> parse_s3_error(std::string_view xml);

struct ListedObject {
  std::string key;
  std::uint64_t size = 0;
  Time modified;
};
struct ListPage {
  std::vector<ListedObject> objects;
  std::vector<std::string> folders;  // common prefixes, with "/" at the end
  std::string next;                  // token of the next page; empty: this is the last
};
// <ListBucketResult> with encoding-type=url. Throws kFailed.
ListPage parse_list_page(std::string_view xml);

// <InitiateMultipartUploadResult>. Throws kFailed.
std::string parse_upload_id(std::string_view xml);

// The keys that <DeleteResult> says were not deleted. Throws kFailed.
std::vector<NotRemoved> parse_delete_result(std::string_view xml);

// "AccessDenied: Access Denied"
std::string reason_text(const S3Error& error);

struct UploadsPage {
  std::vector<UnfinishedUpload> uploads;
  std::string next_key;  // both empty: this is the last page
  std::string next_id;
};
UploadsPage parse_uploads_page(std::string_view xml);

// Of <ListPartsResult>. Throws kFailed.
struct PartsPage {
  std::uint64_t bytes = 0;  // in the parts that it names
  std::string next;         // empty: this is the last
};
PartsPage parse_parts_page(std::string_view xml);

// <VersioningConfiguration> and <ObjectLockConfiguration> as BucketState has them: store/inspection.h.
// Nothing if the document is another.
std::optional<std::string> parse_versioning(std::string_view xml);
std::optional<std::string> parse_object_lock(std::string_view xml);

// What they are told.
std::string complete_document(const std::vector<std::string>& etags);
std::string delete_document(const std::vector<std::string>& keys);
std::string create_bucket_document(std::string_view region);  // empty for us-east-1

}  // namespace barman::store
