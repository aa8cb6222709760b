// The steps of an upload in parts, each one request. Source: Amazon S3's API (CreateMultipartUpload,
// UploadPart, CompleteMultipartUpload).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/s3/client.h"

namespace barman::store {

// What S3Client::refuse() says of a step that failed.
struct Attempt {
  std::string doing;
  std::string_view needs;
};

// Returns the id of the upload. `create_headers` are those of the object.
std::string begin_multipart(S3Client& client, const std::string& key, std::vector<Header> create_headers,
                            const Attempt& attempt);

// Returns what complete_multipart() wants to know of the part. Numbers begin with 1.
std::string send_part(S3Client& client, const std::string& key, const std::string& id, std::size_t number,
                      stream::Bytes part, std::vector<Header> part_headers, const Attempt& attempt);

// The answer, whatever it is: is_completed() judges it. With `must_be_new` on the condition that there is no
// such object, where the store knows conditions.
HttpAnswer complete_multipart(S3Client& client, const std::string& key, const std::string& id,
                              const std::vector<std::string>& parts, bool must_be_new);

// A success may be none: the answer begins before the parts are put together.
bool is_completed(const HttpAnswer& answer);

}  // namespace barman::store
