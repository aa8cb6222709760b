// Deleting backups whose data is in a bucket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/file_names.h"
#include "engine/delete/delete.h"
#include "engine/delete/retention.h"
#include "engine/recorded_events.h"
#include "engine/server/home_catalog.h"
#include "engine/server/scratch_bucket.h"

namespace barman::engine {
namespace {

using catalog::DeletedBy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const catalog::BackupId kOld{"20260101T000000"};
const catalog::BackupId kNew{"20260102T000000"};

class BucketDeleteTest : public testing::Test {
 protected:
  BucketDeleteTest() {
    for (const catalog::BackupId& id : {kOld, kNew}) {
      catalog::BackupInfo info;
      info.id = id;
      info.status = catalog::BackupStatus::kDone;
      info.mode = "postgres";
      info.end_time = catalog::Timestamp{.instant = clock_.now()};
      if (id == kNew) info.parent_backup_id = kOld;
      if (id == kOld) info.children_backup_ids = {kNew};
      scratch_.put(info);
      (*catalog_).save(info);
    }
    scratch_.bucket->forget_requests();
  }

  bool remove(const catalog::BackupId& id, RemovalRules rules = {}) {
    return Deletion(scratch_.home(), *catalog_, rules, events_, clock_).remove(id, DeletedBy::kCommand);
  }
  std::vector<std::string> objects_of(const catalog::BackupId& id) {
    return scratch_.bucket->keys(backup_folder(id));
  }
  catalog::BackupStatus status_of(const catalog::BackupId& id) { return catalog_->find(id)->status; }
  catalog::BackupStatus status_for_others(const catalog::BackupId& id) {
    Home other = scratch_.home();
    other.is_active = false;
    other.meta /= "of another host";
    return HomeCatalog(other)->find(id)->status;
  }
  [[nodiscard]] std::string failure_of(const catalog::BackupId& id, RemovalRules rules = {}) {
    try {
      remove(id, rules);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  SystemClock clock_;
  ScratchBucket scratch_;
  RecordedEvents events_;
  HomeCatalog catalog_{scratch_.home()};
};

TEST_F(BucketDeleteTest, NothingIsLeftOfABackupAndOthersAreUntouched) {
  scratch_.put(backup_folder(kNew) + "backup_manifest", "{}");
  ScratchHome::write(scratch_.home().meta / (kNew.text + "-backup_manifest"), "{}");
  const auto others = objects_of(kOld);
  EXPECT_TRUE(remove(kNew));
  EXPECT_THAT(objects_of(kNew), IsEmpty());
  EXPECT_EQ(objects_of(kOld), others);
  EXPECT_FALSE(catalog_->find(kNew));
  EXPECT_FALSE(std::filesystem::exists(scratch_.home().meta / (kNew.text + "-backup_manifest")));
  const auto parent = store::read_text(scratch_.bucket->objects, backup_info_key(kOld));
  EXPECT_THAT(*parent, HasSubstr("children_backup_ids=None")) << "what others read is told too";
}

TEST_F(BucketDeleteTest, TheDataGoesFirstAndTheRecordLast) {
  std::vector<std::string> removals;
  scratch_.bucket->before = [&](const std::string& request) {
    if (request.starts_with("DELETE")) removals.push_back(request);
  };
  remove(kNew, {.batch = 2});
  EXPECT_THAT(removals, ElementsAre("DELETE 1", "DELETE 2", "DELETE " + backup_info_key(kNew),
                                    "DELETE " + annotation_key(kNew, "keep"),
                                    "DELETE " + annotation_key(kNew, "delete_this")));
}

TEST_F(BucketDeleteTest, WhatBreaksOffAnywhereIsNeverShownAsGoodAndIsFinishedByTheNextAttempt) {
  remove(kNew);
  const std::size_t requests = scratch_.bucket->requests().size();
  ASSERT_GE(requests, 8U);
  for (std::size_t number = 1; number <= requests; ++number) {
    catalog::BackupInfo info = *catalog_->find(kOld);
    info.children_backup_ids = {kNew};
    catalog_->save(info);
    info.id = kNew;
    info.children_backup_ids.clear();
    info.parent_backup_id = kOld;
    scratch_.put(info);
    catalog_->save(info);
    std::size_t count = 0;
    scratch_.bucket->before = [&](const std::string&) {
      if (++count >= number) throw Error(ErrorKind::kTransient, "the connection is gone");
    };
    EXPECT_NE(failure_of(kNew), "") << number;
    scratch_.bucket->before = nullptr;
    const bool is_whole = objects_of(kNew).size() == 4;
    if (objects_of(kNew).empty()) {
      EXPECT_EQ(status_of(kNew), catalog::BackupStatus::kFailed) << number;
    } else if (!is_whole) {
      EXPECT_EQ(status_of(kNew), catalog::BackupStatus::kFailed) << number;
      EXPECT_EQ(status_for_others(kNew), catalog::BackupStatus::kFailed) << number;
    }
    EXPECT_TRUE(remove(kNew)) << number;
    EXPECT_THAT(objects_of(kNew), IsEmpty()) << number;
    EXPECT_FALSE(catalog_->find(kNew)) << number;
  }
}

TEST_F(BucketDeleteTest, UnfinishedUploadsOfThatBackupAreWithdrawn) {
  scratch_.bucket->uploads = {{backup_folder(kNew) + "16385.tar", "one", {}},
                              {backup_folder(kOld) + "data.tar", "two", {}}};
  remove(kNew);
  ASSERT_EQ(scratch_.bucket->uploads.size(), 1U);
  EXPECT_EQ(scratch_.bucket->uploads[0].id, "two");
}

TEST_F(BucketDeleteTest, WhoMayNotDeleteChangesNothing) {
  scratch_.bucket->undeletable = {backup_folder(kNew) + "data.tar"};
  EXPECT_THAT(failure_of(kNew), HasSubstr("base/20260102T000000/data.tar: AccessDenied"));
  EXPECT_EQ(objects_of(kNew).size(), 4U);
  EXPECT_EQ(status_of(kNew), catalog::BackupStatus::kDone);
}

TEST_F(BucketDeleteTest, WhatCannotBeRemovedIsNamedAndTheBackupIsNoLongerGood) {
  scratch_.bucket->undeletable = {backup_folder(kNew) + "16385.tar"};
  EXPECT_THAT(failure_of(kNew), HasSubstr("16385.tar: AccessDenied"));
  EXPECT_EQ(status_of(kNew), catalog::BackupStatus::kFailed);
  EXPECT_THAT(failure_of(kNew), HasSubstr("16385.tar: AccessDenied"));
  EXPECT_EQ(status_of(kNew), catalog::BackupStatus::kFailed) << "also after one that removed nothing";
  scratch_.bucket->undeletable.clear();
  EXPECT_TRUE(remove(kNew));
  EXPECT_THAT(objects_of(kNew), IsEmpty());
}

TEST_F(BucketDeleteTest, WhatIsLockedIsLeftAloneIfThatIsAskedFor) {
  scratch_.bucket->locked = {backup_folder(kNew) + "16385.tar"};
  EXPECT_THAT(failure_of(kNew, {.check_locks = true}), HasSubstr("16385.tar is locked"));
  EXPECT_EQ(objects_of(kNew).size(), 4U);
  EXPECT_EQ(status_of(kNew), catalog::BackupStatus::kDone);
  EXPECT_THAT(events_.infos, IsEmpty());
  EXPECT_TRUE(remove(kNew));
}

TEST_F(BucketDeleteTest, ALockedBackupKeepsNoOtherFromBeingObsolete) {
  catalog::BackupInfo third = *catalog_->find(kNew);
  third.id = {"20260103T000000"};
  third.parent_backup_id = std::nullopt;
  scratch_.put(third);
  catalog_->save(third);
  scratch_.bucket->locked = {backup_folder(kNew) + "data.tar"};
  enforce_retention(scratch_.home(), *catalog_, {.policy = catalog::RetentionPolicy{.count = 1}},
                    {.check_locks = true}, events_, clock_, {});
  EXPECT_THAT(events_.warnings, ElementsAre(HasSubstr("is locked in the bucket"),
                                            HasSubstr("20260101T000000 of server main is deleted later")));
  scratch_.bucket->locked.clear();
  enforce_retention(scratch_.home(), *catalog_, {.policy = catalog::RetentionPolicy{.count = 1}},
                    {.check_locks = true}, events_, clock_, {});
  EXPECT_EQ(catalog_->list().backups.size(), 1U);
}

TEST_F(BucketDeleteTest, WhatAnotherHostDeletedIsAnOrphanHere) {
  for (const std::string& key : objects_of(kNew)) scratch_.bucket->objects.remove(key);
  enforce_retention(scratch_.home(), *catalog_, {.policy = catalog::RetentionPolicy{.count = 5}}, {}, events_,
                    clock_, {});
  EXPECT_THAT(events_.warnings,
              ElementsAre(testing::AllOf(HasSubstr(kNew.text), HasSubstr("path/main/base/20260102T000000"))));
  EXPECT_TRUE(remove(kNew)) << "and can be deleted";
  EXPECT_FALSE(catalog_->find(kNew));
}

TEST_F(BucketDeleteTest, AnInactiveServerDeletesForAll) {
  Home other = scratch_.home();
  other.is_active = false;
  HomeCatalog catalog(other);
  EXPECT_TRUE(Deletion(other, *catalog, {}, events_, clock_).remove(kNew, DeletedBy::kCommand));
  EXPECT_THAT(objects_of(kNew), IsEmpty());
}

}  // namespace
}  // namespace barman::engine
