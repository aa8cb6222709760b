// The bucket in memory answers as those of providers do.
#include "store/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace barman::store {
namespace {

TEST(MemoryStoreAsABucket, DatesWhatIsMadeByItsClock) {
  MemoryStore store;
  const Time noon{std::chrono::seconds(1795000000)};
  write_text(store, "early", "x");
  store.set_time(noon);
  write_text(store, "late", "x");
  EXPECT_EQ(store.stat("early")->modified, Time{});
  EXPECT_EQ(store.stat("late")->modified, noon);
  EXPECT_EQ(store.inspection().begin_upload("x").begun, noon);
  EXPECT_EQ(store.inspection().time_there(), noon);
}

TEST(MemoryStoreAsABucket, AnUploadIsAnObjectWhenItIsComplete) {
  MemoryStore store;
  Inspection& inspection = store.inspection();
  const UnfinishedUpload upload = inspection.begin_upload("a/x");
  const std::string second = inspection.send_part(upload, 2, stream::bytes_of("def"));
  const std::string first = inspection.send_part(upload, 1, stream::bytes_of("abc"));
  EXPECT_EQ(inspection.uploaded_bytes(upload), 6U);
  EXPECT_EQ(store.unfinished_uploads("a/").size(), 1U);
  EXPECT_TRUE(store.unfinished_uploads("b/").empty());
  EXPECT_FALSE(store.stat("a/x"));
  inspection.complete(upload, {first, second});
  EXPECT_EQ(read_text(store, "a/x"), "abcdef");
  EXPECT_TRUE(store.unfinished_uploads("").empty());
}

TEST(MemoryStoreAsABucket, WhatIsWithdrawnIsGone) {
  MemoryStore store;
  const UnfinishedUpload upload = store.inspection().begin_upload("x");
  store.withdraw(upload);
  EXPECT_TRUE(store.unfinished_uploads("").empty());
  EXPECT_THROW(store.inspection().complete(upload, {}), Error);
  EXPECT_THROW((void)store.inspection().send_part(upload, 1, {}), Error);
}

TEST(MemoryStoreAsABucket, KeepsWhatIsThereIfAskedTo) {
  MemoryStore store;
  write_text(store, "x", "first");
  EXPECT_EQ(store.inspection().store_if_absent("x", "second"), Conditional::kRefused);
  EXPECT_EQ(read_text(store, "x"), "first");
}

}  // namespace
}  // namespace barman::store
