#include "store/s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "os/durable_file.h"
#include "os/process.h"
#include "os/test_folder.h"
#include "store/s3/bucket.h"
#include "store/s3/fake_s3.h"
#include "stream/memory.h"

namespace barman::store {
namespace {

using testing::HasSubstr;

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

std::optional<std::string> some_keys(const char* name) {
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

TEST_F(InABucket, SmallObjectsAreOneRequest) {
  const auto bucket = open();
  write_text(bucket->store(), "a/b", "0123456789");
  EXPECT_EQ(server.seen().size(), 1U);
  EXPECT_EQ(server.objects().at("/bucket/p/a/b"), "0123456789");
}

TEST_F(InABucket, LargeObjectsAreSentInEqualParts) {
  const auto bucket = open();
  write_text(bucket->store(), "x", "0123456789abcdefghijABC");
  EXPECT_EQ(server.objects().at("/bucket/p/x"), "0123456789abcdefghijABC");
  std::multiset<std::size_t> sizes;
  for (const SeenRequest& request : server.seen()) {
    if (request.method == "PUT") sizes.insert(request.body.size());
  }
  EXPECT_EQ(sizes, (std::multiset<std::size_t>{10, 10, 3}));
  EXPECT_EQ(server.unfinished(), 0U);
}

TEST_F(InABucket, AnUploadThatIsDroppedIsWithdrawn) {
  const auto bucket = open();
  {
    const auto sink = bucket->store().create("x");
    sink->write(stream::bytes_of("0123456789abcdefghijABC"));
  }
  EXPECT_EQ(server.unfinished(), 0U);
  EXPECT_TRUE(server.objects().empty());
}

// Whatever request of an upload in three parts fails for a moment, and however, the object arrives.
TEST_F(InABucket, PassingTroubleAtAnyRequestOfAnUploadIsOvercome) {
  const std::vector<FakeReply> troubles{refusal(503, "SlowDown"),
                                        refusal(500, "InternalError"),
                                        {.status = 429},
                                        {.drop = true},
                                        refusal(400, "RequestTimeout")};
  for (std::size_t kind = 0; kind < troubles.size(); ++kind) {
    for (int n = 1; n <= 5; ++n) {
      const auto bucket = open();
      server.make_trouble([&](int number, const SeenRequest&) {
        return number == n ? std::optional(troubles[kind]) : std::nullopt;
      });
      const std::string key = "x" + std::to_string(kind) + "-" + std::to_string(n);
      write_text(bucket->store(), key, "0123456789abcdefghijABC");
      EXPECT_EQ(server.objects().at("/bucket/p/" + key), "0123456789abcdefghijABC") << kind << " at " << n;
    }
  }
  EXPECT_GE(clock.pauses, 20);  // libcurl itself sends again what met a connection that was closed meanwhile
}

// Whatever request fails for good, the upload fails, nothing appears and nothing is left.
TEST_F(InABucket, LastingTroubleAtAnyRequestOfAnUploadLeavesNothing) {
  for (int n = 1; n <= 5; ++n) {
    const auto bucket = open();
    server.make_trouble([&](int number, const SeenRequest& request) {
      return number >= n && request.method != "DELETE" ? std::optional(refusal(403, "AccessDenied"))
                                                       : std::nullopt;
    });
    EXPECT_THROW(write_text(bucket->store(), "x", "0123456789abcdefghijABC"), Error) << n;
    EXPECT_TRUE(server.objects().empty());
    EXPECT_EQ(server.unfinished(), 0U);
  }
}

TEST_F(InABucket, AnErrorInsideASuccessIsSeen) {
  const auto bucket = open();
  server.make_trouble([&](int, const SeenRequest& request) {
    const bool completes = request.method == "POST" && request.query.starts_with("uploadId");
    return completes ? std::optional(
                           FakeReply{.status = 200, .body = "\n<Error><Code>InternalError</Code></Error>"})
                     : std::nullopt;
  });
  EXPECT_THROW(write_text(bucket->store(), "x", "0123456789abcdefghijABC"), Error);
  EXPECT_TRUE(server.objects().empty());
  EXPECT_EQ(clock.pauses, 4);
}

TEST_F(InABucket, AnUploadWhoseCompletionWasNotHeardOfIsComplete) {
  const auto bucket = open();
  bool lost = false;
  server.make_trouble([&](int, const SeenRequest& request) -> std::optional<FakeReply> {
    if (request.method != "POST" || !request.query.starts_with("uploadId")) return std::nullopt;
    if (std::exchange(lost, true)) return std::nullopt;
    return FakeReply{.drop = true};
  });
  write_text(bucket->store(), "x", "0123456789abcdefghijABC");
  EXPECT_EQ(server.objects().at("/bucket/p/x"), "0123456789abcdefghijABC");
}

TEST_F(InABucket, ANewObjectWhoseStoringWasNotHeardOfIsStored) {
  const auto bucket = open();
  // As if an answer had been lost: the object is there, and this is the next attempt.
  server.put("/bucket/p/x", "small");
  const auto create = [&](std::string_view text) {
    const auto sink = bucket->store().create("x", {.must_be_new = true});
    sink->write(stream::bytes_of(text));
    sink->finish();
  };
  create("small");
  EXPECT_THROW(create("other"), Error);
  EXPECT_EQ(server.objects().at("/bucket/p/x"), "small");
}

TEST_F(InABucket, AReadGoesOnWhereTheConnectionBroke) {
  const auto bucket = open();
  server.put("/bucket/p/x", "0123456789abcdefghij");
  server.make_trouble([&](int number, const SeenRequest& request) -> std::optional<FakeReply> {
    if (number > 3) return std::nullopt;
    const auto range = request.headers.find("range");
    const std::size_t from = range == request.headers.end() ? 0 : std::stoull(range->second.substr(6));
    return FakeReply{.status = from > 0 ? 206 : 200,
                     .headers = {{"etag", FakeS3::etag_of("0123456789abcdefghij")}},
                     .body = std::string("0123456789abcdefghij").substr(from),
                     .cut_after = 4};
  });
  EXPECT_EQ(read_text(bucket->store(), "x"), "0123456789abcdefghij");
  EXPECT_EQ(server.seen().size(), 4U);
  EXPECT_EQ(server.seen().back().headers.at("range"), "bytes=12-");
}

TEST_F(InABucket, AnObjectThatIsReplacedWhileItIsReadIsNoMixture) {
  const auto bucket = open();
  server.put("/bucket/p/x", "new-new-new");
  server.make_trouble([&](int number, const SeenRequest&) {
    return number == 1 ? std::optional(FakeReply{
                             .headers = {{"etag", "\"old\""}}, .body = "old-old-old", .cut_after = 3})
                       : std::nullopt;
  });
  EXPECT_THROW((void)read_text(bucket->store(), "x"), Error);
}

TEST_F(InABucket, AReadThatNeverEndsFails) {
  const auto bucket = open();
  server.make_trouble([](int, const SeenRequest&) { return std::optional(FakeReply{.drop = true}); });
  EXPECT_THROW((void)read_text(bucket->store(), "x"), Error);
  EXPECT_EQ(server.seen().size(), 5U);
}

TEST_F(InABucket, ListsMoreThanAPage) {
  const auto bucket = open();
  server.page = 3;
  std::vector<std::string> keys;
  for (char c = 'a'; c < 'k'; ++c) {
    keys.push_back(std::string("d/") + c + "&<%+ é");
    server.put("/bucket/p/" + keys.back(), "1");
  }
  std::vector<std::string> listed;
  bucket->store().list("", [&](const ObjectInfo& info) {
    listed.push_back(info.key);
    EXPECT_EQ(info.size, 1U);
    EXPECT_NE(info.modified, Time{});
    return true;
  });
  EXPECT_EQ(listed, keys);
  EXPECT_EQ(bucket->store().children("d").size(), keys.size());
}

TEST_F(InABucket, NamesThatCouldNotBeOursAreNotListed) {
  const auto bucket = open();
  for (const char* key :
       {"/bucket/p/", "/bucket/p/a/", "/bucket/p/../x", "/bucket/p//y", "/bucket/pq", "/bucket/p/good"}) {
    server.put(key, "1");
  }
  std::vector<std::string> listed;
  bucket->store().list("", [&](const ObjectInfo& info) {
    listed.push_back(info.key);
    return true;
  });
  EXPECT_EQ(listed, std::vector<std::string>{"good"});
}

TEST_F(InABucket, RemovesInBatchesAndSinglyWhereThereAreNone) {
  for (const bool batches : {true, false}) {
    server.has_batch_delete = batches;
    const auto bucket = open();
    std::vector<std::string> keys;
    for (int i = 0; i < 5; ++i) {
      keys.push_back("k" + std::to_string(i));
      server.put("/bucket/p/" + keys.back(), "1");
    }
    EXPECT_TRUE(bucket->store().remove_all(keys, 2).empty());
    EXPECT_TRUE(server.objects().empty()) << batches;
  }
}

TEST_F(InABucket, ReportsWhatABatchCouldNotRemove) {
  const auto bucket = open();
  server.make_trouble([](int, const SeenRequest&) {
    return std::optional(FakeReply{
        .body = "<DeleteResult><Error><Key>p/k</Key><Code>AccessDenied</Code></Error></DeleteResult>"});
  });
  const auto failed = bucket->store().remove_all({"k"});
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].key, "k");
  EXPECT_EQ(failed[0].reason.substr(0, 12), "AccessDenied");
}

TEST_F(InABucket, FindsAndWithdrawsUploadsOfDeadRuns) {
  const auto bucket = open();
  auto dead = bucket->store().create("x");
  dead->write(stream::bytes_of("0123456789abcdefghij"));
  auto uploads = bucket->store().unfinished_uploads("");
  ASSERT_EQ(uploads.size(), 1U);
  EXPECT_EQ(uploads[0].key, "x");
  bucket->store().withdraw(uploads[0]);
  EXPECT_TRUE(bucket->store().unfinished_uploads("").empty());
}

TEST_F(InABucket, SaysWhatIsWrongWithoutSecrets) {
  const auto absent = open({}, "s3://nowhere/p");
  EXPECT_FALSE(absent->store().exists());
  EXPECT_THAT(message_of([&] { write_text(absent->store(), "x", "1"); }),
              HasSubstr("there is no bucket nowhere"));
  EXPECT_THAT(message_of([&] { (void)read_text(absent->store(), "x"); }),
              HasSubstr("there is no bucket nowhere"));
  const auto bucket = open();
  server.make_trouble(
      [&](int, const SeenRequest&) { return std::optional(refusal(403, "SignatureDoesNotMatch")); });
  const std::string message = message_of([&] { write_text(bucket->store(), "x", "1"); });
  EXPECT_THAT(message, HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(message, testing::Not(HasSubstr("very-secret")));
}

TEST_F(InABucket, NobodyThereIsUnreachable) {
  const auto bucket =
      std::make_unique<S3Bucket>("s3://bucket", "", S3Choices{.endpoint = "http://127.0.0.1:1"}, S3Form{},
                                 BucketParts{.environment = some_keys, .runner = runner, .clock = clock});
  EXPECT_THROW((void)bucket->store().exists(), Unreachable);
}

TEST_F(InABucket, AsksForEncryptionAndTags) {
  const auto bucket = open({.encryption = "aws:kms", .kms_key = "k1", .part_size = 10});
  const auto sink = bucket->store().create("x", {.tags = {{"a b", "1&2"}, {"c", "d"}}});
  sink->finish();
  const auto headers = server.seen().back().headers;
  EXPECT_EQ(headers.at("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(headers.at("x-amz-server-side-encryption-aws-kms-key-id"), "k1");
  EXPECT_EQ(headers.at("x-amz-tagging"), "a%20b=1%262&c=d");
  EXPECT_THROW((void)open({.kms_key = "k1"}), Error);
  EXPECT_THROW((void)open({.encryption = "AES256", .customer_key = std::string(32, 'k')}), Error);
}

TEST_F(InABucket, TheCustomersKeyGoesWithEveryPartAndEveryRead) {
  const auto bucket = open({.customer_key = std::string(32, 'k'), .part_size = 10});
  write_text(bucket->store(), "x", "0123456789abc");
  (void)read_text(bucket->store(), "x");
  for (const SeenRequest& request : server.seen()) {
    const bool completes = request.method == "POST" && request.query.starts_with("uploadId");
    EXPECT_EQ(request.headers.contains("x-amz-server-side-encryption-customer-key"), !completes)
        << request.query;
  }
}

TEST(CustomerKey, IsThirtyTwoBytesInAFile) {
  const os::TestFolder folder;
  const auto write = [&](const std::string& text) { os::write_file(folder / "key", text); };
  const std::string url = "file://" + (folder / "key").string();
  EXPECT_THROW((void)read_customer_key(url), Error);
  write("a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n");
  EXPECT_EQ(read_customer_key(url), std::string(32, 'k'));
  write("a2s=");
  EXPECT_THROW((void)read_customer_key(url), Error);
  write("no base64");
  EXPECT_THROW((void)read_customer_key(url), Error);
  EXPECT_THROW((void)read_customer_key((folder / "key").string()), Error);
  EXPECT_THROW((void)read_customer_key("file://relative"), Error);
}

TEST_F(InABucket, FollowsTheBucketToItsRegionAndTheServersClock) {
  const auto bucket = open();
  server.make_trouble([&](int number, const SeenRequest& request) -> std::optional<FakeReply> {
    if (number == 1) {
      return FakeReply{
          .status = 400,
          .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"};
    }
    EXPECT_THAT(request.headers.at("authorization"), HasSubstr("/eu-west-3/s3/"));
    if (number == 2) {
      return FakeReply{.status = 403,
                       .headers = {{"date", "Sun, 22 Nov 2043 13:38:18 GMT"}},
                       .body = "<Error><Code>RequestTimeTooSkewed</Code></Error>"};
    }
    EXPECT_THAT(request.headers.at("x-amz-date"), testing::StartsWith("20431122T1338"));
    return std::nullopt;
  });
  write_text(bucket->store(), "x", "1");
  EXPECT_EQ(server.objects().size(), 1U);
}

}  // namespace
}  // namespace barman::store
