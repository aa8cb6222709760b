// What a bucket of a provider is besides a store of objects. S3 has one (s3/s3_store.h); Azure Blob Storage
// and Google Cloud Storage get theirs here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/object_store.h"

namespace barman::store {

// An object that is still there, and why.
struct NotRemoved {
  std::string key;
  std::string reason;

  bool operator==(const NotRemoved&) const = default;
};

// An upload in parts that somebody began and nobody finished: it is no object, but takes room.
struct UnfinishedUpload {
  std::string key;
  std::string id;
  Time begun;
};

class Inspection;

class Bucket : public ObjectStore {
 public:
  // Whether the bucket is there. Throws kFailed if the provider does not let us see it.
  [[nodiscard]] virtual bool exists() = 0;

  // Removes objects, as many in one request as the provider takes or `batch` says; those that are not there
  // are no failure. Returns what could not be removed.
  static constexpr std::size_t kLargestBatch = 1000;
  [[nodiscard]] virtual std::vector<NotRemoved> remove_all(const std::vector<std::string>& keys,
                                                           std::size_t batch = kLargestBatch) = 0;

  // Whether a lock of the provider forbids to remove the object now.
  [[nodiscard]] virtual bool is_locked(std::string_view key, Time now) = 0;

  // Of keys that begin with `prefix`; none where the provider keeps no list of them.
  [[nodiscard]] virtual std::vector<UnfinishedUpload> unfinished_uploads(std::string_view prefix) = 0;
  virtual void withdraw(const UnfinishedUpload& upload) = 0;

  // From now on requests go out although a stop is requested, and are tried once each: for taking back what a
  // stopped operation left, and recording that it was.
  virtual void begin_cleaning_up() {}

  // What the provider can be asked besides: store/inspection.h.
  [[nodiscard]] virtual Inspection& inspection() = 0;
};

}  // namespace barman::store
