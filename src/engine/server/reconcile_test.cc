#include "engine/server/reconcile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/file_names.h"
#include "engine/recorded_events.h"
#include "engine/server/home_catalog.h"
#include "engine/server/interrupted.h"
#include "engine/server/scratch_bucket.h"
#include "os/lock_file.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

catalog::BackupInfo copied_backup(const std::string& id, catalog::BackupStatus status) {
  catalog::BackupInfo info;
  info.id = {id};
  info.status = status;
  return info;
}

class ReconcileTest : public testing::Test {
 protected:
  void reconcile() {
    HomeCatalog catalog(scratch_.home(), &events_);
    reconcile_with_bucket(scratch_.home(), *catalog, events_);
  }
  void save(const catalog::BackupInfo& info) { HomeCatalog(scratch_.home(), &events_)->save(info); }
  catalog::BackupStatus status_in_bucket(const std::string& id) {
    const auto text = store::read_text(scratch_.bucket->objects, backup_info_key({id}));
    return catalog::parse_backup_info({id}, text.value()).status;
  }

  ScratchBucket scratch_;
  RecordedEvents events_;
  const catalog::BackupInfo started_ = copied_backup("20260101T000000", catalog::BackupStatus::kStarted);
  const catalog::BackupInfo done_ = copied_backup("20260101T000000", catalog::BackupStatus::kDone);
};

TEST_F(ReconcileTest, ACopyThatFailedIsAnErrorThatTheNextRunPutsRight) {
  save(started_);
  scratch_.bucket->before = [](const std::string& request) {
    if (request.starts_with("PUT")) throw Error(ErrorKind::kTransient, "no answer");
  };
  save(done_);
  EXPECT_THAT(events_.errors, ElementsAre(testing::AllOf(HasSubstr("20260101T000000"), HasSubstr("no answer"),
                                                         HasSubstr("s3://bucket/path"))));
  EXPECT_THROW(reconcile(), Error);
  EXPECT_EQ(status_in_bucket("20260101T000000"), catalog::BackupStatus::kStarted);
  scratch_.bucket->before = nullptr;
  reconcile();
  EXPECT_EQ(status_in_bucket("20260101T000000"), catalog::BackupStatus::kDone);
  scratch_.bucket->forget_requests();
  reconcile();
  EXPECT_THAT(scratch_.bucket->requests(), ElementsAre("LIST base/"));
}

TEST_F(ReconcileTest, FinishedBackupsOfTheBucketAreTakenInAndSaid) {
  save(done_);
  scratch_.put(copied_backup("20260102T000000", catalog::BackupStatus::kDone));
  scratch_.put(copied_backup("20260103T000000", catalog::BackupStatus::kStarted));
  reconcile();
  EXPECT_THAT(events_.infos, ElementsAre(HasSubstr("20260102T000000")));
  EXPECT_EQ(HomeCatalog(scratch_.home())->list().backups.size(), 2U);
}

TEST_F(ReconcileTest, WhoWorksOnBackupsIsNotDisturbed) {
  save(done_);
  scratch_.put(copied_backup("20260102T000000", catalog::BackupStatus::kDone));
  const auto lock = os::LockFile::try_acquire(scratch_.home().backup_lock());
  scratch_.bucket->forget_requests();
  reconcile();
  EXPECT_THAT(scratch_.bucket->requests(), IsEmpty());
}

TEST_F(ReconcileTest, TheBucketOfAnInactiveServerIsOthers) {
  scratch_.home().is_active = false;
  scratch_.put(started_);
  scratch_.bucket->forget_requests();
  reconcile();
  HomeCatalog catalog(scratch_.home());
  EXPECT_THAT(settle_interrupted_backups(scratch_.home(), *catalog, events_), IsEmpty());
  EXPECT_THAT(scratch_.bucket->requests(), IsEmpty());
  EXPECT_EQ(status_in_bucket("20260101T000000"), catalog::BackupStatus::kStarted);
}

}  // namespace
}  // namespace barman::engine
