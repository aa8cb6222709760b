// What a provider can be asked of a bucket beyond storing objects, and the steps of storing them one by one:
// for those who want to see whether each works (engine/check_bucket). S3 has one (s3/s3_inspection.h); other
// providers get theirs beside their bucket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/bucket.h"
#include "stream/stream.h"

namespace barman::store {

// How a bucket treats what is in it, in words for a person; nothing: the provider does not tell, or not us.
struct BucketState {
  std::optional<std::string> versioning{};   // "off", "on", "suspended"
  std::optional<std::string> object_lock{};  // "off", "on", "on, 30 days (GOVERNANCE) for new objects"

  bool operator==(const BucketState&) const = default;
};

// How an object is encrypted at rest.
struct Encryption {
  std::string method{};  // "AES256", "aws:kms", "customer key"; empty: not at all, or nobody says
  std::string key{};     // the name of the key, if there is one

  bool operator==(const Encryption&) const = default;
};

// What became of an object that was to be stored only if there is none of its name, where there was one.
enum class Conditional {
  kRefused,      // as it should be
  kReplaced,     // the condition was ignored
  kUnsupported,  // the store said that it knows no conditions, and stored nothing
};

// The provider does not know who we are: nothing else will work either.
class NotLetIn final : public Error {
 public:
  explicit NotLetIn(const std::string& message) : Error(ErrorKind::kFailed, message) {}
};

// Keys are those of the bucket. May be used from several threads. Failures are thrown as those of a store;
// the message names the permission that is missing as the provider calls it.
class Inspection {
 public:
  virtual ~Inspection() = default;

  [[nodiscard]] virtual BucketState state() = 0;
  // The provider's clock, to the second; nothing if it does not tell.
  [[nodiscard]] virtual std::optional<Time> time_there() = 0;

  // As the options want new objects to be; and as the provider says that one is.
  [[nodiscard]] virtual Encryption wanted_encryption() const = 0;
  [[nodiscard]] virtual Encryption encryption_of(std::string_view key) = 0;

  // `key` is that of an object that is there.
  [[nodiscard]] virtual Conditional store_if_absent(std::string_view key, std::string_view text) = 0;

  // An upload in parts. Numbers begin with 1; all parts but the last have the size that the provider asks
  // for. What send_part() returns, in the order of the numbers, is for complete().
  [[nodiscard]] virtual UnfinishedUpload begin_upload(std::string_view key) = 0;
  [[nodiscard]] virtual std::string send_part(const UnfinishedUpload& upload, unsigned number,
                                              stream::Bytes part) = 0;
  virtual void complete(const UnfinishedUpload& upload, const std::vector<std::string>& parts) = 0;
  // What the parts take that arrived; nothing if the provider does not tell, or the upload is gone.
  [[nodiscard]] virtual std::optional<std::uint64_t> uploaded_bytes(const UnfinishedUpload& upload) = 0;
};

}  // namespace barman::store
