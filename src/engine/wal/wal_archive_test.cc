#include "engine/wal/wal_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/expect_failure.h"
#include "engine/server/bucket_home.h"
#include "engine/wal/sample_segment.h"
#include "engine/wal/scratch_home.h"
#include "store/memory_store.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The same archive in a folder and in a bucket.
class AnyArchive : public testing::TestWithParam<bool> {
 protected:
  static constexpr const char* kOne = "000000010000000000000001";
  static constexpr const char* kTwo = "000000010000000000000002";
  static constexpr const char* kThree = "000000010000000000000003";
  static constexpr const char* kOfNextLog = "000000010000000100000000";
  static constexpr const char* kOfSecond = "000000020000000000000003";
  static constexpr const char* kLabel = "000000010000000000000002.00000028.backup";

  AnyArchive() {
    if (!GetParam()) return;
    scratch_.home.wals.clear();
    scratch_.home.xlogdb = scratch_.home.meta / "main-xlog.db";
    scratch_.home.wal_bucket =
        std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return store_; });
  }

  // Puts bytes where they would be archived; in a folder the suffix of their form shows nowhere.
  void put(const std::string& name, const std::string& bytes, const std::string& suffix = "") {
    const auto parsed = pgformat::parse_wal_name(name);
    if (GetParam()) {
      store::write_text(
          *store_, "wals/" + (fs::path(pgformat::hash_directory(*parsed)) / name).native() + suffix, bytes);
    } else {
      ScratchHome::write(scratch_.home.archived(*parsed, name), bytes);
    }
  }
  fs::path arrived(const std::string& name, const std::string& bytes) {
    const fs::path path = scratch_.home.incoming / name;
    ScratchHome::write(path, bytes);
    return path;
  }
  WalArchive& archive() {
    if (!archive_) archive_ = wal_archive(scratch_.home);
    return *archive_;
  }
  bool has(const std::string& name) { return find_archived(archive(), name).has_value(); }
  std::string plain(const std::string& name) {
    std::string text;
    copy_plain(archive(), *find_archived(archive(), name), {}, std::make_unique<stream::AppendTo>(text), {});
    return text;
  }

  std::shared_ptr<store::MemoryStore> store_ = std::make_shared<store::MemoryStore>();
  ScratchHome scratch_;
  std::unique_ptr<WalArchive> archive_;
};

INSTANTIATE_TEST_SUITE_P(WalArchive, AnyArchive, testing::Bool(),
                         [](const auto& where) { return where.param ? "InABucket" : "InAFolder"; });

TEST_P(AnyArchive, FindsAFileByItsPlainNameInWhateverForm) {
  put(kOne, sample_segment(kOne));
  put(kTwo, gzipped(sample_segment(kTwo)), ".gz");
  put(kLabel, "label");
  put("00000002.history", gzipped("1\t0/3000000\tno\n"), ".gz");
  const std::vector<std::string> names{kTwo, kThree, "00000002.history", kOne, "nonsense"};
  const auto found = archive().find(names);
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0]->entry.name, kTwo);
  EXPECT_EQ(found[0]->entry.size, gzipped(sample_segment(kTwo)).size());
  EXPECT_FALSE(found[1]);
  EXPECT_EQ(found[2]->parsed.kind, pgformat::WalKind::kHistory);
  EXPECT_EQ(found[3]->entry.size, kSampleSize);
  EXPECT_FALSE(found[4]);
  EXPECT_EQ(archive().describe(*found[0], {})->compression, "gzip");
  EXPECT_EQ(archive().describe(*found[3], {})->compression, std::nullopt);
}

TEST_P(AnyArchive, AnotherFileWhoseNameBeginsSoIsNotTaken) {
  put(kLabel, "label");
  put("000000010000000000000002.partial", "partial");
  EXPECT_FALSE(has(kTwo));
  EXPECT_TRUE(has(kLabel));
}

TEST_P(AnyArchive, ReadsPlain) {
  put(kOne, sample_segment(kOne));
  put(kTwo, gzipped(sample_segment(kTwo)), ".gz");
  EXPECT_EQ(plain(kOne), sample_segment(kOne));
  EXPECT_EQ(plain(kTwo), sample_segment(kTwo));
  std::string raw;
  stream::AppendTo into(raw);
  archive().read(*find_archived(archive(), kTwo), into);
  EXPECT_EQ(raw, gzipped(sample_segment(kTwo)));
}

TEST_P(AnyArchive, WhatIsCutShortIsCorruptAndNamed) {
  put(kOne, gzipped(sample_segment(kOne).substr(0, 5000)), ".gz");
  put(kTwo, "");
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { plain(kOne); }),
              testing::AllOf(HasSubstr(std::string("/") + kOne), HasSubstr("holds 5000 bytes of WAL")));
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { plain(kTwo); }), HasSubstr("it is empty"));
}

TEST_P(AnyArchive, FetchesIntoAFile) {
  put(kOne, sample_segment(kOne));
  put(kTwo, gzipped(sample_segment(kTwo)), ".gz");
  for (const char* name : {kOne, kTwo}) {
    const fs::path to = scratch_.home.meta / name;
    archive().fetch(*find_archived(archive(), name), {}, to, {});
    EXPECT_EQ(ScratchHome::read(to), sample_segment(name));
  }
}

TEST_P(AnyArchive, AFileThatGoesAwayIsNotTakenForAnEmptyOne) {
  put(kOne, sample_segment(kOne));
  const auto wal = find_archived(archive(), kOne);
  EXPECT_THAT(archive().remove(std::vector<std::string>{kOne}, 1000).absent, IsEmpty());
  std::string text;
  EXPECT_THAT(failure(ErrorKind::kFailed,
                      [&] { copy_plain(archive(), *wal, {}, std::make_unique<stream::AppendTo>(text), {}); }),
              HasSubstr(kOne));
}

TEST_P(AnyArchive, SmallTextsAreReadWholeAndNotWithoutLimit) {
  EXPECT_EQ(read_plain_text(archive(), "00000002.history", {}), std::nullopt);
  put("00000002.history", gzipped("1\t0/3000000\tno\n"), ".gz");
  put("00000003.history", gzipped(std::string(2000000, 'x')), ".gz");
  EXPECT_EQ(read_plain_text(archive(), "00000002.history", {}), "1\t0/3000000\tno\n");
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { (void)read_plain_text(archive(), "00000003.history", {}); }),
              HasSubstr("larger than"));
}

TEST_P(AnyArchive, KnowsTheNewestOfEachTimeline) {
  EXPECT_THAT(newest_archived(archive()), IsEmpty());
  put(kOne, "x");
  put(kOfNextLog, "x", ".zst");
  put("000000010000000200000000.partial", "x");
  put(kOfSecond, "x");
  put("00000003.history", "x");
  EXPECT_THAT(newest_archived(archive()), ElementsAre(std::pair(1U, *pgformat::parse_segment(kOfNextLog)),
                                                      std::pair(2U, *pgformat::parse_segment(kOfSecond))));
  EXPECT_EQ(newest_archived(archive(), 1), pgformat::parse_segment(kOfNextLog));
  EXPECT_EQ(newest_archived(archive(), 3), std::nullopt);
}

TEST_P(AnyArchive, ListsFoldersAndWhatIsInThem) {
  put(kOne, "x");
  put(kTwo, "x", ".zst");
  put(kLabel, "x");
  put("00000003.history", "x", ".gz");
  put("00000002.history", "x");
  EXPECT_THAT(archive().folders(), ElementsAre("0000000100000000"));
  EXPECT_THAT(archive().names_in("0000000100000000"), ElementsAre(kOne, kTwo, kLabel));
  EXPECT_THAT(archive().names_in(""), ElementsAre("00000002.history", "00000003.history"));
}

TEST_P(AnyArchive, NamesTheSegmentsThatAreMissing) {
  const auto missing = [&](const char* first, const char* last) {
    std::vector<std::string> names;
    visit_missing(archive(), *pgformat::parse_segment(first), *pgformat::parse_segment(last),
                  pgformat::kDefaultSegmentSize, [&](const pgformat::Segment& segment) {
                    names.push_back(pgformat::format_segment(segment));
                    return names.size() < 3;
                  });
    return names;
  };
  put("0000000100000000000000FF", "x");
  put("000000010000000100000001", "x", ".gz");
  EXPECT_THAT(missing("0000000100000000000000FF", "000000010000000100000002"),
              ElementsAre(kOfNextLog, "000000010000000100000002"));
  EXPECT_THAT(missing("0000000100000000000000FF", "0000000100000000000000FF"), IsEmpty());
  EXPECT_THAT(missing("000000010000000100000002", "000000010000000100000001"), IsEmpty());
  EXPECT_THAT(missing(kOne, "00000001000000FF00000000"), ElementsAre(kOne, kTwo, kThree));
  EXPECT_THAT(missing("00000001FFFFFFFF000000FF", "00000001FFFFFFFF000000FF"),
              ElementsAre("00000001FFFFFFFF000000FF"));
}

TEST_P(AnyArchive, RemovesAndSaysWhatWasNotThere) {
  put(kOne, "x");
  put(kTwo, "x", ".zst");
  put(kThree, "x");
  const WalRemains remains = archive().remove(std::vector<std::string>{kOne, kTwo, kOfNextLog}, 1000);
  EXPECT_THAT(remains.absent, ElementsAre(kOfNextLog));
  EXPECT_THAT(remains.present, IsEmpty());
  EXPECT_FALSE(has(kOne) || has(kTwo));
  EXPECT_TRUE(has(kThree));
}

TEST_P(AnyArchive, StoresWhatHasArrivedAndComparesItLater) {
  const std::string segment = sample_segment(kOne);
  const fs::path path = arrived(kOne, segment);
  const auto entry = archive().store(path, {}, {});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->name, kOne);
  EXPECT_EQ(entry->size, segment.size());
  EXPECT_EQ(entry->time, describe_file(path)->time);
  archive().settle(std::vector<std::string>{kOne}, {});
  EXPECT_EQ(plain(kOne), segment);

  const auto found = *find_archived(archive(), kOne);
  EXPECT_NE(archive().compare(path, found, {}), Likeness::kOther);
  fs::remove(path);
  EXPECT_EQ(archive().compare(arrived(kOne, segment), found, {}), Likeness::kSame);
  EXPECT_EQ(archive().compare(arrived(kOne, gzipped(segment)), found, {}), Likeness::kSame);
  EXPECT_EQ(archive().compare(arrived(kOne, sample_segment(kOne, 1)), found, {}), Likeness::kOther);
  EXPECT_EQ(archive().compare(arrived(kOne, gzipped(segment).substr(0, 300)), found, {}), Likeness::kOther);
}

TEST_P(AnyArchive, TellsWhereFilesAre) {
  put(kTwo, "x", ".zst");
  const std::vector<std::string> names{kOne, kTwo};
  const std::string folder = GetParam() ? "path/main/wals" : scratch_.home.wals.native();
  EXPECT_THAT(archive().places(names),
              ElementsAre(folder + "/0000000100000000/" + kOne,
                          folder + "/0000000100000000/" + kTwo + (GetParam() ? ".zst" : "")));
}

TEST_P(AnyArchive, VisitsAllAndNamesWhatIsForeign) {
  put(kOne, "x");
  put(kTwo, gzipped("x"), ".gz");
  put("00000002.history", "x");
  if (GetParam()) {
    store::write_text(*store_, "wals/junk", "x");
  } else {
    ScratchHome::write(scratch_.home.wals / "junk", "x");
  }
  std::vector<std::string> names;
  std::vector<std::string> foreign;
  archive().scan(nullptr, {.wal =
                               [&](const pgformat::WalName&, const catalog::WalEntry& entry) {
                                 names.push_back(entry.name + " " + entry.compression.value_or("plain"));
                               },
                           .foreign = [&](const std::string& place) { foreign.push_back(place); }});
  EXPECT_THAT(names, testing::UnorderedElementsAre(kOne + std::string(" plain"), kTwo + std::string(" gzip"),
                                                   "00000002.history plain"));
  EXPECT_THAT(foreign, ElementsAre(testing::EndsWith("wals/junk")));
}

}  // namespace
}  // namespace barman::engine
