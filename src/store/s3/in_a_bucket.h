// A bucket of a small S3 server, as our store sees it: for tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "os/process.h"
#include "store/s3/bucket.h"
#include "store/s3/fake_s3.h"

namespace barman::store {

// Never waits; counts how often it was told to.
class HastyClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return SystemClock().now(); }
  bool sleep(std::chrono::milliseconds /*pause*/, const std::stop_token& stop) override {
    ++pauses;
    return !stop.stop_requested();
  }
  std::atomic<int> pauses = 0;
};

inline std::optional<std::string> some_keys(const char* name) {
  if (std::string_view(name) == "AWS_ACCESS_KEY_ID") return "key";
  if (std::string_view(name) == "AWS_SECRET_ACCESS_KEY") return "very-secret";
  return std::nullopt;
}

class InABucket : public testing::Test {
 protected:
  std::unique_ptr<S3Bucket> open(S3Form form = {.part_size = 10, .workers = 2},
                                 const std::string& url = "s3://bucket/p") {
    return std::make_unique<S3Bucket>(
        url, "", S3Choices{.endpoint = server.endpoint()}, form,
        BucketParts{.environment = some_keys, .runner = runner, .clock = clock});
  }
  static FakeReply refusal(int status, const std::string& code) {
    return {.status = status, .body = "<Error><Code>" + code + "</Code><Message>no</Message></Error>"};
  }
  static std::string message_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  FakeS3 server;
  HastyClock clock;
  os::LocalRunner runner;
};

}  // namespace barman::store
