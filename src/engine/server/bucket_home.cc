#include "engine/server/bucket_home.h"

#include "base/error.h"
#include "store/s3/place.h"

namespace barman::engine {

store::Bucket& BucketHome::bucket() {
  const std::lock_guard lock(mutex_);
  if (!bucket_) bucket_ = during("opening " + url_, open_);
  return *bucket_;
}

std::string BucketHome::full_key(std::string_view key) const {
  const std::string path = store::parse_s3_url(url_).path;
  return (path.empty() ? "" : path + "/") + folder_ + "/" + std::string(key);
}

}  // namespace barman::engine
