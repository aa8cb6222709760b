#include "engine/upload/archive_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/expect_failure.h"
#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "engine/upload/acting_clock.h"
#include "engine/upload/page_check.h"
#include "engine/upload/sample_page.h"
#include "os/test_folder.h"
#include "store/memory_store.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const catalog::BackupId kTreeBackup{"20261122T133001"};

// The entries of archives: their names in order, and what is in the files.
class Contents final : public codec::TarReceiver {
 public:
  void begin(const codec::TarEntry& entry) override {
    names.push_back(entry.path + (entry.kind == codec::TarEntry::Kind::kDirectory ? "/" : ""));
    file_ = &files[entry.path];
  }
  void data(stream::Bytes bytes) override { *file_ += stream::text_of(bytes); }
  void end() override {}

  std::vector<std::string> names;
  std::map<std::string, std::string> files;

 private:
  std::string* file_ = nullptr;
};

bool all(const std::string&, bool) { return true; }

class ArchiveTreeTest : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((folder / name).parent_path());
    write_sample(folder / name, text);
  }
  Contents contents(const std::string& name, std::optional<codec::Compression> compression = {}) {
    Contents found;
    codec::TarReader tar(found);
    std::string stored = store::read_text(store, "base/20261122T133001/" + name).value_or("");
    if (compression) {
      std::string plain;
      const auto path =
          stream::chain(codec::decompress(*compression), std::make_unique<stream::AppendTo>(plain));
      path->write(stream::bytes_of(stored));
      path->finish();
      stored = plain;
    }
    tar.write(stream::bytes_of(stored));
    tar.finish();
    return found;
  }
  std::vector<std::string> stored() { return store.children("base/20261122T133001"); }

  os::TestFolder folder;
  store::MemoryStore store;
  TreeForm form;
};

TEST_F(ArchiveTreeTest, FoldersComeBeforeWhatIsInThem) {
  put("PG_VERSION", "15\n");
  put("base/5/1259", std::string(100000, 'r'));
  put("empty", "");
  fs::create_directories(folder / "pg_wal");
  fs::create_symlink("/elsewhere", folder / "link");
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.add_tree(folder.path(), all, {});
  series.add_text("backup_label", "label", {});
  EXPECT_THAT(stored(), IsEmpty());
  series.finish();
  const Contents found = contents("data.tar");
  EXPECT_THAT(found.names, ElementsAre("PG_VERSION", "base/", "base/5/", "base/5/1259", "empty", "link",
                                       "pg_wal/", "backup_label"));
  EXPECT_EQ(found.files.at("base/5/1259"), std::string(100000, 'r'));
  EXPECT_EQ(found.files.at("backup_label"), "label");
  EXPECT_EQ(series.stored_bytes(), store::read_text(store, "base/20261122T133001/data.tar")->size());
}

TEST_F(ArchiveTreeTest, LargeAndManyFilesComeBackWhateverTheNumberOfReaders) {
  std::string large;
  for (std::uint32_t i = 0; large.size() < 9'000'001; ++i) large += std::to_string(i) + "\n";
  put("large", large);
  for (int i = 0; i < 300; ++i)
    put("many/" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'm'));
  for (const unsigned workers : {1U, 4U}) {
    form.workers = workers;
    ArchiveTree series(store, kTreeBackup, "data", form);
    series.add_tree(folder.path(), all, {});
    series.finish();
    const Contents found = contents("data.tar");
    EXPECT_TRUE(found.files.at("large") == large);
    for (int i = 0; i < 300; ++i)
      EXPECT_EQ(found.files.at("many/" + std::to_string(i)).size(), static_cast<std::size_t>(i));
  }
}

TEST_F(ArchiveTreeTest, AnotherArchiveIsBegunWhenOneIsLargeEnough) {
  for (int i = 0; i < 5; ++i) put(std::to_string(i), std::string(40000, 'x'));
  form.archives.most_bytes = 60000;
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.add_tree(folder.path(), all, {});
  series.add_text("backup_label", "label", {});
  series.finish();
  EXPECT_THAT(stored(), ElementsAre("data.tar", "data_0001.tar", "data_0002.tar"));
  EXPECT_THAT(contents("data.tar").names, ElementsAre("0", "1"));
  EXPECT_THAT(contents("data_0001.tar").names, ElementsAre("2", "3"));
  EXPECT_THAT(contents("data_0002.tar").names, ElementsAre("4", "backup_label"));
  EXPECT_GT(series.stored_bytes(), 200000U);
}

TEST_F(ArchiveTreeTest, CompressedAndOtherwiseChanged) {
  put("file", std::string(3'000'000, 'x'));
  for (const auto kind : {codec::Compression::kGzip, codec::Compression::kZstd, codec::Compression::kLz4}) {
    form.archives.compression = kind;
    form.archives.stages = {codec::compress_in_one_frame(kind, 1, 2)};
    ArchiveTree series(store, kTreeBackup, "16400", form);
    series.add_tree(folder.path(), all, {});
    series.finish();
  }
  EXPECT_THAT(stored(), ElementsAre("16400.tar.gz", "16400.tar.lz4", "16400.tar.zst"));
  EXPECT_EQ(contents("16400.tar.gz", codec::Compression::kGzip).files.at("file").size(), 3'000'000U);
  form.archives.encrypted = true;
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.finish();
  EXPECT_THAT(stored(), testing::Contains("data.tar.lz4.gpg"));
}

TEST_F(ArchiveTreeTest, AFileThatIsCutWhileItIsReadIsFilledWithZeroes) {
  const std::size_t size = 12'000'000;
  put("file", std::string(size, 'x'));
  put("next", "next");
  // Called when the first pieces have been given to the readers, and the last ones not.
  form.between = [&] { fs::resize_file(folder / "file", 0); };
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.add_tree(folder.path(), all, {});
  series.finish();
  const Contents found = contents("data.tar");
  ASSERT_EQ(found.files.at("file").size(), size);
  EXPECT_EQ(found.files.at("file").back(), '\0');
  EXPECT_EQ(found.files.at("next"), "next");
}

TEST_F(ArchiveTreeTest, AFileThatGrowsIsCut) {
  put("file", std::string(12'000'000, 'x'));
  bool grown = false;
  form.between = [&] {
    if (!std::exchange(grown, true))
      std::ofstream(folder / "file", std::ios::app) << std::string(1'000'000, 'y');
  };
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.add_tree(folder.path(), all, {});
  series.finish();
  EXPECT_TRUE(contents("data.tar").files.at("file") == std::string(12'000'000, 'x'));
}

TEST_F(ArchiveTreeTest, WhatIsNotThereIsLeftOut) {
  put("a", "a");
  put("b", "b");
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.add_tree(folder.path(),
                  [&](const std::string& relative, bool) {
                    fs::remove(folder / "b");
                    return !relative.empty();
                  },
                  {});
  EXPECT_FALSE(series.add_file(folder / "c", "c"));
  series.finish();
  EXPECT_THAT(contents("data.tar").names, ElementsAre("a"));
}

TEST_F(ArchiveTreeTest, AFileThatCannotBeReadIsAFailureAndNothingIsStored) {
  fs::create_directories(folder / "tree");
  fs::create_symlink("loop", folder / "tree" / "loop");
  ArchiveTree series(store, kTreeBackup, "data", form);
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { series.add_file(folder / "tree" / "loop", "loop"); }),
              HasSubstr((folder / "tree" / "loop").native()));
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(ArchiveTreeTest, RelationsAreHeldToTheirPages) {
  ActingClock clock;
  PageCheck check({}, clock);
  form.pages = &check;
  put("base/5/1", sample_page(0) + sample_page(1));
  put("base/5/2", sample_page(0) + sample_page(5));
  put("base/5/2.1", sample_page(PageLayout{}.pages_in_segment));
  put("base/5/3_vm", sample_page(1));
  put("base/5/pg_filenode.map", sample_page(1));
  put("other", sample_page(1));
  ArchiveTree series(store, kTreeBackup, "data", form);
  series.add_tree(folder.path(), all, {});
  series.finish();
  const auto damaged = check.damaged();
  ASSERT_EQ(damaged.size(), 2U);
  EXPECT_EQ(damaged[0].path, folder / "base/5/2");
  EXPECT_THAT(damaged[0].blocks, ElementsAre(1U));
  EXPECT_EQ(damaged[1].path, folder / "base/5/3_vm");
  EXPECT_THAT(damaged[1].blocks, ElementsAre(0U));
}

// Takes so many bytes, then fails.
class FullStore final : public store::ObjectStore {
 public:
  explicit FullStore(std::uint64_t room) : room_(room) {}
  std::unique_ptr<stream::Sink> create(std::string_view, store::CreateOptions) override {
    return std::make_unique<Full>(room_);
  }
  bool read(std::string_view, store::ByteRange, stream::Sink&) override { return false; }
  std::optional<store::ObjectInfo> stat(std::string_view) override { return {}; }
  void list(std::string_view, const Visit&) override {}
  std::vector<std::string> children(std::string_view) override { return {}; }
  bool remove(std::string_view) override { return false; }

 private:
  class Full final : public stream::Sink {
   public:
    explicit Full(std::uint64_t room) : room_(room) {}
    void write(stream::Bytes data) override {
      if (data.size() > room_) throw Error(ErrorKind::kFailed, "the store is full");
      room_ -= data.size();
    }
    void finish() override {}

   private:
    std::uint64_t room_;
  };
  std::uint64_t room_;
};

TEST_F(ArchiveTreeTest, AFullStoreIsToldWhateverIsAhead) {
  put("file", std::string(6'000'000, 'x'));
  for (const std::uint64_t room : {0U, 600U, 1'000'000U, 5'999'000U}) {
    FullStore full(room);
    EXPECT_THAT(failure(ErrorKind::kFailed,
                        [&] {
                          ArchiveTree series(full, kTreeBackup, "data", form);
                          series.add_tree(folder.path(), all, {});
                          series.finish();
                        }),
                HasSubstr("the store is full"));
  }
}

TEST_F(ArchiveTreeTest, AStopIsHeard) {
  put("file", "x");
  std::stop_source stop;
  stop.request_stop();
  ArchiveTree series(store, kTreeBackup, "data", form);
  failure(ErrorKind::kCancelled, [&] { series.add_tree(folder.path(), all, stop.get_token()); });
}

TEST(IsBackedUp, WhatServersMakeAnewIsNot) {
  for (const char* folder :
       {"pg_wal", "pg_replslot", "pg_tblspc", "base", "base/5", "log", "pg_tblspc/16400"}) {
    EXPECT_TRUE(is_backed_up(folder, true)) << folder;
  }
  for (const char* file :
       {"pg_wal/000000010000000000000001", "pg_replslot/a/state", "log/x.log", "postmaster.pid",
        "postmaster.opts", "global/pg_control", "base/5/pg_internal.init", "base/5/pg_internal.init.123",
        "base/pgsql_tmp/pgsql_tmp1.0", "base/5/t3_16401", "backup_label", "standby.signal",
        "pg_tblspc/16400"}) {
    EXPECT_FALSE(is_backed_up(file, false)) << file;
  }
  EXPECT_FALSE(is_backed_up("base/pgsql_tmp", true));
  for (const char* file : {"PG_VERSION", "base/5/1259", "base/5/1259_fsm", "postgresql.conf",
                           "tablespace_map", "pg_tblspc/16400/PG_15_202209061/5/16401", "pg_xact/0000"}) {
    EXPECT_TRUE(is_backed_up(file, false)) << file;
  }
}

}  // namespace
}  // namespace barman::engine
