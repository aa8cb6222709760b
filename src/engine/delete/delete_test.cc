#include "engine/delete/delete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "catalog/file_names.h"
#include "engine/delete/retention.h"
#include "engine/recorded_events.h"
#include "engine/server/home_catalog.h"
#include "engine/wal/scratch_home.h"
#include "engine/wal/xlog_index.h"
#include "os/lock_file.h"

namespace barman::engine {
namespace {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;
using catalog::DeletedBy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoppedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(std::chrono::seconds(1795350601)); }
  bool sleep(std::chrono::milliseconds /*pause*/, const std::stop_token& /*stop*/) override { return true; }
};

BackupId id(int day) { return {"2026010" + std::to_string(day) + "T000000"}; }
std::string segment(unsigned number) {
  return pgformat::format_segment({.timeline = 1, .log = 0, .seg = number});
}

class DeleteTest : public testing::Test {
 protected:
  DeleteTest() {
    for (unsigned i = 1; i <= 9; ++i) {
      ScratchHome::write(scratch_.home.wals / "0000000100000000" / segment(i), "x");
    }
    XlogIndex(scratch_.home, events_).rebuild();
  }

  // A backup whose only segment has the number of its day.
  BackupInfo backup(int day, int parent = 0) {
    BackupInfo info;
    info.id = id(day);
    info.status = BackupStatus::kDone;
    info.mode = "postgres";
    info.timeline = 1;
    info.begin_wal = segment(static_cast<unsigned>(day));
    info.end_wal = info.begin_wal;
    info.end_time = catalog::Timestamp{.instant = clock_.now()};
    if (parent != 0) info.parent_backup_id = id(parent);
    ScratchHome::write(scratch_.home.data(info.id) / "PG_VERSION", "15");
    ScratchHome::write(scratch_.home.backup(info.id) / "16385" / "file", "x");
    catalog_->save(info);
    return info;
  }

  [[nodiscard]] std::vector<std::string> backups() {
    std::vector<std::string> ids;
    for (const BackupInfo& info : catalog_->list().backups) ids.push_back(info.id.text);
    return ids;
  }
  [[nodiscard]] std::size_t archived() { return XlogIndex(scratch_.home, events_).read().size(); }
  [[nodiscard]] static bool exists(const std::filesystem::path& path) {
    return std::filesystem::exists(path);
  }

  ScratchHome scratch_;
  RecordedEvents events_;
  StoppedClock clock_;
  HomeCatalog catalog_{scratch_.home};
  Deletion deletion_{scratch_.home, *catalog_, {}, events_, clock_};
};

TEST_F(DeleteTest, NothingIsLeftOfABackup) {
  backup(3);
  EXPECT_TRUE(deletion_.remove(id(3), DeletedBy::kCommand));
  EXPECT_THAT(backups(), IsEmpty());
  EXPECT_FALSE(exists(scratch_.home.backup(id(3))));
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.home.meta));
  EXPECT_FALSE(exists(scratch_.home.id_lock(id(3))));
}

TEST_F(DeleteTest, ABackupThatIsKeptSinceThePlanWasMadeStays) {
  backup(3);
  catalog_->annotate(id(3), catalog::kKeep, "full");
  EXPECT_FALSE(deletion_.remove(id(3), DeletedBy::kCommand));
  EXPECT_TRUE(exists(scratch_.home.data(id(3)) / "PG_VERSION"));
  EXPECT_EQ(catalog_->annotation(id(3), catalog::kDeleteThis), std::nullopt);
}

TEST_F(DeleteTest, ADeletionThatHasBegunIsFinishedAlsoOfAKeptBackup) {
  backup(3);
  catalog_->annotate(id(3), catalog::kDeleteThis, "delete");
  catalog_->annotate(id(3), catalog::kKeep, "full");
  EXPECT_TRUE(deletion_.remove(id(3), DeletedBy::kRetention));
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.home.meta));
}

TEST_F(DeleteTest, WhatItDoesIsToldLineByLine) {
  backup(3);
  deletion_.remove(id(3), DeletedBy::kCommand);
  ASSERT_EQ(events_.infos.size(), 5U);
  EXPECT_EQ(events_.infos[0], "Deleting backup 20260103T000000 for server main");
  EXPECT_EQ(events_.infos[1], "Delete associated WAL segments:");
  EXPECT_EQ(events_.infos[2], "\t" + segment(1));
  EXPECT_EQ(events_.infos[3], "\t" + segment(2));
  EXPECT_THAT(events_.infos[4], HasSubstr("Deleted backup 20260103T000000 (start time: "));
  EXPECT_THAT(events_.infos[4], HasSubstr(", elapsed time: less than one second)"));
}

TEST_F(DeleteTest, OnlyTheOldestTakesItsWalAlong) {
  backup(3);
  backup(5);
  backup(7);
  deletion_.remove(id(5), DeletedBy::kCommand);
  EXPECT_EQ(archived(), 9U);
  deletion_.remove(id(3), DeletedBy::kCommand);
  EXPECT_EQ(archived(), 3U) << "7, 8 and 9 stay";
}

// By whoever holds the lock of the records: check-backup of the parent.
TEST_F(DeleteTest, AParentThatIsChangedMeanwhileLosesNeitherChange) {
  BackupInfo parent = backup(3);
  backup(5, 3);
  parent.children_backup_ids = {id(5)};
  catalog_->save(parent);
  {
    std::jthread deleting;
    const auto changing = os::LockFile::acquire(scratch_.home.records_lock());
    deleting = std::jthread([this] { deletion_.remove(id(5), DeletedBy::kCommand); });
    while (exists(scratch_.home.data(id(5)))) std::this_thread::yield();  // next is the parent
    parent.status = BackupStatus::kFailed;
    HomeCatalog(scratch_.home)->save(parent);
  }
  EXPECT_EQ(catalog_->find(id(3))->status, BackupStatus::kFailed);
  EXPECT_THAT(catalog_->find(id(3))->children_backup_ids, IsEmpty());
}

TEST_F(DeleteTest, LinksThatLeadOutAreNotFollowed) {
  backup(3);
  ScratchHome::write(scratch_.home.backup_directory / "tablespace" / "precious", "x");
  std::filesystem::create_directories(scratch_.home.data(id(3)) / "pg_tblspc");
  std::filesystem::create_symlink(scratch_.home.backup_directory / "tablespace",
                                  scratch_.home.data(id(3)) / "pg_tblspc" / "16386");
  deletion_.remove(id(3), DeletedBy::kCommand);
  EXPECT_TRUE(exists(scratch_.home.backup_directory / "tablespace" / "precious"));
}

TEST_F(DeleteTest, TheParentForgetsItsChild) {
  auto parent = backup(3);
  parent.children_backup_ids = {id(4), id(5)};
  catalog_->save(parent);
  backup(4, 3);
  backup(5, 3);
  deletion_.remove(id(4), DeletedBy::kCommand);
  EXPECT_THAT(catalog_->find(id(3))->children_backup_ids, ElementsAre(id(5)));
}

TEST_F(DeleteTest, WhatAnEarlierAttemptLeftIsRemovedByTheNext) {
  backup(3);
  backup(5);
  catalog_->annotate(id(3), catalog::kDeleteThis, "delete");
  std::filesystem::remove_all(scratch_.home.backup(id(3)));
  EXPECT_TRUE(deletion_.remove(id(3), DeletedBy::kCommand));
  EXPECT_THAT(backups(), ElementsAre(id(5).text));
  EXPECT_EQ(archived(), 5U);
}

TEST_F(DeleteTest, ABackupInUseIsLeftAlone) {
  backup(3);
  const auto lock = os::LockFile::try_acquire(scratch_.home.id_lock(id(3)));
  EXPECT_FALSE(deletion_.remove(id(3), DeletedBy::kCommand));
  EXPECT_THAT(backups(), ElementsAre(id(3).text));
  EXPECT_THAT(events_.infos, IsEmpty());
}

TEST_F(DeleteTest, WalIsKeptWhileADamagedRecordMayNeedIt) {
  backup(3);
  ScratchHome::write(scratch_.home.meta / "20260101T000000-backup.info", "damaged");
  deletion_.remove(id(3), DeletedBy::kCommand);
  EXPECT_EQ(archived(), 9U);
  ASSERT_EQ(events_.warnings.size(), 1U);
  EXPECT_THAT(events_.warnings[0], HasSubstr("20260101T000000-backup.info"));
}

TEST_F(DeleteTest, AnUnknownBackupIsRefused) {
  EXPECT_THROW(deletion_.remove(id(3), DeletedBy::kCommand), Error);
}

class RetentionTest : public DeleteTest {
 protected:
  void enforce(std::uint32_t redundancy) {
    enforce_retention(scratch_.home, *catalog_, {.policy = catalog::RetentionPolicy{.count = redundancy}}, {},
                      events_, clock_, {});
  }
};

TEST_F(RetentionTest, ObsoleteBackupsGoWithTheirIncrementalsAndTheirWal) {
  auto root = backup(2);
  root.children_backup_ids = {id(3)};
  catalog_->save(root);
  backup(3, 2);
  backup(5);
  backup(7);
  enforce(2);
  EXPECT_THAT(backups(), ElementsAre(id(5).text, id(7).text));
  EXPECT_EQ(archived(), 5U);
  EXPECT_EQ(events_.infos.front(),
            "Enforcing retention policy: removing backup 20260103T000000 for server main");
}

TEST_F(RetentionTest, WhatABackupInUseIsBuiltOnStays) {
  backup(1);
  backup(2, 1);
  backup(3, 2);
  backup(5);
  const auto in_use = os::LockFile::try_share(scratch_.home.id_lock(id(2)));
  ASSERT_TRUE(in_use);
  enforce(1);
  EXPECT_THAT(backups(), ElementsAre(id(1).text, id(2).text, id(5).text));
  EXPECT_THAT(
      events_.warnings,
      ElementsAre(
          HasSubstr("Backup 20260102T000000 of server main is deleted later: it is in use"),
          HasSubstr("Backup 20260101T000000 of server main is deleted later: a backup that is built on it")));
}

TEST_F(RetentionTest, WithoutAPolicyNothingGoes) {
  backup(2);
  catalog_->annotate(id(2), catalog::kDeleteThis, "delete");
  enforce_retention(scratch_.home, *catalog_, {}, {}, events_, clock_, {});
  EXPECT_THAT(backups(), ElementsAre(id(2).text));
}

TEST_F(RetentionTest, DeletionsThatWereCutShortAreFinished) {
  backup(2);
  backup(3);
  catalog_->annotate(id(3), catalog::kDeleteThis, "delete");
  std::filesystem::remove_all(scratch_.home.backup(id(3)));
  enforce(5);
  EXPECT_THAT(backups(), ElementsAre(id(2).text));
  EXPECT_THAT(events_.warnings, IsEmpty());
}

TEST_F(RetentionTest, OrphansAreOnlyWarnedOf) {
  backup(2);
  backup(3);
  std::filesystem::remove_all(scratch_.home.backup(id(2)));
  enforce(1);
  EXPECT_THAT(backups(), ElementsAre(id(2).text, id(3).text));
  ASSERT_EQ(events_.warnings.size(), 1U);
  EXPECT_THAT(events_.warnings[0], HasSubstr(id(2).text));
}

TEST_F(RetentionTest, NothingGoesWhileARecordIsDamaged) {
  backup(2);
  backup(3);
  ScratchHome::write(scratch_.home.meta / "20260101T000000-backup.info", "damaged");
  enforce(1);
  EXPECT_THAT(backups(), ElementsAre(id(2).text, id(3).text));
  EXPECT_THAT(events_.warnings.at(0), HasSubstr("20260101T000000-backup.info"));
}

TEST_F(RetentionTest, ItWaitsForARunningBackup) {
  backup(2);
  backup(3);
  const auto lock = os::LockFile::try_acquire(scratch_.home.backup_lock());
  enforce(1);
  EXPECT_THAT(backups(), ElementsAre(id(2).text, id(3).text));
}

}  // namespace
}  // namespace barman::engine
