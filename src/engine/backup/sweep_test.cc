#include "engine/backup/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/server/scratch_bucket.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SweepTest : public testing::Test {
 protected:
  // With a record and two objects in the bucket, and an upload that nobody finished.
  BackupInfo& backup(int hour, BackupStatus status) {
    BackupInfo info;
    info.id = {fmt::format("20260101T{:02}0000", hour)};
    info.status = status;
    info.mode = "postgres";
    existing_.push_back(info);
    const std::string folder = backup_folder(info.id);
    for (const char* name : {"backup.info", "data.tar", "16384.tar"}) scratch_.put(folder + name, "x");
    bucket().uploads.push_back({.key = folder + "data_0001.tar", .id = info.id.text, .begun = {}});
    return existing_.back();
  }
  BackupInfo& failed(int hour) { return backup(hour, BackupStatus::kFailed); }

  store::WatchedBucket& bucket() { return *scratch_.bucket; }
  std::vector<std::string> keys(const BackupInfo& info) { return bucket().keys(backup_folder(info.id)); }
  void sweep(const std::vector<catalog::BackupId>& settled = {}) {
    engine::sweep(bucket(), scratch_.home(), existing_, settled, events_);
  }

  ScratchBucket scratch_;
  std::vector<BackupInfo> existing_;
  RecordedEvents events_;
};

TEST_F(SweepTest, OnlyRecordsAreLeftOfWhatCameToNothing) {
  const BackupInfo dead = failed(1);
  const BackupInfo good = backup(2, BackupStatus::kDone);
  BackupInfo& lacks_wal = failed(3);
  lacks_wal.size = 4711;
  const BackupInfo copied = lacks_wal;
  BackupInfo& of_another_program = failed(4);
  of_another_program.mode.reset();
  const BackupInfo foreign = of_another_program;
  ScratchHome::write(scratch_.home().manifest(dead.id), "manifest");
  sweep();
  EXPECT_THAT(keys(dead), ElementsAre(backup_info_key(dead.id)));
  for (const BackupInfo& info : {good, copied, foreign}) EXPECT_EQ(keys(info).size(), 3U) << info.id.text;
  EXPECT_FALSE(std::filesystem::exists(scratch_.home().manifest(dead.id)));
  ASSERT_EQ(bucket().uploads.size(), 1U);
  EXPECT_EQ(bucket().uploads.front().id, good.id.text);
  EXPECT_THAT(events_.warnings, IsEmpty());
}

TEST_F(SweepTest, WhatWasJustSettledIsClearedWhateverIsKnownOfIt) {
  BackupInfo& info = failed(1);
  info.size = 4711;
  sweep({info.id});
  EXPECT_THAT(keys(info), ElementsAre(backup_info_key(info.id)));
}

TEST_F(SweepTest, HoweverManyThereAreTheBucketIsListedOnce) {
  for (int hour = 0; hour < 24; ++hour) failed(hour);
  sweep();
  bucket().forget_requests();
  sweep();
  EXPECT_THAT(bucket().requests(), ElementsAre("LIST base/", "UPLOADS base/"));
  existing_.clear();
  bucket().forget_requests();
  sweep();
  EXPECT_THAT(bucket().requests(), ElementsAre("UPLOADS base/"));
}

TEST_F(SweepTest, WhatCannotBeRemovedIsNamedAndTheRestGoes) {
  const BackupInfo one = failed(1);
  const BackupInfo other = failed(2);
  const std::string stays = backup_folder(one.id) + "data.tar";
  bucket().undeletable.insert(stays);
  ScratchHome::write(scratch_.home().manifest(one.id), "manifest");
  sweep();
  EXPECT_THAT(events_.warnings,
              ElementsAre(AllOf(HasSubstr("What was stored of backup " + one.id.text), HasSubstr(stays),
                                HasSubstr("AccessDenied"), HasSubstr("barman delete main " + one.id.text))));
  EXPECT_THAT(keys(one), ElementsAre(backup_info_key(one.id), stays));
  EXPECT_TRUE(std::filesystem::exists(scratch_.home().manifest(one.id)));
  EXPECT_THAT(keys(other), ElementsAre(backup_info_key(other.id)));
}

TEST_F(SweepTest, ABucketThatDoesNotAnswerIsNoReasonNotToBackUp) {
  failed(1);
  bucket().before = [](const std::string& request) {
    throw Error(ErrorKind::kTransient, "no answer to " + request);
  };
  sweep();
  EXPECT_THAT(events_.warnings, ElementsAre(HasSubstr("no answer to LIST base/")));
  EXPECT_THAT(events_.logged, ElementsAre(HasSubstr("no answer to UPLOADS base/")));
  bucket().before = [](const std::string&) { throw Error(ErrorKind::kCancelled, "stopped"); };
  EXPECT_THROW(sweep(), Error);
}

}  // namespace
}  // namespace barman::engine
