#include "store/s3/s3_inspection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/clock.h"
#include "base/expect_failure.h"
#include "os/process.h"
#include "store/s3/bucket.h"
#include "store/s3/fake_s3.h"

namespace barman::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class S3InspectionTest : public testing::Test {
 protected:
  S3Store& open(const S3Form& form = {}) {
    bucket_ =
        std::make_unique<S3Bucket>("s3://bucket/p", "main", S3Choices{.endpoint = server.endpoint()}, form,
                                   BucketParts{.environment = keys, .runner = runner_, .clock = clock_});
    return bucket_->store();
  }
  static std::optional<std::string> keys(const char* name) {
    if (std::string_view(name) == "AWS_ACCESS_KEY_ID") return "key";
    if (std::string_view(name) == "AWS_SECRET_ACCESS_KEY") return "secret";
    return std::nullopt;
  }
  static FakeReply refusal(int status, const std::string& code) {
    return {.status = status, .body = "<Error><Code>" + code + "</Code><Message>no</Message></Error>"};
  }

  FakeS3 server;

 private:
  SystemClock clock_;
  os::LocalRunner runner_;
  std::unique_ptr<S3Bucket> bucket_;
};

TEST_F(S3InspectionTest, TellsWhetherVersionsAreKeptAndObjectsAreLocked) {
  Inspection& inspection = open().inspection();
  EXPECT_EQ(inspection.state(), (BucketState{"off", "off"}));
  server.versioning = "Enabled";
  server.object_lock =
      "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>"
      "<Days>30</Days></DefaultRetention></Rule>";
  EXPECT_EQ(inspection.state(), (BucketState{"on", "on, 30 days (GOVERNANCE) for new objects"}));
  server.versioning = "Suspended";
  server.object_lock = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
  EXPECT_EQ(inspection.state(), (BucketState{"suspended", "on"}));
}

TEST_F(S3InspectionTest, WhoMayNotKnowIsToldNothing) {
  server.make_trouble([](int, const SeenRequest&) { return refusal(403, "AccessDenied"); });
  EXPECT_EQ(open().inspection().state(), BucketState{});
  server.make_trouble([](int, const SeenRequest&) { return FakeReply{.body = "<html/>"}; });
  EXPECT_EQ(open().inspection().state(), BucketState{}) << "a store that knows no such question";
}

TEST_F(S3InspectionTest, TellsTheTimeOfTheServerWhateverItsAnswer) {
  EXPECT_FALSE(open().inspection().time_there());
  server.date = "Sun, 22 Nov 2026 13:38:18 GMT";
  EXPECT_EQ(open().inspection().time_there(), Time{std::chrono::seconds(1795354698)});
  server.make_trouble([](int, const SeenRequest&) { return FakeReply{.status = 403}; });
  EXPECT_EQ(open().inspection().time_there(), Time{std::chrono::seconds(1795354698)});
}

TEST_F(S3InspectionTest, TellsHowAnObjectIsEncrypted) {
  const std::pair<S3Form, Encryption> forms[] = {
      {{}, {}},
      {{.encryption = "AES256"}, {.method = "AES256"}},
      {{.encryption = "aws:kms", .kms_key = "a-key"}, {.method = "aws:kms", .key = "a-key"}},
      {{.customer_key = std::string(32, 'k')}, {.method = "customer key"}}};
  for (const auto& [form, encryption] : forms) {
    S3Store& store = open(form);
    EXPECT_EQ(store.inspection().wanted_encryption(), encryption);
    write_text(store, "x", "text");
    EXPECT_EQ(store.inspection().encryption_of("x"), encryption);
    const UnfinishedUpload upload = store.inspection().begin_upload("parts");
    const std::string part = store.inspection().send_part(upload, 1, stream::bytes_of("part"));
    store.inspection().complete(upload, {part});
    EXPECT_EQ(store.inspection().encryption_of("parts"), encryption);
    EXPECT_EQ(read_text(store, "parts"), "part");
  }
  server.keeps_encryption = false;
  S3Store& store = open({.encryption = "AES256"});
  write_text(store, "x", "text");
  EXPECT_EQ(store.inspection().encryption_of("x"), Encryption{});
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)store.inspection().encryption_of("absent"); }),
              HasSubstr("cannot look at p/main/absent in bucket bucket"));
}

TEST_F(S3InspectionTest, TellsWhetherTheStoreKeepsWhatIsThere) {
  S3Store& store = open();
  write_text(store, "x", "first");
  EXPECT_EQ(store.inspection().store_if_absent("x", "second"), Conditional::kRefused);
  EXPECT_EQ(read_text(store, "x"), "first");
  server.has_conditions = false;
  EXPECT_EQ(store.inspection().store_if_absent("x", "second"), Conditional::kReplaced);
  EXPECT_EQ(read_text(store, "x"), "second");
  server.make_trouble([](int, const SeenRequest&) { return refusal(501, "NotImplemented"); });
  EXPECT_EQ(store.inspection().store_if_absent("x", "third"), Conditional::kUnsupported);
}

TEST_F(S3InspectionTest, AnUploadIsListedMeasuredAndWithdrawn) {
  S3Store& store = open();
  const UnfinishedUpload upload = store.inspection().begin_upload("base/x");
  (void)store.inspection().send_part(upload, 1, stream::bytes_of("12345"));
  (void)store.inspection().send_part(upload, 2, stream::bytes_of("678"));
  EXPECT_EQ(store.inspection().uploaded_bytes(upload), 8U);
  const auto found = store.unfinished_uploads("base/");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "base/x");
  EXPECT_EQ(found[0].id, upload.id);
  EXPECT_THAT(store.unfinished_uploads("wals/"), IsEmpty());
  store.withdraw(upload);
  EXPECT_THAT(store.unfinished_uploads(""), IsEmpty());
  EXPECT_FALSE(store.inspection().uploaded_bytes(upload));
}

TEST_F(S3InspectionTest, ManyPartsAreSeveralPages) {
  Inspection& inspection = open().inspection();
  const UnfinishedUpload upload{.key = "x", .id = "one", .begun = {}};
  server.make_trouble([](int, const SeenRequest& request) -> std::optional<FakeReply> {
    const bool is_second = request.query.find("part-number-marker=1") != std::string::npos;
    const std::string more = "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>";
    return FakeReply{.body = "<ListPartsResult>" + (is_second ? "" : more) +
                             "<Part><Size>5</Size></Part></ListPartsResult>"};
  });
  EXPECT_EQ(inspection.uploaded_bytes(upload), 10U);
  server.make_trouble([](int, const SeenRequest&) -> std::optional<FakeReply> {
    return FakeReply{.body =
                         "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1"
                         "</NextPartNumberMarker></ListPartsResult>"};
  });
  EXPECT_FALSE(inspection.uploaded_bytes(upload)) << "the same page again and again";
}

TEST_F(S3InspectionTest, CredentialsThatNobodyKnowsAreAFailureOfTheirOwn) {
  for (const char* code : {"SignatureDoesNotMatch", "InvalidAccessKeyId"}) {
    server.make_trouble([code](int, const SeenRequest&) { return refusal(403, code); });
    EXPECT_THROW((void)open().children(""), NotLetIn) << code;
  }
  server.make_trouble([](int, const SeenRequest&) { return refusal(403, "AccessDenied"); });
  try {
    (void)open().children("");
    FAIL();
  } catch (const NotLetIn&) {
    FAIL() << "who is known may be let in elsewhere";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("AccessDenied"));
  }
}

TEST_F(S3InspectionTest, NamesThePermissionThatIsMissing) {
  server.make_trouble([](int, const SeenRequest&) { return refusal(403, "AccessDenied"); });
  const UnfinishedUpload upload{.key = "x", .id = "one", .begun = {}};
  Inspection& inspection = open({.encryption = "aws:kms"}).inspection();
  const std::function<void()> steps[] = {
      [&] { (void)inspection.store_if_absent("x", ""); }, [&] { (void)inspection.begin_upload("x"); },
      [&] { (void)inspection.send_part(upload, 1, {}); }, [&] { inspection.complete(upload, {}); }};
  for (const auto& step : steps) {
    EXPECT_THAT(failure(ErrorKind::kFailed, step), HasSubstr("s3:PutObject, and kms:GenerateDataKey"));
  }
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)inspection.encryption_of("x"); }),
              HasSubstr("the credentials need s3:GetObject"));
}

}  // namespace
}  // namespace barman::store
