// What a server keeps in a bucket: opened when something is first asked of it, so that a bucket that cannot
// be used hinders only what needs it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "store/bucket.h"

namespace barman::engine {

// The server's folder in the bucket: keys are "base/…" and "wals/…" (engine/server/cloud_keys.h). May be used
// from several threads.
class BucketHome {
 public:
  // Shared, as what opens it may own more than the bucket.
  using Open = std::function<std::shared_ptr<store::Bucket>()>;

  // `url` is "s3://bucket/path", `folder` the server's below it.
  BucketHome(std::string url, std::string folder, Open open)
      : url_(std::move(url)), folder_(std::move(folder)), open_(std::move(open)) {}

  // Throws what opening throws, kUsage above all, each time.
  [[nodiscard]] store::Bucket& bucket();

  [[nodiscard]] const std::string& url() const { return url_; }

  // A key as the bucket has it: "path/server/base/20261122T133001/data.tar".
  [[nodiscard]] std::string full_key(std::string_view key) const;

 private:
  const std::string url_;
  const std::string folder_;
  const Open open_;
  std::mutex mutex_;  // guards bucket_
  std::shared_ptr<store::Bucket> bucket_;
};

}  // namespace barman::engine
