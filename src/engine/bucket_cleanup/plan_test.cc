#include "engine/bucket_cleanup/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/bucket_cleanup/cleanup.h"
#include "engine/server/home_catalog.h"
#include "engine/server/scratch_bucket.h"
#include "engine/upload/acting_clock.h"
#include "os/lock_file.h"

namespace barman::engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const catalog::BackupId kDead{"20260101T000000"};
const catalog::BackupId kOther{"20260102T000000"};

class BucketCleanupTest : public testing::Test {
 protected:
  BucketCleanupTest() { home().wal_bucket = home().backup_bucket; }

  Home& home() { return scratch_.home(); }
  store::WatchedBucket& bucket() { return *scratch_.bucket; }
  void put(const std::string& key, std::chrono::hours age, const std::string& text = "12345") {
    bucket().objects.set_time(clock_.now() - age);
    scratch_.put(key, text);
  }
  void put_record(const catalog::BackupInfo& info, std::chrono::hours age = kOld) {
    put(backup_info_key(info.id), age, catalog::format_backup_info(info));
  }
  static catalog::BackupInfo record(const catalog::BackupId& id, catalog::BackupStatus status) {
    catalog::BackupInfo info;
    info.id = id;
    info.status = status;
    info.mode = "postgres";
    return info;
  }
  void upload(const std::string& key, std::chrono::hours age) {
    bucket().objects.set_time(clock_.now() - age);
    (void)bucket().objects.inspection().send_part(bucket().objects.inspection().begin_upload(key), 1,
                                                  stream::bytes_of("123"));
  }
  [[nodiscard]] CleanupPlan plan(std::chrono::hours limit = std::chrono::hours(24), RemovalRules rules = {}) {
    return plan_cleanup(home(), rules, limit, clock_.now());
  }
  // What the plan would remove.
  [[nodiscard]] std::vector<std::string> names(std::chrono::hours limit = std::chrono::hours(24),
                                               RemovalRules rules = {}) {
    std::vector<std::string> names;
    for (const LeftOver& one : plan(limit, rules).left_overs) names.push_back(one.name);
    return names;
  }
  // Does it, and returns what was not removed.
  std::vector<std::string> clean(const CleanupPlan& plan) {
    std::vector<std::string> failures;
    clean_up(home(), plan, {}, clock_,
             [&](const LeftOver& one, const std::string& failure) {
               if (!failure.empty()) failures.push_back(one.name + ": " + failure);
             },
             {});
    return failures;
  }
  [[nodiscard]] std::vector<std::string> uploads() {
    std::vector<std::string> keys;
    for (const auto& one : bucket().objects.unfinished_uploads("")) keys.push_back(one.key);
    return keys;
  }

  static constexpr std::chrono::hours kOld{24};
  static constexpr std::chrono::hours kYoung{23};
  ActingClock clock_;
  ScratchBucket scratch_;
};

TEST_F(BucketCleanupTest, ABackupWithoutARecordGoesWhenItsNewestObjectIsOld) {
  put(backup_folder(kDead) + "data.tar", std::chrono::hours(100));
  put(backup_folder(kDead) + "16385.tar", kOld);
  const CleanupPlan found = plan();
  ASSERT_EQ(found.left_overs.size(), 1U);
  const LeftOver& one = found.left_overs[0];
  EXPECT_EQ(one.kind, LeftOver::Kind::kBackup);
  EXPECT_EQ(one.name, "path/main/base/20260101T000000/");
  EXPECT_EQ(one.bytes, 10U);
  EXPECT_EQ(one.newest, clock_.now() - kOld);
  EXPECT_THAT(clean(found), IsEmpty());
  EXPECT_THAT(bucket().keys(), IsEmpty());
}

TEST_F(BucketCleanupTest, ABackupWithoutARecordStaysWhileSomethingOfItIsYoung) {
  put(backup_folder(kDead) + "data.tar", std::chrono::hours(100));
  put(backup_folder(kDead) + "16385.tar", kYoung);
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(names(kYoung), ElementsAre("path/main/base/20260101T000000/"));
  upload(backup_folder(kDead) + "16386.tar", std::chrono::hours(1));
  EXPECT_THAT(names(kYoung), IsEmpty()) << "an upload is a sign of life, too";
}

TEST_F(BucketCleanupTest, ABackupWithARecordStaysWhateverItsState) {
  using catalog::BackupStatus;
  for (const BackupStatus status :
       {BackupStatus::kEmpty, BackupStatus::kStarted, BackupStatus::kWaitingForWals, BackupStatus::kDone,
        BackupStatus::kFailed}) {
    put_record(record(kDead, status));
    put(backup_folder(kDead) + "data.tar", kOld);
    EXPECT_THAT(names(), IsEmpty());
  }
  put(backup_info_key(kDead), kOld, "not a record");
  EXPECT_THAT(names(), IsEmpty()) << "nor one that cannot be read";
}

TEST_F(BucketCleanupTest, ABackupThatOnlyThisHostHasARecordOfStays) {
  put(backup_folder(kDead) + "data.tar", kOld);
  ScratchHome::write(home().meta / (kDead.text + "-backup.info"),
                     catalog::format_backup_info(record(kDead, catalog::BackupStatus::kDone)));
  EXPECT_THAT(names(), IsEmpty());
  ScratchHome::write(home().meta / (kDead.text + "-backup.info"), "damaged");
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(BucketCleanupTest, AKeptBackupStaysAlsoWithoutARecord) {
  put(backup_folder(kDead) + "data.tar", kOld);
  put(annotation_key(kDead, "keep"), kOld, "full");
  const CleanupPlan found = plan();
  EXPECT_THAT(found.left_overs, IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre(AllOf(HasSubstr(kDead.text), HasSubstr("it is kept"))));
  bucket().objects.remove(annotation_key(kDead, "keep"));
  ScratchHome::write(home().meta / (kDead.text + "-keep"), "full");
  EXPECT_THAT(names(), IsEmpty()) << "here or there";
}

TEST_F(BucketCleanupTest, ABackupThatSomebodyUsesStays) {
  put(backup_folder(kDead) + "data.tar", kOld);
  const CleanupPlan before = plan();
  const auto lock = os::LockFile::try_share(home().id_lock(kDead));
  ASSERT_TRUE(lock);
  EXPECT_THAT(plan().notes, ElementsAre(HasSubstr("it is in use by another process")));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(clean(before), ElementsAre(HasSubstr("in use by another process")))
      << "also if it began just now";
  EXPECT_THAT(bucket().keys(), ElementsAre(backup_folder(kDead) + "data.tar"));
}

TEST_F(BucketCleanupTest, ABackupThatOthersAreBuiltOnStays) {
  put(backup_folder(kDead) + "data.tar", kOld);
  catalog::BackupInfo child = record(kOther, catalog::BackupStatus::kDone);
  child.parent_backup_id = kDead;
  put_record(child);
  EXPECT_THAT(plan().notes, ElementsAre(HasSubstr("backup 20260102T000000 is built on it")));
  put(backup_info_key(kOther), kOld, "not a record");
  EXPECT_THAT(plan().notes, ElementsAre(HasSubstr("cannot be read and may need it")));
  bucket().objects.remove(backup_info_key(kOther));
  (*HomeCatalog(home())).save(child);
  bucket().objects.remove(backup_info_key(kOther));
  EXPECT_THAT(plan().notes, ElementsAre(HasSubstr("backup 20260102T000000 is built on it")))
      << "known here only";
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(BucketCleanupTest, WhatIsLockedInTheBucketStaysIfThatIsAskedFor) {
  put(backup_folder(kDead) + "data.tar", kOld);
  put(backup_folder(kDead) + "16385.tar", kOld);
  bucket().locked = {backup_folder(kDead) + "data.tar"};
  EXPECT_THAT(plan(kOld, {.check_locks = true}).notes,
              ElementsAre(HasSubstr("data.tar is locked in the bucket")));
  EXPECT_THAT(names(kOld, {.check_locks = true}), IsEmpty());
  EXPECT_THAT(names().size(), 1U);
}

TEST_F(BucketCleanupTest, WhatChangesBetweenPlanAndRemovalStays) {
  put(backup_folder(kDead) + "data.tar", kOld);
  const CleanupPlan found = plan();
  put_record(record(kDead, catalog::BackupStatus::kDone), std::chrono::hours(0));
  EXPECT_THAT(clean(found), ElementsAre(HasSubstr("somebody changed it just now")));
  EXPECT_EQ(bucket().keys().size(), 2U);
  bucket().objects.remove(backup_info_key(kDead));
  upload(backup_folder(kDead) + "16385.tar", std::chrono::hours(0));
  EXPECT_THAT(clean(found), ElementsAre(HasSubstr("somebody changed it just now")));
  EXPECT_EQ(bucket().keys().size(), 1U);
}

TEST_F(BucketCleanupTest, OldUploadsGoYoungOnesStay) {
  put_record(record(kOther, catalog::BackupStatus::kDone));
  put(backup_folder(kOther) + "data.tar", kOld);
  upload(backup_folder(kOther) + "16385.tar", kOld);
  upload(backup_folder(kOther) + "16386.tar", kYoung);
  upload(backup_folder(kDead) + "data.tar", kOld);
  upload("wals/0000000100000000/000000010000000000000001", kOld);
  upload("wals/0000000100000000/000000010000000000000002", kYoung);
  upload("elsewhere", kOld);
  const CleanupPlan found = plan();
  EXPECT_THAT(names(), UnorderedElementsAre("path/main/base/20260102T000000/16385.tar",
                                            "path/main/base/20260101T000000/data.tar",
                                            "path/main/wals/0000000100000000/000000010000000000000001"));
  EXPECT_EQ(found.left_overs[0].bytes, 3U);
  EXPECT_THAT(clean(found), IsEmpty());
  EXPECT_THAT(uploads(), UnorderedElementsAre(backup_folder(kOther) + "16386.tar",
                                              "wals/0000000100000000/000000010000000000000002", "elsewhere"));
  EXPECT_EQ(bucket().keys(backup_folder(kOther)).size(), 2U) << "the objects of a backup are its own";
}

TEST_F(BucketCleanupTest, UploadsOfABackupThatOthersMayBeTakingStay) {
  for (const auto status : {catalog::BackupStatus::kEmpty, catalog::BackupStatus::kStarted}) {
    put_record(record(kOther, status));
    upload(backup_folder(kOther) + "data.tar", kOld);
    EXPECT_THAT(names(), IsEmpty());
    EXPECT_THAT(plan().notes, ElementsAre(HasSubstr("being taken by another host")));
  }
  put(backup_info_key(kOther), kOld, "not a record");
  EXPECT_THAT(names(), IsEmpty()) << "it may be";
}

TEST_F(BucketCleanupTest, UploadsOfABackupThatDiedOnThisHostGo) {
  const catalog::BackupInfo started = record(kOther, catalog::BackupStatus::kStarted);
  put_record(started);
  put(backup_folder(kOther) + "16385.tar", kOld);
  ScratchHome::write(home().meta / (kOther.text + "-backup.info"), catalog::format_backup_info(started));
  upload(backup_folder(kOther) + "data.tar", kOld);
  EXPECT_THAT(names(), ElementsAre("path/main/base/20260102T000000/data.tar"));
  EXPECT_THAT(clean(plan()), IsEmpty());
  EXPECT_EQ(bucket().keys().size(), 2U) << "that is for barman delete";
}

TEST_F(BucketCleanupTest, WhatChecksPutGoesAndNothingThatLooksAlmostSo) {
  put("base/.barman-check-12", kOld);
  put("wals/.barman-check-12-34-object", kOld);
  for (const char* key :
       {"base/.barman-check-mine", "wals/.barman-check-1.txt", ".barman-check-12", "base/notes",
        "base/20260103T000000", "wals/0000000100000000/000000010000000000000001", "wals/00000002.history",
        "other/base/20260101T000000/data.tar"}) {
    put(key, kOld);
  }
  put("base/.barman-check-13", kYoung);
  const auto all = bucket().keys();
  EXPECT_THAT(names(),
              ElementsAre("path/main/base/.barman-check-12", "path/main/wals/.barman-check-12-34-object"));
  EXPECT_THAT(clean(plan()), IsEmpty());
  EXPECT_EQ(bucket().keys().size(), all.size() - 2);
}

TEST_F(BucketCleanupTest, EachThingIsLookedForInItsOwnBucket) {
  const auto other = std::make_shared<store::WatchedBucket>();
  home().wal_bucket = std::make_shared<BucketHome>("s3://wal/w", "main", [other] { return other; });
  store::write_text(other->objects, "wals/.barman-check-1", "x");
  store::write_text(other->objects, "base/.barman-check-1", "of another server");
  store::write_text(other->objects, backup_folder(kDead) + "data.tar", "of another server");
  put("wals/.barman-check-1", kOld);
  EXPECT_THAT(names(), ElementsAre("w/main/wals/.barman-check-1"));
  EXPECT_THAT(clean(plan()), IsEmpty());
  EXPECT_EQ(other->keys().size(), 2U);
  EXPECT_EQ(bucket().keys().size(), 1U);
}

TEST_F(BucketCleanupTest, PlanningChangesNothing) {
  put(backup_folder(kDead) + "data.tar", kOld);
  put("base/.barman-check-12", kOld);
  upload(backup_folder(kDead) + "16385.tar", kOld);
  const auto before = bucket().keys();
  bucket().before = [](const std::string& request) {
    ASSERT_THAT(request, testing::ContainsRegex("^(LIST|GET|HEAD|UPLOADS|PARTS) "));
  };
  EXPECT_EQ(names().size(), 3U);
  EXPECT_EQ(bucket().keys(), before);
  EXPECT_EQ(uploads().size(), 1U);
}

TEST_F(BucketCleanupTest, AClockOfTheStoreThatIsAheadHidesNothing) {
  put("base/.barman-check-12", std::chrono::hours(-1));
  EXPECT_THAT(names(std::chrono::hours(0)), ElementsAre("path/main/base/.barman-check-12"));
  EXPECT_THAT(names(std::chrono::hours(1)), IsEmpty());
}

TEST_F(BucketCleanupTest, WhatCannotBeRemovedIsNamedAndTheRestGoes) {
  put("base/.barman-check-12", kOld);
  put(backup_folder(kDead) + "data.tar", kOld);
  put(backup_folder(kDead) + "16385.tar", kOld);
  upload(backup_folder(kOther) + "data.tar", kOld);
  bucket().undeletable = {"base/.barman-check-12", backup_folder(kDead) + "data.tar"};
  bucket().before = [](const std::string& request) {
    if (request.starts_with("WITHDRAW")) throw Error(ErrorKind::kFailed, "no s3:AbortMultipartUpload");
  };
  EXPECT_THAT(
      clean(plan()),
      UnorderedElementsAre(HasSubstr("base/.barman-check-12: AccessDenied"),
                           HasSubstr("1 of 2 objects could not be removed: base/20260101T000000/data.tar"),
                           HasSubstr("no s3:AbortMultipartUpload")));
  EXPECT_EQ(bucket().keys().size(), 2U);
}

TEST_F(BucketCleanupTest, AStopEndsItBetweenTwo) {
  put("base/.barman-check-12", kOld);
  put("base/.barman-check-13", kOld);
  std::stop_source stop;
  try {
    clean_up(
        home(), plan(), {}, clock_, [&](const LeftOver&, const std::string&) { stop.request_stop(); },
        stop.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_EQ(bucket().keys().size(), 1U);
}

TEST_F(BucketCleanupTest, AListingThatBreaksOffRemovesNothing) {
  put(backup_folder(kDead) + "data.tar", kOld);
  for (const char* request : {"LIST base/", "UPLOADS base/", "LIST wals/", "UPLOADS wals/"}) {
    bucket().before = [request](const std::string& seen) {
      if (seen.starts_with(request)) throw Error(ErrorKind::kTransient, "the connection is gone");
    };
    EXPECT_THROW((void)plan(), Error) << request;
  }
}

}  // namespace
}  // namespace barman::engine
