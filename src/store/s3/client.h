// Requests to one bucket: signed, and made again where that may help.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/aws/credentials.h"
#include "store/http/http.h"
#include "store/http/url.h"
#include "store/s3/answers.h"
#include "store/s3/place.h"

namespace barman::store {

struct S3Request {
  std::string method;
  std::optional<std::string> key{};  // none: the bucket itself
  Query query{};
  std::vector<Header> headers{};
  stream::Bytes body{};                // borrowed; sent again with each attempt
  stream::Content* content = nullptr;  // borrowed; instead of `body`
  bool errors_in_success = false;      // 200 may be followed by an <Error>
  bool cleaning_up = false;            // goes out although a stop is requested, and is tried once
  bool counts_attempts = false;        // the answer's `attempts` are all that there were
};

// May be used from several threads.
class S3Client {
 public:
  // All outlive the client.
  S3Client(S3Settings settings, std::string bucket, CredentialSource& credentials, HttpTransport& transport,
           Clock& clock, std::stop_token stop);

  // The final answer, whatever its status: failures that may pass (the connection, 429, 5xx) were tried
  // again, after growing random pauses; so were expired credentials, a wrong clock, a wrong region and what
  // lacks the digest that buckets with object lock ask for, each once.
  // Throws what HttpTransport::send throws. With `into`, a body that breaks off is not asked for again.
  HttpAnswer send(const S3Request& request, BodyReceiver* into = nullptr);

  // Throws what an answer that is not wanted means: kTransient for 5xx, kRefused for a failed condition,
  // NotLetIn for credentials that are not accepted, else kFailed. The text begins with `doing` ("cannot read
  // x from bucket b"); where a permission is missing it says that it `needs` that ("s3:GetObject").
  [[noreturn]] void refuse(const HttpAnswer& answer, const std::string& doing, std::string_view needs) const;

  // See Bucket::begin_cleaning_up().
  void begin_cleaning_up() { is_cleaning_up_ = true; }

  [[nodiscard]] const std::string& bucket() const { return bucket_; }
  [[nodiscard]] std::string region();
  [[nodiscard]] int attempts() const { return settings_.attempts; }
  // Waits before attempt number `next`, 2 and more. Throws kCancelled.
  void pause_before(int next);

 private:
  struct Lessons {
    bool region = false;
    bool clock = false;
    bool credentials = false;
    bool digest = false;
  };
  HttpAnswer send_once(const S3Request& request, const S3Place& place, std::string_view payload,
                       BodyReceiver* into);
  [[nodiscard]] S3Place place();
  // Whether something was changed that lets another attempt succeed; each thing once.
  bool learn_from(const HttpAnswer& answer, const S3Error& error, const S3Place& asked, Lessons& learned);
  bool learn_region(const HttpAnswer& answer, const S3Error& error, const S3Place& asked);
  bool learn_time(const HttpAnswer& answer, const S3Error& error);
  bool have_expired(const HttpAnswer& answer, const S3Error& error);

  S3Settings settings_;
  const std::string bucket_;
  CredentialSource& credentials_;
  HttpTransport& transport_;
  Clock& clock_;
  const std::stop_token stop_;

  std::mutex mutex_;  // guards place_
  S3Place place_;
  std::atomic<bool> is_cleaning_up_ = false;
  std::atomic<bool> needs_digest_ = false;      // with what is stored: costs time, and only some ask for it
  std::atomic<std::int64_t> skew_seconds_ = 0;  // the server's clock less ours
};

}  // namespace barman::store
