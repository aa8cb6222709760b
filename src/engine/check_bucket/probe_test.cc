#include "engine/check_bucket/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/server/scratch_bucket.h"
#include "os/process.h"
#include "store/s3/bucket.h"
#include "store/s3/fake_s3.h"

namespace barman::engine {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// "put: FAILED (why)", as it is printed.
std::vector<std::string> words_of(const PlaceReport& report) {
  std::vector<std::string> words;
  for (const ProbeLine& line : report.lines) {
    const char* verdict = line.verdict == ProbeVerdict::kOk        ? "OK"
                          : line.verdict == ProbeVerdict::kWarning ? "WARNING"
                                                                   : "FAILED";
    words.push_back(line.label + ": " + verdict + (line.hint.empty() ? "" : " (" + line.hint + ")"));
  }
  return words;
}

class StillClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return moment; }
  bool sleep(std::chrono::milliseconds /*pause*/, const std::stop_token& stop) override {
    return !stop.stop_requested();
  }
  Time moment{std::chrono::seconds(1795000000)};
};

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() { bucket().objects.set_time(clock_.moment); }

  Home& home() { return scratch_.home(); }
  store::WatchedBucket& bucket() { return *scratch_.bucket; }
  PlaceReport report() {
    return probe_place(home(), places_in_buckets(home()).front(), clock_, stop_.get_token());
  }
  std::vector<std::string> probe() { return words_of(report()); }
  // Requests that begin so fail, as those for which a right is missing.
  void refuse(const std::string& beginning) { fail(beginning, Error(ErrorKind::kFailed, "AccessDenied")); }
  void fail(const std::string& beginning, const Error& error) {
    bucket().before = [beginning, error](const std::string& request) {
      if (request.starts_with(beginning)) throw error;
    };
  }
  void expect_nothing_left() {
    EXPECT_THAT(bucket().keys(), IsEmpty());
    EXPECT_THAT(bucket().objects.unfinished_uploads(""), IsEmpty());
  }

  StillClock clock_;
  ScratchBucket scratch_;
  std::stop_source stop_;
};

TEST_F(ProbeTest, TriesAllAndLeavesNothing) {
  const PlaceReport found = report();
  EXPECT_TRUE(found.passed());
  EXPECT_EQ(found.what, "base backups");
  EXPECT_EQ(found.url, "s3://bucket/path/main/base");
  EXPECT_THAT(words_of(found),
              ElementsAre("bucket: OK", "listing: OK", "clock: OK", "versioning: OK (not told)",
                          "object lock: OK (not told)", "put: OK", "get: OK", "ranged get: OK", "head: OK",
                          "listing of new objects: OK",
                          "encryption: OK (none is configured, and the store tells of none)",
                          "conditional put: OK", "multipart upload: OK", "multipart abort: OK",
                          "batch delete: OK", "delete: OK", "unfinished uploads: OK"));
  expect_nothing_left();
}

TEST_F(ProbeTest, EachPlaceIsTriedWhereItsObjectsGo) {
  home().wal_bucket = home().backup_bucket;
  const auto places = places_in_buckets(home());
  ASSERT_EQ(places.size(), 2U);
  const PlaceReport found = probe_place(home(), places[1], clock_, {});
  EXPECT_EQ(found.what, "WAL");
  EXPECT_TRUE(found.passed());
  EXPECT_THAT(bucket().requests(), Contains(StartsWith("PUT wals/.barman-check-")));
  EXPECT_THAT(bucket().requests(), Not(Contains(HasSubstr("base/"))));
}

TEST_F(ProbeTest, AServerWithoutABucketHasNoPlace) {
  home().backup_bucket = nullptr;
  EXPECT_THAT(places_in_buckets(home()), IsEmpty());
}

TEST_F(ProbeTest, WhatIsRefusedIsNamedAndKeepsNothingElse) {
  const std::pair<const char*, const char*> refusals[] = {{"HEAD ", "bucket"},
                                                          {"LIST base/", "listing"},
                                                          {"TIME ", "clock"},
                                                          {"STATE ", "versioning"},
                                                          {"PUT ", "put"},
                                                          {"GET ", "get"},
                                                          {"PUT-IF-ABSENT ", "conditional put"},
                                                          {"BEGIN ", "multipart upload"},
                                                          {"PART ", "multipart abort"},
                                                          {"COMPLETE ", "multipart upload"},
                                                          {"WITHDRAW ", "multipart abort"},
                                                          {"UPLOADS ", "unfinished uploads"},
                                                          {"DELETE 2", "batch delete"},
                                                          {"DELETE base/", "delete"}};
  for (const auto& [request, label] : refusals) {
    refuse(request);
    const PlaceReport found = report();
    EXPECT_FALSE(found.passed()) << request;
    EXPECT_THAT(words_of(found), Contains(std::string(label) + ": FAILED (AccessDenied)")) << request;
    EXPECT_THAT(words_of(found), Contains(StartsWith("unfinished uploads: "))) << request;
    bucket().before = nullptr;
    for (const auto& upload : bucket().objects.unfinished_uploads("")) bucket().objects.withdraw(upload);
    expect_nothing_left();
  }
}

TEST_F(ProbeTest, WhatCannotBeTakenAwayIsNamed) {
  refuse("DELETE");
  const auto words = probe();
  EXPECT_THAT(words, Contains(StartsWith("delete: FAILED")));
  EXPECT_THAT(words.back(), AllOf(StartsWith("clean-up: FAILED (still there: base/.barman-check-"),
                                  HasSubstr("bucket-cleanup")));
  EXPECT_EQ(bucket().keys().size(), 3U);
  for (const std::string& key : bucket().keys()) EXPECT_TRUE(is_trial_key(key)) << key;
}

TEST_F(ProbeTest, WhatWasNeverPutIsNotMissed) {
  bucket().before = [](const std::string& request) {
    for (const char* denied : {"PUT", "BEGIN", "DELETE", "UPLOADS"}) {
      if (request.starts_with(denied)) throw Error(ErrorKind::kFailed, "AccessDenied");
    }
  };
  EXPECT_THAT(probe(), Not(Contains(StartsWith("clean-up"))));
}

TEST_F(ProbeTest, WithoutABucketNothingElseIsTried) {
  bucket().is_there = false;
  EXPECT_THAT(probe(), ElementsAre("bucket: FAILED (it is not there; create it or correct the URL)"));
  EXPECT_THAT(bucket().requests(), ElementsAre("HEAD "));
}

TEST_F(ProbeTest, AStoreThatIsAwayOrDoesNotKnowUsIsAskedNoMore) {
  fail("HEAD", Error(ErrorKind::kTransient, "the connection is gone"));
  EXPECT_THAT(probe(),
              ElementsAre("bucket: FAILED (the connection is gone; see that the store is well and can be "
                          "reached, and try again)"));
  bucket().before = [](const std::string& request) {
    if (request.starts_with("LIST")) throw store::NotLetIn("the server does not accept the credentials");
  };
  EXPECT_THAT(probe(),
              ElementsAre("bucket: OK", "listing: FAILED (the server does not accept the credentials)"));
}

TEST_F(ProbeTest, ABucketThatCannotBeOpenedIsALine) {
  home().backup_bucket = std::make_shared<BucketHome>(
      "s3://bucket/path", "main",
      []() -> std::shared_ptr<store::Bucket> { throw Error(ErrorKind::kUsage, "no such profile"); });
  EXPECT_THAT(probe(), ElementsAre("bucket: FAILED (opening s3://bucket/path: no such profile)"));
}

TEST_F(ProbeTest, AStoreThatOverwritesIsAWarning) {
  bucket().conditional = store::Conditional::kReplaced;
  EXPECT_THAT(probe(), Contains(AllOf(StartsWith("conditional put: WARNING"), HasSubstr("two hosts"))));
  bucket().conditional = store::Conditional::kUnsupported;
  EXPECT_THAT(probe(),
              Contains(AllOf(StartsWith("conditional put: WARNING"), HasSubstr("knows no conditions"))));
  EXPECT_TRUE(report().passed());
  expect_nothing_left();
}

TEST_F(ProbeTest, EncryptionIsWhatTheStoreSaysNotWhatWasAskedFor) {
  bucket().wanted = {.method = "AES256"};
  EXPECT_THAT(probe(),
              Contains(StartsWith("encryption: FAILED (AES256 is configured, but the store says nothing")));
  bucket().encryption = {.method = "AES256"};
  EXPECT_THAT(probe(), Contains("encryption: OK (AES256)"));
  bucket().wanted = {.method = "aws:kms", .key = "1234"};
  bucket().encryption = {.method = "aws:kms", .key = "arn:aws:kms:eu-west-1:1:key/5678"};
  EXPECT_THAT(probe(), Contains(StartsWith("encryption: FAILED (the key 1234 is configured")));
  bucket().encryption.key = "arn:aws:kms:eu-west-1:1:key/1234";
  EXPECT_THAT(probe(), Contains("encryption: OK (aws:kms)"));
  bucket().wanted.key = "alias/backups";
  EXPECT_THAT(probe(), Contains("encryption: OK (aws:kms)"));
  bucket().wanted = {};
  EXPECT_THAT(probe(), Contains("encryption: OK (aws:kms, by the bucket itself)"));
}

TEST_F(ProbeTest, ClocksThatDiffer) {
  const std::pair<std::chrono::seconds, const char*> differences[] = {
      {std::chrono::seconds(0), "clock: OK"},
      {std::chrono::seconds(-60), "clock: OK"},
      {std::chrono::seconds(60), "clock: OK"},
      {std::chrono::seconds(-61), "clock: WARNING (this machine's clock is 1 minute, 1 second ahead of"},
      {std::chrono::seconds(61),
       "clock: WARNING (this machine's clock is 1 minute, 1 second behind the store's"},
      {std::chrono::minutes(-16),
       "clock: FAILED (this machine's clock is 16 minutes ahead of the store's; set it"},
      {std::chrono::minutes(16), "clock: FAILED (this machine's clock is 16 minutes behind"}};
  for (const auto& [difference, words] : differences) {
    bucket().objects.set_time(clock_.moment + difference);
    EXPECT_THAT(probe(), Contains(StartsWith(words))) << difference.count();
  }
}

TEST_F(ProbeTest, TellsHowTheBucketTreatsObjects) {
  bucket().bucket_state = {.versioning = "on", .object_lock = "on, 30 days (GOVERNANCE) for new objects"};
  EXPECT_THAT(probe(),
              AllOf(Contains(StartsWith("versioning: OK (on: what is deleted takes room")),
                    Contains(StartsWith("object lock: OK (on, 30 days (GOVERNANCE) for new objects"))));
  bucket().bucket_state = {.versioning = "off", .object_lock = "off"};
  EXPECT_THAT(probe(), AllOf(Contains("versioning: OK (off)"), Contains("object lock: OK (off)")));
}

TEST_F(ProbeTest, UploadsThatAreOlderThanADayAreCounted) {
  bucket().uploads = {{"base/20260101T000000/data.tar", "old", clock_.moment - std::chrono::hours(25)},
                      {"base/20260101T000000/data.tar", "young", clock_.moment - std::chrono::hours(23)},
                      {"wals/x", "elsewhere", {}}};
  EXPECT_THAT(probe(),
              Contains("unfinished uploads: WARNING (1 older than a day take room: 'barman bucket-cleanup "
                       "main' removes them)"));
  EXPECT_TRUE(report().passed());
  EXPECT_EQ(bucket().uploads.size(), 3U);
}

TEST_F(ProbeTest, OnAServerThatIsNotActiveNothingIsWritten) {
  home().is_active = false;
  EXPECT_THAT(probe(), Contains("get: OK (there is nothing to read yet)"));
  scratch_.put("base/20260101T000000/backup.info", "x");
  bucket().forget_requests();
  EXPECT_THAT(probe(), Contains("get: OK"));
  for (const std::string& request : bucket().requests()) {
    EXPECT_THAT(request, testing::ContainsRegex("^(HEAD|LIST|GET|TIME|STATE|UPLOADS) ")) << request;
  }
}

// Something that changes what is put.
TEST_F(ProbeTest, WhatIsReadMustBeWhatWasPut) {
  bucket().before = [this](const std::string& request) {
    if (request.starts_with("GET ")) store::write_text(bucket().objects, request.substr(4), "something else");
  };
  EXPECT_THAT(probe(),
              AllOf(Contains(HasSubstr("but is not what is read; find out who changes it")),
                    Contains(StartsWith("head: FAILED")), Contains(StartsWith("ranged get: FAILED"))));
  bucket().before = [this](const std::string& request) {
    if (request.starts_with("GET ")) bucket().objects.remove(request.substr(4));
  };
  EXPECT_THAT(probe(), AllOf(Contains(HasSubstr("was put, and is not there")),
                             Contains(StartsWith("listing of new objects: FAILED"))));
  bucket().before = nullptr;
  expect_nothing_left();
}

TEST_F(ProbeTest, WhatIsRemovedMustBeGone) {
  bucket().before = [this](const std::string& request) {
    if (request.starts_with("HEAD base/")) store::write_text(bucket().objects, request.substr(5), "back");
    if (request.starts_with("UPLOADS base/.barman"))
      bucket().uploads = {{"base/x", "upload-2", clock_.moment}};
  };
  EXPECT_THAT(probe(), AllOf(Contains(HasSubstr("was removed and is still there")),
                             Contains(StartsWith("multipart abort: OK"))));
}

// For every request: the answer does not come, or a person wants it to end.
TEST_F(ProbeTest, WhereverItIsStoppedItLeavesNothing) {
  (void)probe();
  const std::size_t requests = bucket().requests().size();
  ASSERT_GE(requests, 25U);
  for (const ErrorKind kind : {ErrorKind::kCancelled, ErrorKind::kTransient}) {
    for (std::size_t number = 1; number <= requests; ++number) {
      std::size_t count = 0;
      bucket().is_cleaning_up = false;
      bucket().before = [&](const std::string&) {
        const bool is_stopped =
            kind == ErrorKind::kCancelled && ++count >= number && !bucket().is_cleaning_up;
        if (is_stopped || (kind == ErrorKind::kTransient && ++count == number))
          throw Error(kind, "no answer");
      };
      const auto words = probe();
      EXPECT_THAT(words, Contains(HasSubstr(": FAILED ("))) << number;
      if (kind == ErrorKind::kCancelled) {
        EXPECT_THAT(words.back(), HasSubstr("FAILED (no answer in time; see whether")) << number;
      }
      bucket().before = nullptr;
      expect_nothing_left();
    }
  }
}

TEST_F(ProbeTest, APersonWhoInterruptsIsNotToldOfATimeLimit) {
  fail("PUT", Error(ErrorKind::kCancelled, "stopped on request"));
  stop_.request_stop();
  EXPECT_EQ(probe().back(), "put: FAILED (interrupted)");
}

// The same against the protocol.
class ProbeOfS3Test : public testing::Test {
 protected:
  ProbeOfS3Test() {
    scratch_.home.backup_bucket = std::make_shared<BucketHome>("s3://bucket/path", "main", [this] {
      const auto opened = std::make_shared<store::S3Bucket>(
          "s3://bucket/path", "main", store::S3Choices{.endpoint = server_.endpoint()}, form_,
          store::BucketParts{
              .environment = keys, .runner = runner_, .clock = clock_, .stop = stop_.get_token()});
      return std::shared_ptr<store::Bucket>(opened, &opened->store());
    });
  }
  static std::optional<std::string> keys(const char* name) {
    if (std::string_view(name) == "AWS_ACCESS_KEY_ID") return "key";
    if (std::string_view(name) == "AWS_SECRET_ACCESS_KEY") return "secret";
    if (std::string_view(name) == "AWS_MAX_ATTEMPTS") return "1";
    return std::nullopt;
  }
  static store::FakeReply denied() {
    return {.status = 403, .body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"};
  }
  std::vector<std::string> probe() {
    return words_of(probe_place(scratch_.home, places_in_buckets(scratch_.home).front(), clock_, {}));
  }
  void expect_nothing_left() {
    EXPECT_THAT(server_.objects(), IsEmpty());
    EXPECT_EQ(server_.unfinished(), 0U);
  }

  store::FakeS3 server_;
  store::S3Form form_;
  SystemClock clock_;
  os::LocalRunner runner_;
  std::stop_source stop_;
  ScratchHome scratch_;
};

TEST_F(ProbeOfS3Test, AGoodStorePasses) {
  server_.versioning = "Enabled";
  form_.encryption = "AES256";
  const auto words = probe();
  EXPECT_THAT(words, Not(Contains(HasSubstr("FAILED"))));
  EXPECT_THAT(words, AllOf(Contains(StartsWith("versioning: OK (on:")), Contains("encryption: OK (AES256)"),
                           Contains("object lock: OK (off)"), Contains("conditional put: OK")));
  expect_nothing_left();
}

TEST_F(ProbeOfS3Test, AStoreThatIgnoresWhatItIsTold) {
  server_.has_conditions = false;
  server_.keeps_encryption = false;
  server_.has_batch_delete = false;  // objects are removed one by one then
  form_.encryption = "aws:kms";
  const auto words = probe();
  EXPECT_THAT(
      words,
      AllOf(Contains(StartsWith("conditional put: WARNING")),
            Contains(StartsWith("encryption: FAILED (aws:kms is configured, but the store says nothing")),
            Contains("batch delete: OK")));
  expect_nothing_left();
}

TEST_F(ProbeOfS3Test, PermissionsAreNamedAsInPolicies) {
  const std::tuple<const char*, const char*, const char*> refusals[] = {
      {"PUT", "put", "s3:PutObject"},
      {"DELETE", "delete", "s3:DeleteObject"},
      {"POST", "multipart upload", "s3:PutObject"}};
  for (const auto& [method, label, permission] : refusals) {
    server_.make_trouble([method = method](int, const store::SeenRequest& request) {
      return request.method == method ? std::optional(denied()) : std::nullopt;
    });
    EXPECT_THAT(probe(), Contains(AllOf(StartsWith(std::string(label) + ": FAILED (cannot "),
                                        HasSubstr("permission denied (AccessDenied: no)"),
                                        HasSubstr(std::string("the credentials need ") + permission))));
    server_.make_trouble(nullptr);
    for (const auto& [path, text] : server_.objects()) server_.remove(path);
  }
}

TEST_F(ProbeOfS3Test, WhereverTheConnectionEndsNothingIsLeft) {
  (void)probe();
  const std::size_t requests = server_.seen().size();
  for (std::size_t number = 1; number <= requests; ++number) {
    server_.make_trouble([number](int n, const store::SeenRequest&) {
      return static_cast<std::size_t>(n) == number ? std::optional(store::FakeReply{.drop = true})
                                                   : std::nullopt;
    });
    EXPECT_THAT(probe(), Contains(testing::ContainsRegex("FAILED|not told"))) << number;
    expect_nothing_left();
  }
}

TEST_F(ProbeOfS3Test, StoppedInTheMiddleItTakesAwayWhatItPut) {
  server_.make_trouble([this](int, const store::SeenRequest& request) -> std::optional<store::FakeReply> {
    if (request.method == "PUT" && request.query.find("partNumber") != std::string::npos)
      stop_.request_stop();
    return std::nullopt;
  });
  EXPECT_THAT(probe().back(), StartsWith("multipart upload: FAILED (no answer in time"));
  expect_nothing_left();
}

}  // namespace
}  // namespace barman::engine
