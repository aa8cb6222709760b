// What the server keeps, and how it answers.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "memory_s3/connection.h"

namespace barman::bench {

// May be used from several threads. Bodies are neither looked at nor copied.
class Buckets {
 public:
  [[nodiscard]] Answer answer(const Request& request);

 private:
  struct Object {
    std::vector<SharedBlob> blobs;
    std::size_t size = 0;
    std::string etag;
    std::chrono::system_clock::time_point modified;
  };
  using Objects = std::map<std::string, Object>;
  struct Upload {
    std::string bucket;
    std::string key;
    std::map<int, SharedBlob> parts{};
  };

  Answer of_bucket(const Request& request, const std::string& name);
  Answer of_object(const Request& request, Objects& objects, const std::string& bucket,
                   const std::string& key);
  Answer of_upload(const Request& request, Objects& objects, const std::string& key);
  Answer put(const Request& request, Objects& objects, const std::string& key, Object object);
  static Answer get(const Request& request, const Object& object);
  static Answer list(const Request& request, const Objects& objects);
  [[nodiscard]] Answer list_uploads(const Request& request, const std::string& bucket) const;
  static Answer remove_many(const Request& request, Objects& objects);
  std::string new_etag(const std::string& end = "");

  std::mutex mutex_;  // guards the following
  std::map<std::string, Objects> buckets_;
  std::map<std::string, Upload> uploads_;
  unsigned long made_ = 0;  // uploads and sums
};

}  // namespace barman::bench
