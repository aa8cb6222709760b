#include "engine/wal/xlog_index.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/wal/scratch_home.h"

namespace barman::engine {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class XlogIndexTest : public testing::Test {
 protected:
  void put(std::string_view text) { ScratchHome::write(scratch_.home.xlogdb, text); }
  [[nodiscard]] std::string text() const { return ScratchHome::read(scratch_.home.xlogdb); }

  void archive(const std::string& place, std::string_view content, time_t seconds) {
    const auto path = scratch_.home.wals / place;
    ScratchHome::write(path, content);
    const timespec times[2] = {{seconds, 0}, {seconds, 500000000}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  [[nodiscard]] std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const auto& entry : index_.read()) found.push_back(entry.name);
    return found;
  }

  ScratchHome scratch_;
  RecordedEvents events_;
  XlogIndex index_{scratch_.home, events_};
};

const catalog::WalEntry kFirst{.name = "000000010000000000000001", .size = 16777216, .time = 1406019022.5};
const catalog::WalEntry kSecond{
    .name = "000000010000000000000002", .size = 5, .time = 1406019026, .compression = "gzip"};

constexpr auto kLineOne = "000000010000000000000001\t16777216\t1406019022.5\tNone\tNone\n"sv;
constexpr auto kLineTwo = "000000010000000000000002\t5\t1406019026.0\tgzip\tNone\n"sv;

TEST_F(XlogIndexTest, AppendsLinesAsThePythonBarmanWritesThem) {
  put("");
  index_.append({&kFirst, 1});
  index_.append({&kSecond, 1});
  EXPECT_EQ(text(), std::string(kLineOne) + std::string(kLineTwo));
  EXPECT_THAT(index_.read(), ElementsAre(kFirst, kSecond));
}

TEST_F(XlogIndexTest, ReadsTheThreeAndFourFieldsOfOldVersions) {
  put("000000010000000000000001 16777216 1406019022.5\n000000010000000000000002\t5\t1406019026.0\tgzip\n");
  EXPECT_THAT(index_.read(), ElementsAre(kFirst, kSecond));
  EXPECT_THAT(events_.warnings, IsEmpty());
}

TEST_F(XlogIndexTest, LinesThatAreNoEntriesAreNamedAndSkipped) {
  put(std::string(kLineOne) + "garbage\n../../etc/passwd 1 2 None None\n" + std::string(kLineTwo) + "\n");
  EXPECT_THAT(index_.read(), ElementsAre(kFirst, kSecond));
  EXPECT_THAT(events_.warnings, ElementsAre(HasSubstr("line 2:"), HasSubstr("line 3:")));
}

TEST_F(XlogIndexTest, ALineIsNumberedRightFarFromTheStart) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += kLineOne;
  put(many + "garbage\n" + std::string(kLineTwo) + "00000001000000000000000");
  EXPECT_EQ(index_.read().size(), 20'001U);
  EXPECT_THAT(events_.warnings, ElementsAre(HasSubstr("line 20001:"), HasSubstr("line 20003:")));
}

TEST_F(XlogIndexTest, MissingIsRebuiltFromTheArchive) {
  archive("0000000100000000/000000010000000000000001", "plain", 100);
  archive("0000000100000000/000000010000000000000001.00000028.backup", "START", 100);
  archive("0000000100000000/000000010000000000000002", "\x1f\x8b\x08zip", 101);
  archive("0000000100000000/000000010000000000000003.partial", "part", 102);
  archive("0000000200000000/000000020000000000000003", "\x84\x5e\x03secret", 103);
  archive("00000002.history", "1\t0/3000000\tno\n", 103);
  (void)index_.read();
  EXPECT_EQ(text(),
            "000000010000000000000001\t5\t100.5\tNone\tNone\n"
            "000000010000000000000001.00000028.backup\t5\t100.5\tNone\tNone\n"
            "000000010000000000000002\t6\t101.5\tgzip\tNone\n"
            "000000010000000000000003.partial\t4\t102.5\tNone\tNone\n"
            "000000020000000000000003\t9\t103.5\tNone\tgpg\n"
            "00000002.history\t15\t103.5\tNone\tNone\n");
  EXPECT_THAT(events_.warnings, IsEmpty());
}

TEST_F(XlogIndexTest, RebuildCountsAndNamesWhatIsNoWalInItsPlace) {
  archive("0000000100000000/000000010000000000000001", "plain", 100);
  archive("0000000100000000/000000020000000000000001", "in another's folder", 100);
  archive("0000000100000000/x.tmp", "", 100);
  archive("0000000100000000/.000000010000000000000001.ab.tmp", "in the making", 100);
  archive("0000000100000000/nested/000000010000000000000001", "", 100);
  archive("000000010000000000000009", "at the top", 100);
  archive("00000002.history", "", 100);
  archive("main-xlog.db.old", "", 100);
  put("what was there before\n");
  EXPECT_EQ(index_.rebuild(), (XlogIndex::Rebuilt{.histories = 1, .backup_labels = 0, .segments = 1}));
  EXPECT_THAT(names(), ElementsAre("000000010000000000000001", "00000002.history"));
  EXPECT_EQ(events_.warnings.size(), 4U);
}

TEST_F(XlogIndexTest, AServerThatNeverArchivedHasNoIndexAndGetsNone) {
  std::filesystem::remove_all(scratch_.home.wals);
  EXPECT_THAT(index_.read(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(scratch_.home.xlogdb));
}

TEST_F(XlogIndexTest, ALastLineCutAnywhereIsNeverTrustedAndIsRepairedByTheNextAppend) {
  archive("0000000100000000/000000010000000000000001", std::string(7, 'x'), 1);
  archive("0000000100000000/000000010000000000000002", std::string(5, 'x'), 2);
  const std::string one = "000000010000000000000001\t7\t1.5\tNone\tNone\n";
  const std::string two = "000000010000000000000002\t5\t2.5\tNone\tNone\n";
  const catalog::WalEntry entry{.name = "000000010000000000000002", .size = 5, .time = 2.5};
  for (std::size_t size = 1; size + 1 < two.size(); ++size) {
    put(one + two.substr(0, size));
    EXPECT_THAT(names(), ElementsAre("000000010000000000000001")) << "cut after " << size;
    index_.append({&entry, 1});
    EXPECT_EQ(text(), one + two) << "cut after " << size;
  }
}

TEST_F(XlogIndexTest, ALastLineThatLacksOnlyItsEndOfLineIsKept) {
  put(kLineOne.substr(0, kLineOne.size() - 1));
  EXPECT_THAT(index_.read(), ElementsAre(kFirst));
  index_.append({&kSecond, 1});
  EXPECT_EQ(text(), std::string(kLineOne) + std::string(kLineTwo));
  EXPECT_THAT(events_.warnings, IsEmpty());
}

TEST_F(XlogIndexTest, AppendToAMissingIndexDoesNotDoubleWhatTheRebuildFound) {
  archive("0000000100000000/000000010000000000000001", "plain", 100);
  index_.append({&kFirst, 1});
  EXPECT_THAT(names(), ElementsAre("000000010000000000000001"));
}

TEST_F(XlogIndexTest, AppendMissingAddsOnlyWhatIsNotThere) {
  put(kLineOne);
  const catalog::WalEntry both[] = {kFirst, kSecond};
  EXPECT_EQ(index_.append_missing(both), 1U);
  EXPECT_EQ(index_.append_missing(both), 0U);
  EXPECT_EQ(text(), std::string(kLineOne) + std::string(kLineTwo));
}

TEST_F(XlogIndexTest, RemoveTellsWhatGoesBeforeItIsGone) {
  put(std::string(kLineOne) + "garbage stays\n" + std::string(kLineTwo));
  std::vector<std::string> going;
  index_.remove([](const auto& entry) { return entry.name == kFirst.name; },
                [&](auto entries) {
                  for (const auto& entry : entries) going.push_back(entry.name);
                  EXPECT_THAT(text(), HasSubstr(kFirst.name)) << "the index still has it";
                });
  EXPECT_THAT(going, ElementsAre(kFirst.name));
  EXPECT_EQ(text(), "garbage stays\n" + std::string(kLineTwo));
}

TEST_F(XlogIndexTest, RemoveThatFailsLeavesTheIndexAsItWas) {
  put(kLineOne);
  const auto fail = [](auto) { throw Error(ErrorKind::kFailed, "no permission"); };
  EXPECT_THROW(index_.remove([](const auto&) { return true; }, fail), Error);
  EXPECT_EQ(text(), kLineOne);
}

TEST_F(XlogIndexTest, RemoveOfNothingCallsNobody) {
  put(kLineOne);
  index_.remove([](const auto&) { return false; }, [](auto) { FAIL(); });
  EXPECT_EQ(text(), kLineOne);
}

TEST_F(XlogIndexTest, WhatAKilledRebuildLeftIsRemovedByTheNext) {
  archive(".main-xlog.db.0badcafe.tmp", "half", 100);
  index_.rebuild();
  EXPECT_FALSE(std::filesystem::exists(scratch_.home.wals / ".main-xlog.db.0badcafe.tmp"));
}

TEST_F(XlogIndexTest, TwoHundredThousandLines) {
  std::string lines;
  for (int i = 0; i < 200000; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "00000001%08X%08X", i / 256, i % 256);
    lines += std::string(name) + "\t16777216\t1795354630.1062977\tNone\tNone\n";
  }
  put(lines);
  const auto entries = index_.read();
  ASSERT_EQ(entries.size(), 200000U);
  EXPECT_EQ(entries.back().name,
            "00000001"
            "0000030D"
            "0000003F");
}

}  // namespace
}  // namespace barman::engine
