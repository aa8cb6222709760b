#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/file_names.h"
#include "store/memory_store.h"

namespace barman::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

BackupInfo backup(const std::string& id, BackupStatus status = BackupStatus::kDone) {
  BackupInfo info;
  info.id = {id};
  info.status = status;
  info.mode = "postgres";
  return info;
}

std::vector<std::string> ids_of(const std::vector<BackupInfo>& backups) {
  std::vector<std::string> ids;
  for (const BackupInfo& info : backups) ids.push_back(info.id.text);
  return ids;
}

class CatalogTest : public testing::Test {
 protected:
  store::MemoryStore meta_;
  store::MemoryStore base_;
  Catalog catalog_{meta_, base_};
};

TEST_F(CatalogTest, WhatWasSavedIsFoundAndListedByAge) {
  catalog_.save(backup("20260102T000000"));
  catalog_.save(backup("20260101T000000", BackupStatus::kFailed));
  EXPECT_EQ(ids_of(catalog_.list().backups),
            (std::vector<std::string>{"20260101T000000", "20260102T000000"}));
  ASSERT_TRUE(catalog_.find({"20260101T000000"}));
  EXPECT_EQ(catalog_.find({"20260101T000000"})->status, BackupStatus::kFailed);
  EXPECT_FALSE(catalog_.find({"20260103T000000"}));
  EXPECT_FALSE(catalog_.find({"../../etc"}));
}

TEST_F(CatalogTest, RecordsInTheOldPlaceAreReadAndTheNewPlaceWins) {
  store::write_text(base_, "20260101T000000/backup.info", format_backup_info(backup("20260101T000000")));
  store::write_text(base_, "20260102T000000/backup.info", "damaged");
  store::write_text(base_, "20260102T000000/data/PG_VERSION", "15");
  store::write_text(base_, "lost+found/backup.info", "not ours");
  catalog_.save(backup("20260102T000000"));
  const Listing listing = catalog_.list();
  EXPECT_EQ(ids_of(listing.backups), (std::vector<std::string>{"20260101T000000", "20260102T000000"}));
  EXPECT_TRUE(listing.damaged.empty());
  EXPECT_TRUE(catalog_.find({"20260101T000000"}));
}

TEST_F(CatalogTest, DamagedAndForeignEntriesAreNamedAndTheRestIsListed) {
  catalog_.save(backup("20260102T000000"));
  store::write_text(meta_, "20260101T000000-backup.info", "");
  store::write_text(meta_, "my copy-backup.info", format_backup_info(backup("20260101T000000")));
  store::write_text(meta_, "notes.txt", "hello");
  store::write_text(meta_, "20260102T000000-keep", "full");
  const Listing listing = catalog_.list();
  EXPECT_EQ(ids_of(listing.backups), std::vector<std::string>{"20260102T000000"});
  ASSERT_EQ(listing.damaged.size(), 2U);
  EXPECT_EQ(listing.damaged[0].name, "20260101T000000-backup.info");
  EXPECT_THAT(listing.damaged[0].reason, HasSubstr("cut short"));
  EXPECT_EQ(listing.damaged[1].name, "my copy-backup.info");
  EXPECT_THROW((void)catalog_.find({"20260101T000000"}), Error);
}

TEST_F(CatalogTest, AForgottenBackupLeavesNothing) {
  catalog_.save(backup("20260101T000000"));
  store::write_text(base_, "20260101T000000/backup.info", format_backup_info(backup("20260101T000000")));
  store::write_text(base_, "20260101T000000/annotations/keep", "full");
  catalog_.annotate({"20260101T000000"}, kDeleteThis, "delete");
  catalog_.forget({"20260101T000000"});
  EXPECT_TRUE(meta_.children("").empty());
  EXPECT_TRUE(base_.children("").empty());
}

TEST_F(CatalogTest, AnnotationsAreReadInBothPlaces) {
  store::write_text(base_, "20260101T000000/annotations/keep", "standalone\n");
  store::write_text(base_, "20260102T000000/annotations/keep", "standalone");
  catalog_.annotate({"20260102T000000"}, kKeep, "full");
  catalog_.annotate({"20260103T000000"}, kDeleteThis, "delete");
  EXPECT_EQ(catalog_.annotation({"20260101T000000"}, kKeep), "standalone");
  EXPECT_EQ(catalog_.annotations(kKeep), (std::map<BackupId, std::string>{{{"20260101T000000"}, "standalone"},
                                                                          {{"20260102T000000"}, "full"}}));
  catalog_.remove_annotation({"20260102T000000"}, kKeep);
  EXPECT_EQ(catalog_.annotation({"20260102T000000"}, kKeep), std::nullopt);
}

std::vector<BackupInfo> some_backups() {
  std::vector<BackupInfo> backups = {backup("20260101T000000", BackupStatus::kFailed),
                                     backup("20260102T000000"),
                                     backup("20260103T000000", BackupStatus::kFailed),
                                     backup("20260104T000000"),
                                     backup("20260105T000000", BackupStatus::kWaitingForWals),
                                     backup("20260106T000000", BackupStatus::kStarted)};
  backups[1].backup_name = "yearly";
  backups[2].backup_name = "broken";
  backups[3].backup_name = "twice";
  backups[4].backup_name = "twice";
  backups[4].parent_backup_id = backups[3].id;
  return backups;
}

std::string resolved(std::string_view word) {
  const auto found = resolve(some_backups(), word);
  return found ? found->id.text : "none";
}

TEST(Resolve, WordsStandForBackups) {
  EXPECT_EQ(resolved("latest"), "20260105T000000");
  EXPECT_EQ(resolved("last"), "20260105T000000");
  EXPECT_EQ(resolved("oldest"), "20260102T000000");
  EXPECT_EQ(resolved("first"), "20260102T000000");
  EXPECT_EQ(resolved("last-failed"), "20260103T000000");
  EXPECT_EQ(resolved("latest-full"), "20260104T000000");
  EXPECT_EQ(resolved("last-full"), "20260104T000000");
}

TEST(Resolve, OnlyWholeWordsCount) {
  for (const std::string_view part : {"fail", "failed", "l", "-", "", "LATEST", "auto"}) {
    EXPECT_EQ(resolved(part), "none") << part;
  }
}

TEST(Resolve, AnIdIsFoundWhateverItsStatusAndANameOnlyIfAvailable) {
  EXPECT_EQ(resolved("20260103T000000"), "20260103T000000");
  EXPECT_EQ(resolved("20260109T000000"), "none");
  EXPECT_EQ(resolved("yearly"), "20260102T000000");
  EXPECT_EQ(resolved("broken"), "none");
}

TEST(Resolve, ANameOfSeveralIsRefusedWithTheirIds) {
  try {
    (void)resolve(some_backups(), "twice");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    EXPECT_THAT(e.what(), HasSubstr("20260104T000000 20260105T000000"));
  }
}

TEST(Neighbours, AreTheNextAvailableOnes) {
  const auto backups = some_backups();
  EXPECT_EQ(previous_of(backups, {"20260104T000000"})->id.text, "20260102T000000");
  EXPECT_EQ(next_of(backups, {"20260102T000000"})->id.text, "20260104T000000");
  EXPECT_FALSE(previous_of(backups, {"20260102T000000"}));
  EXPECT_FALSE(next_of(backups, {"20260105T000000"}));
}

}  // namespace
}  // namespace barman::catalog
