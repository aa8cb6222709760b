// An object by one request.
#pragma once

#include <string_view>
#include <vector>

#include "store/s3/client.h"

namespace barman::store {

inline constexpr std::string_view kNeedsToStore = "s3:PutObject";

// `request` is a PUT of all its bytes. With `must_be_new` kRefused is thrown if there is such an object,
// unless it has these very bytes: an earlier attempt whose answer was lost may have stored it. `part_headers`
// go with requests that look at it.
void put_object(S3Client& client, S3Request request, bool must_be_new,
                const std::vector<Header>& part_headers);

// Throws kRefused if there is an object of this key: for stores that know no conditions.
void require_absent(S3Client& client, const std::string& key, const std::vector<Header>& part_headers);

// "cannot store x in bucket b"
std::string storing(const S3Client& client, const std::string& key);

}  // namespace barman::store
