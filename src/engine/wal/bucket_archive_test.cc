#include "engine/wal/bucket_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "base/error.h"
#include "base/expect_failure.h"
#include "engine/wal/fake_gpg.h"
#include "engine/wal/sample_segment.h"
#include "engine/wal/scratch_home.h"
#include "store/memory_store.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;

class BucketArchiveTest : public testing::Test {
 protected:
  static constexpr const char* kOne = "000000010000000000000001";
  static constexpr const char* kFolder = "wals/0000000100000000/";

  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  std::filesystem::path arrived(const std::string& bytes) {
    const auto path = scratch_.home.incoming / kOne;
    ScratchHome::write(path, bytes);
    return path;
  }
  std::vector<std::string> keys() {
    std::vector<std::string> all;
    store_->list("", [&](const store::ObjectInfo& object) {
      all.push_back(object.key);
      return true;
    });
    return all;
  }
  std::optional<catalog::WalEntry> store(const WalFormat& format, const std::string& bytes) {
    const StoredForm form =
        format.form_of(stream::bytes_of(bytes).first(codec::kDetectBytes), *pgformat::parse_wal_name(kOne));
    return archive_.store(arrived(bytes), format.storing(form, bytes.size(), 1), {});
  }
  std::string plain(const WalFormat& format) {
    std::string text;
    copy_plain(archive_, *find_archived(archive_, kOne), format, std::make_unique<stream::AppendTo>(text),
               {});
    return text;
  }

  FakeGpg gpg_;
  ScratchHome scratch_;
  std::shared_ptr<store::MemoryStore> store_ = std::make_shared<store::MemoryStore>();
  BucketHome home_{"s3://bucket", "main", [this] { return store_; }};
  BucketArchive archive_{home_};
};

TEST_F(BucketArchiveTest, TheSuffixAndTheEntryTellTheForm) {
  const std::pair<const char*, const char*> methods[] = {
      {"gzip", ".gz"},  {"pigz", ".gz"}, {"bzip2", ".bz2"},     {"xz", ".xz"},
      {"zstd", ".zst"}, {"lz4", ".lz4"}, {"snappy", ".snappy"}, {"", ""}};
  for (const auto& [method, suffix] : methods) {
    for (const std::string key_id : {"", "key"}) {
      const WalFormat format =
          gpg_.format({.compression = method, .level = "low", .key_id = key_id}, "echo sesame");
      const auto entry = store(format, sample_segment(kOne));
      ASSERT_TRUE(entry);
      const std::string key = std::string(kFolder) + kOne + suffix + (key_id.empty() ? "" : ".gpg");
      EXPECT_THAT(keys(), ElementsAre(key));
      const auto found = find_archived(archive_, kOne);
      EXPECT_EQ(entry->size, found->entry.size);
      EXPECT_EQ(entry->compression, found->entry.compression) << method;
      EXPECT_EQ(entry->encryption, found->entry.encryption);
      EXPECT_EQ(entry->encryption.has_value(), !key_id.empty());
      EXPECT_EQ(plain(format), sample_segment(kOne));
      EXPECT_EQ(archive_.compare(arrived(sample_segment(kOne)), *found, format), Likeness::kSame);
      store_->remove(key);
    }
  }
}

TEST_F(BucketArchiveTest, WhatArrivedCompressedOrEncryptedKeepsItsForm) {
  const WalFormat encrypting = gpg_.format({.compression = "zstd", .key_id = "key"}, "echo sesame");
  EXPECT_EQ(store(encrypting, gzipped(sample_segment(kOne)))->compression, "gzip");
  EXPECT_THAT(keys(), ElementsAre(std::string(kFolder) + kOne + ".gz.gpg"));
  EXPECT_EQ(plain(encrypting), sample_segment(kOne));
}

TEST_F(BucketArchiveTest, NothingIsReplaced) {
  EXPECT_TRUE(store({}, sample_segment(kOne)));
  EXPECT_FALSE(store({}, sample_segment(kOne, 1)));
  EXPECT_EQ(plain({}), sample_segment(kOne));
}

TEST_F(BucketArchiveTest, OneNameInSeveralFormsIsFoundOnceAndRemovedWhole) {
  store::write_text(*store_, std::string(kFolder) + kOne + ".gz", gzipped(sample_segment(kOne)));
  store::write_text(*store_, std::string(kFolder) + kOne + ".zst.gpg", "x");
  store::write_text(*store_, std::string(kFolder) + kOne + ".00000028.backup.gz", "x");
  EXPECT_EQ(plain({}), sample_segment(kOne));
  int visited = 0;
  archive_.scan(nullptr, {.wal = [&](const pgformat::WalName&, const catalog::WalEntry&) { ++visited; },
                          .foreign = [](const std::string&) {}});
  EXPECT_EQ(visited, 2);
  EXPECT_TRUE(archive_.remove(std::vector<std::string>{kOne}, 1000).absent.empty());
  EXPECT_THAT(keys(), ElementsAre(std::string(kFolder) + kOne + ".00000028.backup.gz"));
}

}  // namespace
}  // namespace barman::engine
