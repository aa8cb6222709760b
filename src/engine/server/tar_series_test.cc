#include "engine/server/tar_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "store/memory_store.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const catalog::BackupId kId{"20261122T133001"};

class Names final : public codec::TarReceiver {
 public:
  void begin(const codec::TarEntry& entry) override { names += entry.path + " "; }
  void data(stream::Bytes) override {}
  void end() override {}
  std::string names;
};

class TarSeriesTest : public testing::Test {
 protected:
  static void add(TarSeries& series, const std::string& name, const std::string& text) {
    codec::TarWriter& tar = series.entry();
    tar.begin_file(name, text.size(), {});
    tar.data(stream::bytes_of(text));
    tar.end_file();
  }

  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    bucket.list("", [&](const store::ObjectInfo& object) {
      keys.push_back(object.key);
      return true;
    });
    return keys;
  }

  std::string names_in(const std::string& key, const stream::Stage& unpack = {}) {
    Names receiver;
    std::unique_ptr<stream::Sink> reader = std::make_unique<codec::TarReader>(receiver);
    if (unpack) reader = unpack(std::move(reader));
    EXPECT_TRUE(bucket.read(key, {}, *reader)) << key;
    reader->finish();
    return receiver.names;
  }

  store::MemoryStore bucket;
  TarSeriesForm form;
};

TEST_F(TarSeriesTest, BeginsAnotherArchiveWhenOneIsFull) {
  form.most_bytes = 5000;
  TarSeries series(bucket, kId, "data", form);
  add(series, "a", std::string(4000, 'a'));
  add(series, "b", std::string(3000, 'b'));  // too much by one file
  add(series, "c", std::string(9000, 'c'));
  add(series, "d", "d");
  EXPECT_THAT(keys(), ElementsAre("base/20261122T133001/data.tar", "base/20261122T133001/data_0001.tar"));
  series.finish();
  EXPECT_EQ(names_in("base/20261122T133001/data.tar"), "a b ");
  EXPECT_EQ(names_in("base/20261122T133001/data_0001.tar"), "c ");
  EXPECT_EQ(names_in("base/20261122T133001/data_0002.tar"), "d ");
  std::uint64_t sum = 0;
  for (const std::string& key : keys()) sum += bucket.stat(key)->size;
  EXPECT_EQ(series.stored_bytes(), sum);
}

TEST_F(TarSeriesTest, WhatBelongsTogetherStaysInTheLastArchive) {
  form.most_bytes = 5000;
  TarSeries series(bucket, kId, "data", form);
  add(series, "a", std::string(9000, 'a'));
  (void)series.entry();
  series.begin_last();
  for (const char* name : {"b", "c", "d"}) add(series, name, std::string(9000, 'x'));
  series.finish();
  EXPECT_EQ(names_in("base/20261122T133001/data_0001.tar"), "b c d ");
  EXPECT_EQ(keys().size(), 2U);
}

TEST_F(TarSeriesTest, WhatIsStoredCounts) {
  form.most_bytes = 5000;
  form.compression = codec::Compression::kZstd;
  form.stages = {codec::compress(codec::Compression::kZstd, 1, 1)};
  TarSeries series(bucket, kId, "16384", form);
  for (const char* name : {"a", "b", "c"}) add(series, name, std::string(100'000, 'x'));
  series.finish();
  EXPECT_THAT(keys(), ElementsAre("base/20261122T133001/16384.tar.zst"));
  EXPECT_EQ(names_in(keys().front(), codec::decompress(codec::Compression::kZstd)), "a b c ");
  EXPECT_EQ(series.stored_bytes(), bucket.stat(keys().front())->size);
}

TEST_F(TarSeriesTest, NotFinishedItLeavesNoArchive) {
  TarSeries(bucket, kId, "data", form).entry().directory("base", {});
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(TarSeriesTest, OfAnEmptyFolderIsAnArchive) {
  form.encrypted = true;
  TarSeries(bucket, kId, "data", form).finish();
  EXPECT_EQ(bucket.stat("base/20261122T133001/data.tar.gpg")->size, 10240U);
}

}  // namespace
}  // namespace barman::engine
