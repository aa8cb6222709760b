// How objects are written into a bucket of S3 and read from it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/http/http.h"
#include "store/object_store.h"
#include "store/s3/upload.h"

namespace barman::store {

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

// The headers that go with a request that reads an object, or a part of one; those that make one need
// create_headers(), which has them too.
std::vector<Header> customer_headers(const S3Form& form);
std::vector<Header> create_headers(const S3Form& form, const CreateOptions& options);

}  // namespace barman::store
