#include "engine/cloud/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "catalog/file_names.h"
#include "engine/server/cloud_keys.h"
#include "store/watched_bucket.h"

namespace barman::engine {
namespace {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const BackupId kFirst{"20260101T000000"};
const BackupId kSecond{"20260102T000000"};
const BackupId kThird{"20260103T000000"};

class CloudCatalogueTest : public testing::Test {
 protected:
  void put(const BackupId& id, BackupStatus status = BackupStatus::kDone, const std::string& name = {}) {
    BackupInfo info{.id = id};
    info.status = status;
    if (!name.empty()) info.backup_name = name;
    store::write_text(bucket_.objects, backup_info_key(id), catalog::format_backup_info(info));
    store::write_text(bucket_.objects, archive_key(id, {.stem = "data"}), "data");
  }
  std::optional<std::string> resolved(const std::string& word) {
    const auto id = resolve_cloud_backup(catalogue_->list().backups, word, "main");
    return id ? std::optional(id->text) : std::nullopt;
  }

  store::WatchedBucket bucket_;
  CloudCatalogue catalogue_{bucket_};
};

TEST_F(CloudCatalogueTest, ListsAndFindsWhatTheBucketHas) {
  put(kSecond);
  put(kFirst, BackupStatus::kFailed);
  store::write_text(bucket_.objects, "base/20260105T000000/data.tar", "without a record");
  const catalog::Listing listing = catalogue_->list();
  ASSERT_EQ(listing.backups.size(), 2U);
  EXPECT_EQ(listing.backups.front().status, BackupStatus::kFailed);
  EXPECT_THAT(listing.damaged, testing::IsEmpty());
  EXPECT_EQ(catalogue_->find(kSecond)->status, BackupStatus::kDone);
  EXPECT_FALSE(catalogue_->find(kThird));
}

TEST_F(CloudCatalogueTest, ADamagedRecordIsNamed) {
  store::write_text(bucket_.objects, backup_info_key(kFirst), "nonsense");
  const catalog::Listing listing = catalogue_->list();
  ASSERT_EQ(listing.damaged.size(), 1U);
  EXPECT_EQ(listing.damaged.front().name, "20260101T000000/backup.info");
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { (void)catalogue_->find(kFirst); }),
              HasSubstr("backup.info of 20260101T000000, line 1"));
}

// Its deletion was begun.
TEST_F(CloudCatalogueTest, ABackupWithoutItsDataIsNotBelievedHoweverItIsAskedFor) {
  put(kFirst);
  bucket_.objects.remove(archive_key(kFirst, {.stem = "data"}));
  EXPECT_EQ(catalogue_->list().backups.front().status, BackupStatus::kFailed);
  EXPECT_EQ(catalogue_->find(kFirst)->status, BackupStatus::kFailed);
}

TEST_F(CloudCatalogueTest, KeepsInTheBucketAlone) {
  put(kFirst);
  put(kSecond);
  catalogue_->annotate(kFirst, catalog::kKeep, "standalone");
  store::write_text(bucket_.objects, annotation_key(kSecond, "keep"), "full\n");  // somebody else's
  EXPECT_EQ(store::read_text(bucket_.objects, "base/20260101T000000/annotations/keep"), "standalone");
  EXPECT_THAT(catalogue_->annotations(catalog::kKeep),
              ElementsAre(Pair(kFirst, "standalone"), Pair(kSecond, "full")));
  EXPECT_EQ(CloudCatalogue(bucket_)->annotation(kFirst, catalog::kKeep), "standalone");
  catalogue_->remove_annotation(kFirst, catalog::kKeep);
  EXPECT_EQ(bucket_.text(annotation_key(kFirst, "keep")), "(none)");
  EXPECT_EQ(catalogue_->annotation(kFirst, catalog::kKeep), std::nullopt);
}

TEST_F(CloudCatalogueTest, WordsMeanBackupsThatHaveEndedWellOrNot) {
  put(kFirst, BackupStatus::kFailed, "bad");
  put(kSecond, BackupStatus::kDone, "good");
  put(kThird, BackupStatus::kStarted, "begun");
  for (const char* word : {"first", "oldest", "last-failed", "bad", "20260101T000000"}) {
    EXPECT_EQ(resolved(word), kFirst.text) << word;
  }
  for (const char* word : {"last", "latest", "good"}) EXPECT_EQ(resolved(word), kSecond.text) << word;
  EXPECT_EQ(resolved("begun"), kThird.text);
  EXPECT_EQ(resolved("20260104T000000"), std::nullopt);
}

TEST_F(CloudCatalogueTest, ANameThatNobodyHasOrSeveralIsAMistake) {
  put(kFirst, BackupStatus::kDone, "same");
  put(kSecond, BackupStatus::kDone, "same");
  EXPECT_EQ(failure(ErrorKind::kUsage, [&] { (void)resolved("other"); }),
            "Unknown backup 'other' for server 'main'");
  EXPECT_THAT(failure(ErrorKind::kUsage, [&] { (void)resolved("same"); }), HasSubstr("several backups"));
}

}  // namespace
}  // namespace barman::engine
