// An object by one request.
#pragma once

#include <string_view>
#include <vector>

#include "store/object_store.h"
#include "store/s3/client.h"

namespace barman::store {

inline constexpr std::string_view kNeedsToStore = "s3:PutObject";

// What may be there of the same name, when an object is stored. kSame: these very bytes; kNothing: them only
// if an earlier attempt of this call, whose answer was lost, may have stored them.
enum class MayBeThere { kAnything, kSame, kNothing };
MayBeThere may_be_there(const CreateOptions& options);

// `request` is a PUT of all its bytes. Throws kRefused if there is what may not be. `part_headers` go with
// requests that look at it.
void put_object(S3Client& client, S3Request request, MayBeThere before,
                const std::vector<Header>& part_headers);

// Throws kRefused if there is an object of this key: for stores that know no conditions.
void require_absent(S3Client& client, const std::string& key, const std::vector<Header>& part_headers);

// "cannot store x in bucket b"
std::string storing(const S3Client& client, const std::string& key);

}  // namespace barman::store
