#include "engine/server/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::ElementsAre;
using testing::HasSubstr;

// A full backup and two incremental ones, each on top of the one before.
class Chain : public testing::Test {
 protected:
  Chain() {
    for (int i = 1; i <= 3; ++i) {
      BackupInfo info{.id = {"2026010" + std::to_string(i) + "T000000"}};
      info.mode = "postgres";
      info.status = BackupStatus::kDone;
      info.systemid = "7711";
      info.version = 170006;
      info.begin_xlog = pgformat::Lsn{static_cast<std::uint64_t>(i) * 0x1000000 + 0x28};
      if (i > 1) {
        info.parent_backup_id = backups.back().id;
        info.backup_label =
            "START WAL LOCATION: 0/9000028 (file 000000010000000000000009)\nINCREMENTAL FROM LSN: " +
            pgformat::format_lsn(*backups.back().begin_xlog) + "\n";
      }
      backups.push_back(info);
    }
  }

  std::string refusal() {
    try {
      chain_of(backups, backups.back());
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kRefused);
      return e.what();
    }
    return "none";
  }

  std::vector<BackupInfo> backups;
};

std::vector<std::string> days_of(const std::vector<BackupInfo>& chain) {
  std::vector<std::string> days;
  for (const BackupInfo& info : chain) days.push_back(info.id.text.substr(6, 2));
  return days;
}

TEST_F(Chain, GoesFromTheFullBackupToTheOneAskedFor) {
  EXPECT_THAT(days_of(chain_of(backups, backups[2])), ElementsAre("01", "02", "03"));
  EXPECT_THAT(days_of(chain_of(backups, backups[1])), ElementsAre("01", "02"));
  EXPECT_THAT(days_of(chain_of(backups, backups[0])), ElementsAre("01"));
}

TEST_F(Chain, NamesTheMemberThatIsMissing) {
  backups.erase(backups.begin());
  EXPECT_THAT(refusal(),
              HasSubstr("backup 20260102T000000 is built on backup 20260101T000000, which is missing"));
}

TEST_F(Chain, NamesTheMemberThatFailed) {
  backups[1].status = BackupStatus::kFailed;
  EXPECT_THAT(refusal(),
              HasSubstr("backup 20260103T000000 is built on backup 20260102T000000, whose status is FAILED"));
}

TEST_F(Chain, MayWaitForWal) {
  backups[0].status = BackupStatus::kWaitingForWals;
  EXPECT_EQ(chain_of(backups, backups[2]).size(), 3U);
}

TEST_F(Chain, IsOfOneClusterAndOneMajorVersion) {
  backups[0].systemid = "7712";
  EXPECT_THAT(refusal(),
              HasSubstr("20260101T000000, which is of another cluster: system identifier 7712, not 7711"));
  backups[0].systemid = "7711";
  backups[0].version = 180001;
  EXPECT_THAT(refusal(), HasSubstr("of PostgreSQL 18, not 17"));
}

TEST_F(Chain, IsInOrder) {
  backups[0].begin_xlog = pgformat::Lsn{0x9000028};
  EXPECT_THAT(refusal(), HasSubstr("begins later"));
  backups[0].begin_xlog = pgformat::Lsn{0x28};
  EXPECT_THAT(
      refusal(),
      HasSubstr("which begins at 0/28, but by its label it is built on one that begins at 0/1000028"));
}

TEST_F(Chain, EndsWhenItTurnsInACircle) {
  backups[0].parent_backup_id = backups[2].id;
  backups[0].begin_xlog.reset();
  backups[2].begin_xlog.reset();
  EXPECT_THAT(refusal(), HasSubstr("which is built on itself"));
}

TEST_F(Chain, DoesNotStartWithABackupByRsync) {
  backups[0].mode = "rsync-concurrent";
  EXPECT_THAT(refusal(), HasSubstr("which was taken by rsync-concurrent"));
}

}  // namespace
}  // namespace barman::engine
