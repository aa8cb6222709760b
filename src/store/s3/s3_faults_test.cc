#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "store/s3/in_a_bucket.h"
#include "stream/memory.h"

// What goes wrong between us and a bucket: passing trouble is overcome, lasting trouble said, nothing is
// left.
namespace barman::store {
namespace {

using testing::HasSubstr;

std::optional<std::string> one_attempt(const char* name) {
  if (std::string_view(name) == "AWS_MAX_ATTEMPTS") return "1";
  return some_keys(name);
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

TEST_F(InABucket, TheSameBytesAreAnothersUnlessAnAttemptOfOursMayHaveStoredThem) {
  const auto bucket = open();
  server.put("/bucket/p/x", "small");
  const auto create = [&] {
    const auto sink = bucket->store().create("x", {.must_be_new = true, .same_is_taken = true});
    sink->write(stream::bytes_of("small"));
    sink->finish();
  };
  EXPECT_THAT(failure(ErrorKind::kRefused, create), HasSubstr("exists already"));
  server.make_trouble([](int number, const SeenRequest&) {
    return number == 1 ? std::optional(FakeReply{.drop = true}) : std::nullopt;
  });
  create();
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

constexpr std::string_view kText = "0123456789abcdefghijABC";  // three parts

// Another writer at the same moment: what is sent again is all of it.
TEST_F(InABucket, AConflictIsTriedAgainWithTheWholeBody) {
  const auto bucket = open();
  server.make_trouble([](int number, const SeenRequest&) {
    return number == 1 ? std::optional(refusal(409, "ConditionalRequestConflict")) : std::nullopt;
  });
  const auto sink = bucket->store().create("x", {.must_be_new = true});
  sink->write(stream::bytes_of("012345678"));
  sink->finish();
  EXPECT_EQ(server.objects().at("/bucket/p/x"), "012345678");
  EXPECT_EQ(server.seen().back().headers.at("if-none-match"), "*");
}

// What is sent stops in the middle of the body, in either direction, and is sent or asked for again.
TEST_F(InABucket, AConnectionThatIsResetInTheMiddleOfABodyIsMadeAgain) {
  const std::string large(3'000'000, 'x');
  const auto bucket = open({.part_size = 1'000'000, .workers = 2});
  for (int n = 1; n <= 3; ++n) {
    int parts = 0;
    server.reset_when(
        [&](const SeenRequest& head) { return head.query.starts_with("partNumber") && ++parts == n; });
    write_text(bucket->store(), "x", large);
    EXPECT_GT(parts, 3) << n;
    EXPECT_TRUE(server.objects().at("/bucket/p/x") == large) << n;
  }
  server.reset_when([](const SeenRequest& head) { return head.query.starts_with("partNumber"); });
  EXPECT_THROW(write_text(bucket->store(), "y", large), Error);
  server.reset_when({});
  EXPECT_EQ(server.unfinished(), 0U);
  EXPECT_EQ(server.objects().size(), 1U);
}

TEST_F(InABucket, AServerThatIsSilentIsGivenUp) {
  const auto bucket = std::make_unique<S3Bucket>(
      "s3://bucket/p", "", S3Choices{.endpoint = server.endpoint(), .read_timeout = std::chrono::seconds(1)},
      S3Form{.part_size = 10}, BucketParts{.environment = one_attempt, .runner = runner, .clock = clock});
  server.put("/bucket/p/x", "0123456789");
  // Before an answer, in the middle of one, and in the middle of what is sent.
  server.make_trouble([](int, const SeenRequest&) { return FakeReply{.drop = true, .stall = true}; });
  const auto text_of = [&] { return message_of([&] { (void)read_text(bucket->store(), "x"); }); };
  EXPECT_THAT(text_of(), HasSubstr("has been silent for 1 seconds"));
  server.make_trouble([](int, const SeenRequest&) {
    return FakeReply{.headers = {{"etag", FakeS3::etag_of("0123456789")}},
                     .body = "0123456789",
                     .cut_after = 4,
                     .stall = true};
  });
  EXPECT_THAT(text_of(), HasSubstr("has been silent for 1 seconds"));
  server.make_trouble([](int, const SeenRequest& request) {
    return request.method == "PUT" ? std::optional(FakeReply{.drop = true, .stall = true}) : std::nullopt;
  });
  EXPECT_THAT(message_of([&] { write_text(bucket->store(), "y", kText); }), HasSubstr("has been silent"));
  EXPECT_EQ(server.unfinished(), 0U);
}

TEST_F(InABucket, ASuccessWithoutItsDocumentIsLookedAt) {
  const auto bucket = open();
  const auto completes = [](const SeenRequest& request) {
    return request.method == "POST" && request.query.starts_with("uploadId");
  };
  server.make_trouble([&](int, const SeenRequest& request) {
    return completes(request) ? std::optional(FakeReply{.body = "\n\n"}) : std::nullopt;
  });
  EXPECT_THROW(write_text(bucket->store(), "x", kText), Error);
  EXPECT_EQ(server.unfinished(), 0U);
  server.make_trouble([&](int, const SeenRequest& request) {
    return completes(request) ? std::optional(FakeReply{.body = "<Error><Code>Inter"}) : std::nullopt;
  });
  EXPECT_THROW(write_text(bucket->store(), "x", kText), Error);
  EXPECT_TRUE(server.objects().empty());
}

TEST_F(InABucket, AnErrorInPlaceOfTheResultOfABatchIsTriedAgain) {
  const auto bucket = open();
  server.put("/bucket/p/k", "1");
  server.make_trouble([](int number, const SeenRequest&) {
    return number == 1 ? std::optional(FakeReply{.body = "<Error><Code>InternalError</Code></Error>"})
                       : std::nullopt;
  });
  EXPECT_TRUE(bucket->store().remove_all({"k"}).empty());
  EXPECT_TRUE(server.objects().empty());
}

// As buckets of Amazon and MinIO do whose objects are locked from the first.
TEST_F(InABucket, ABucketThatWantsDigestsGetsThem) {
  const auto bucket = open();
  server.make_trouble([&](int, const SeenRequest& request) -> std::optional<FakeReply> {
    if (request.method != "PUT" || request.headers.contains("content-md5")) return std::nullopt;
    return FakeReply{.status = 400,
                     .body =
                         "<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP "
                         "header is required for Put Object requests with Object Lock parameters"
                         "</Message></Error>"};
  });
  write_text(bucket->store(), "x", kText);
  write_text(bucket->store(), "y", "");
  EXPECT_EQ(server.objects().at("/bucket/p/x"), kText);
  EXPECT_EQ(server.objects().at("/bucket/p/y"), "");
  EXPECT_EQ(server.seen().back().headers.at("content-md5"), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(clock.pauses, 0);
}

// Keys that are other ones each time that they are asked for.
class NewKeys {
 public:
  Environment source() {
    return [this](const char* name) -> std::optional<std::string> {
      if (std::string_view(name) == "AWS_ACCESS_KEY_ID") return "key" + std::to_string(++asked);
      if (std::string_view(name) == "AWS_SESSION_TOKEN") return "token";
      return some_keys(name);
    };
  }
  int asked = 0;
};

TEST_F(InABucket, CredentialsThatExpireHalfWayAreAskedForOnceMore) {
  NewKeys keys;
  const auto open_it = [&] {
    return std::make_unique<S3Bucket>(
        "s3://bucket/p", "", S3Choices{.endpoint = server.endpoint()}, S3Form{.part_size = 10},
        BucketParts{.environment = keys.source(), .runner = runner, .clock = clock});
  };
  for (int n = 1; n <= 5; ++n) {
    const auto bucket = open_it();
    const std::string old = "Credential=key" + std::to_string(keys.asked + 1) + "/";
    server.make_trouble([&](int number, const SeenRequest& request) {
      const bool is_old = request.headers.at("authorization").find(old) != std::string::npos;
      return number >= n && is_old ? std::optional(refusal(400, "ExpiredToken")) : std::nullopt;
    });
    write_text(bucket->store(), "x", kText);
    EXPECT_EQ(server.objects().at("/bucket/p/x"), kText) << n;
  }
  EXPECT_EQ(clock.pauses, 0);
  // For good: said once, not tried for ever; the answer to a HEAD has no words.
  const auto bucket = open_it();
  const std::size_t before = server.seen().size();
  server.make_trouble([&](int, const SeenRequest&) { return refusal(400, "ExpiredToken"); });
  EXPECT_THAT(message_of([&] { write_text(bucket->store(), "x", "1"); }),
              HasSubstr("the credentials have expired (ExpiredToken); get new ones"));
  EXPECT_EQ(server.seen().size(), before + 2);
  server.make_trouble([&](int number, const SeenRequest&) {
    return number == 1 ? std::optional(FakeReply{.status = 400}) : std::nullopt;
  });
  EXPECT_TRUE(bucket->store().exists());
}

TEST_F(InABucket, AClockThatIsWrongIsAllowedForOnceAndNamed) {
  const auto bucket = open();
  server.make_trouble([&](int, const SeenRequest&) {
    FakeReply reply = refusal(403, "RequestTimeTooSkewed");
    reply.headers = {{"date", "Sun, 22 Nov 2043 13:38:18 GMT"}};
    return reply;
  });
  EXPECT_THAT(message_of([&] { write_text(bucket->store(), "x", "1"); }),
              HasSubstr("the clock of this machine is too far from the server's"));
  EXPECT_EQ(server.seen().size(), 2U);
  // A HEAD is answered without words.
  const auto other = open();
  server.make_trouble([&](int, const SeenRequest& request) {
    const bool is_late = !request.headers.at("x-amz-date").starts_with("20431122");
    return is_late ? std::optional(
                         FakeReply{.status = 403, .headers = {{"date", "Sun, 22 Nov 2043 13:38:18 GMT"}}})
                   : std::nullopt;
  });
  EXPECT_TRUE(other->store().exists());
}

TEST_F(InABucket, WhatLastsIsSaidAtOnceWithWhatToDo) {
  const auto bucket = open();
  const auto store = [&] { write_text(bucket->store(), "x", "1"); };
  const auto read = [&] { (void)read_text(bucket->store(), "x"); };
  const auto list = [&] { (void)bucket->store().children(""); };
  const auto remove = [&] { (void)bucket->store().remove_all({"x"}); };
  const auto look = [&] { (void)bucket->store().exists(); };
  const struct {
    FakeReply reply;
    std::function<void()> doing;
    std::string says;
  } cases[] = {
      {refusal(403, "AccessDenied"), store,
       "cannot store p/x in bucket bucket: permission denied (AccessDenied: no); the credentials need "
       "s3:PutObject"},
      {refusal(403, "AccessDenied"), read, "(AccessDenied: no); the credentials need s3:GetObject"},
      {refusal(403, "AccessDenied"), list, "(AccessDenied: no); the credentials need s3:ListBucket"},
      {refusal(403, "AccessDenied"), remove, "(AccessDenied: no); the credentials need s3:DeleteObject"},
      {{.status = 400}, look, "the server answers 400 and does not say why; is the customer key missing"},
      {{.status = 403}, look, "permission denied (403); the credentials need s3:ListBucket"},
      {refusal(403, "QuotaExceeded"), store, "the store is full (QuotaExceeded: no); make room there"},
      {refusal(507, "XMinioStorageFull"), store, "the store is full (XMinioStorageFull: no)"},
      {{.status = 507}, store, "the store is full (507)"},
      {refusal(403, "InvalidAccessKeyId"), store, "check access key and secret key"},
      {{.status = 403,
        .body = "<Error><Code>InvalidAccessKeyId</Code><Message>no key, kms-keyid: k</Message></Error>"},
       store,
       "does not get the key to encrypt with (InvalidAccessKeyId: no key, kms-keyid: k); check "
       "aws_sse_kms_key_id"},
      {refusal(404, "NoSuchBucket"), store, "there is no bucket bucket; create it or correct the URL"},
      {refusal(400, "KMS.NotFoundException"), store, "the server answers 400 KMS.NotFoundException: no"},
  };
  for (const auto& one : cases) {
    server.make_trouble([&](int, const SeenRequest&) { return one.reply; });
    const std::size_t before = server.seen().size();
    EXPECT_THAT(message_of(one.doing), HasSubstr(one.says));
    EXPECT_EQ(server.seen().size(), before + 1) << one.says;
  }
  EXPECT_EQ(clock.pauses, 0);
  EXPECT_EQ(server.buckets, std::set<std::string>{"bucket"});
}

}  // namespace
}  // namespace barman::store
