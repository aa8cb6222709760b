// What holds for every store, run on each.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "os/process.h"
#include "store/directory_store.h"
#include "store/memory_store.h"
#include "store/prefixed_store.h"
#include "store/s3/bucket.h"
#include "store/s3/fake_s3.h"
#include "stream/memory.h"

namespace barman::store {
namespace {

using Names = std::vector<std::string>;

struct Place {
  virtual ~Place() = default;
  virtual ObjectStore& store() = 0;
};

struct MemoryPlace final : Place {
  MemoryStore memory;
  ObjectStore& store() override { return memory; }
};

struct DirectoryPlace final : Place {
  DirectoryPlace() : root(make()), directory(root / "below") {}
  ~DirectoryPlace() override { std::filesystem::remove_all(root); }
  static std::filesystem::path make() {
    std::string name = (std::filesystem::temp_directory_path() / "store-XXXXXX").string();
    return mkdtemp(name.data());
  }
  std::filesystem::path root;
  DirectoryStore directory;
  ObjectStore& store() override { return directory; }
};

// A bucket behind a server on loopback, with parts so small that objects of some bytes have several.
struct BucketPlace final : Place {
  FakeS3 server;
  SystemClock clock;
  os::LocalRunner runner;
  S3Bucket bucket{"s3://bucket/some/where",
                  "",
                  {.endpoint = server.endpoint()},
                  {.part_size = 4, .workers = 2},
                  {.environment = keys, .runner = runner, .clock = clock}};
  ObjectStore& store() override { return bucket.store(); }

  static std::optional<std::string> keys(const char* name) {
    if (std::string_view(name) == "AWS_ACCESS_KEY_ID") return "key";
    if (std::string_view(name) == "AWS_SECRET_ACCESS_KEY") return "secret";
    return std::nullopt;
  }
};

// Beside objects that are not its own.
struct PrefixedPlace final : Place {
  PrefixedPlace() {
    for (const char* key : {"base", "base2/x", "bas/x", "z"}) write_text(memory, key, "not ours");
  }
  MemoryStore memory;
  PrefixedStore prefixed{[this]() -> ObjectStore& { return memory; }, "base"};
  ObjectStore& store() override { return prefixed; }
};

template <class Kind>
class ObjectStoreContract : public testing::Test {
 protected:
  ObjectStore& store() { return place_.store(); }
  Names listed(std::string_view prefix) {
    Names keys;
    store().list(prefix, [&](const ObjectInfo& info) {
      keys.push_back(info.key);
      return true;
    });
    return keys;
  }

 private:
  Kind place_;
};

using Kinds = testing::Types<MemoryPlace, DirectoryPlace, BucketPlace, PrefixedPlace>;
TYPED_TEST_SUITE(ObjectStoreContract, Kinds);

TYPED_TEST(ObjectStoreContract, ShowsAnObjectOnlyWhenItIsFinished) {
  auto sink = this->store().create("a/b");
  sink->write(stream::bytes_of("text"));
  EXPECT_FALSE(this->store().stat("a/b"));
  EXPECT_EQ(this->listed(""), Names{});
  EXPECT_EQ(this->store().children("a"), Names{});
  sink->finish();
  EXPECT_EQ(read_text(this->store(), "a/b"), "text");
  EXPECT_EQ(this->store().stat("a/b")->size, 4U);
}

TYPED_TEST(ObjectStoreContract, PutsWhatCanBeReadAgainAsOneObject) {
  for (const std::size_t size : {0UL, 1UL, 300000UL}) {
    std::string text(size, 'x');
    if (size > 1) text[size / 2] = 'y';
    stream::MemoryContent content(text);
    this->store().put("a/b", content);
    EXPECT_EQ(read_text(this->store(), "a/b"), text) << size;
  }
  stream::MemoryContent other("other");
  EXPECT_THROW(this->store().put("a/b", other, {.must_be_new = true}), Error);
  EXPECT_NE(read_text(this->store(), "a/b"), "other");
}

TYPED_TEST(ObjectStoreContract, ForgetsAnAbandonedObject) {
  write_text(this->store(), "x", "old");
  {
    auto sink = this->store().create("x");
    sink->write(stream::bytes_of("new"));
  }
  EXPECT_EQ(read_text(this->store(), "x"), "old");
  EXPECT_EQ(this->listed(""), Names{"x"});
}

TYPED_TEST(ObjectStoreContract, ReplacesUnlessItMustBeNew) {
  write_text(this->store(), "x", "old");
  write_text(this->store(), "x", "new");
  EXPECT_EQ(read_text(this->store(), "x"), "new");
  auto sink = this->store().create("x", {.must_be_new = true});
  sink->write(stream::bytes_of("third"));
  EXPECT_THROW(sink->finish(), Error);
  EXPECT_EQ(read_text(this->store(), "x"), "new");
}

TYPED_TEST(ObjectStoreContract, ReadsRangesAndSaysWhenTheObjectIsTooShort) {
  write_text(this->store(), "x", "0123456789");
  std::string text;
  stream::AppendTo sink(text);
  EXPECT_TRUE(this->store().read("x", {.offset = 2, .length = 3}, sink));
  EXPECT_TRUE(this->store().read("x", {.offset = 8}, sink));
  EXPECT_EQ(text, "23489");
  EXPECT_THROW((void)this->store().read("x", {.offset = 8, .length = 3}, sink), Error);
  EXPECT_THROW((void)this->store().read("x", {.offset = 11}, sink), Error);
  EXPECT_FALSE(this->store().read("y", {}, sink));
}

TYPED_TEST(ObjectStoreContract, ListsByPrefixInOrderAndStopsWhenTold) {
  for (const char* key : {"b/2", "a", "b/1", "ba", "b/1x/y"}) write_text(this->store(), key, key);
  EXPECT_EQ(this->listed(""), (Names{"a", "b/1", "b/1x/y", "b/2", "ba"}));
  EXPECT_EQ(this->listed("b/1"), (Names{"b/1", "b/1x/y"}));
  EXPECT_EQ(this->listed("zzz/"), Names{});
  int seen = 0;
  this->store().list("", [&](const ObjectInfo&) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

TYPED_TEST(ObjectStoreContract, ShowsOneLevelOfAFolder) {
  for (const char* key : {"b/2", "a", "b/sub/deep/x"}) write_text(this->store(), key, key);
  EXPECT_EQ(this->store().children(""), (Names{"a", "b/"}));
  EXPECT_EQ(this->store().children("b"), (Names{"2", "sub/"}));
  EXPECT_EQ(this->store().children("none"), Names{});
}

TYPED_TEST(ObjectStoreContract, SaysWhetherItRemovedSomething) {
  write_text(this->store(), "x", "1");
  EXPECT_TRUE(this->store().remove("x"));
  EXPECT_FALSE(this->store().remove("x"));
  EXPECT_FALSE(this->store().stat("x"));
}

TYPED_TEST(ObjectStoreContract, RefusesNamesThatLeaveTheRoot) {
  for (const std::string key : {"..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "", ".", "a/./b"}) {
    EXPECT_THROW((void)this->store().create(key), Error) << key;
    EXPECT_THROW((void)this->store().stat(key), Error) << key;
    EXPECT_THROW((void)this->store().remove(key), Error) << key;
  }
}

}  // namespace
}  // namespace barman::store
