#include "store/s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/s3/in_a_bucket.h"
#include "stream/memory.h"

namespace barman::store {
namespace {

TEST_F(InABucket, AStoreThatKeepsNoListOfUploadsHasNone) {
  const auto bucket = open();
  server.make_trouble([](int, const SeenRequest&) { return std::optional(refusal(501, "NotImplemented")); });
  EXPECT_TRUE(bucket->store().unfinished_uploads("").empty());
  server.make_trouble([](int, const SeenRequest&) { return std::optional(refusal(403, "AccessDenied")); });
  EXPECT_THROW((void)bucket->store().unfinished_uploads(""), Error);
}

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

TEST_F(InABucket, AsksForEncryptionAndTags) {
  const auto bucket = open({.encryption = "aws:kms", .kms_key = "k1", .part_size = 10});
  const auto sink = bucket->store().create("x", {.tags = {{"a b", "1&2"}, {"c", "d"}}});
  sink->finish();
  const auto headers = server.seen().back().headers;
  EXPECT_EQ(headers.at("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(headers.at("x-amz-server-side-encryption-aws-kms-key-id"), "k1");
  EXPECT_EQ(headers.at("x-amz-tagging"), "a%20b=1%262&c=d");
  write_text(bucket->store(), "large", "0123456789abcdefghij");
  for (const SeenRequest& request : server.seen()) {
    const bool creates = request.query.find("uploadId") == std::string::npos;
    EXPECT_EQ(request.headers.contains("x-amz-server-side-encryption"), creates) << request.query;
  }
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

}  // namespace
}  // namespace barman::store
