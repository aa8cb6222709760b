#include "engine/server/change_record.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/server/home_catalog.h"
#include "engine/wal/scratch_home.h"
#include "os/lock_file.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;

class ChangeRecordTest : public testing::Test {
 protected:
  ChangeRecordTest() {
    BackupInfo info;
    info.id = id_;
    info.status = BackupStatus::kWaitingForWals;
    HomeCatalog(scratch_.home)->save(info);
  }

  const catalog::BackupId id_{"20260101T000000"};
  ScratchHome scratch_;
};

TEST_F(ChangeRecordTest, SavesWhatWasChangedAndNothingElse) {
  HomeCatalog catalog(scratch_.home);
  const auto done = change_record(scratch_.home, *catalog, id_, [](BackupInfo& record) {
    record.status = BackupStatus::kDone;
    return true;
  });
  EXPECT_EQ(done->status, BackupStatus::kDone);
  EXPECT_EQ(catalog->find(id_)->status, BackupStatus::kDone);
  change_record(scratch_.home, *catalog, id_, [](BackupInfo& record) {
    record.status = BackupStatus::kFailed;
    return false;
  });
  EXPECT_EQ(catalog->find(id_)->status, BackupStatus::kDone);
}

TEST_F(ChangeRecordTest, ThereIsNothingToChangeInWhatIsGone) {
  HomeCatalog catalog(scratch_.home);
  catalog->forget(id_);
  const auto never = [](BackupInfo&) -> bool { throw std::logic_error("called"); };
  EXPECT_FALSE(change_record(scratch_.home, *catalog, id_, never));
}

// In the middle of a change another one cannot begin.
TEST_F(ChangeRecordTest, KeepsOthersWaitingFromTheReadingToTheSaving) {
  HomeCatalog catalog(scratch_.home);
  change_record(scratch_.home, *catalog, id_, [&](BackupInfo& record) {
    EXPECT_FALSE(os::LockFile::try_acquire(scratch_.home.records_lock()));
    record.status = BackupStatus::kDone;
    return true;
  });
  EXPECT_TRUE(os::LockFile::try_acquire(scratch_.home.records_lock()));
}

TEST_F(ChangeRecordTest, OfManyChangesAtOnceNoneIsLost) {
  constexpr int kEach = 100;
  const auto add_children = [&](int first) {
    HomeCatalog catalog(scratch_.home);
    for (int i = first; i < first + kEach; ++i) {
      change_record(scratch_.home, *catalog, id_, [i](BackupInfo& record) {
        record.children_backup_ids.push_back({"20260102T0" + std::to_string(10000 + i)});
        return true;
      });
    }
  };
  {
    const std::jthread one([&] { add_children(0); });
    const std::jthread other([&] { add_children(kEach); });
  }
  EXPECT_EQ(HomeCatalog(scratch_.home)->find(id_)->children_backup_ids.size(), 2U * kEach);
}

}  // namespace
}  // namespace barman::engine
