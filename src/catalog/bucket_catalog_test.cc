// The catalogue of a server whose base backups are in a bucket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/file_names.h"
#include "store/watched_bucket.h"

namespace barman::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Names = std::vector<std::string>;

const BackupId kFirst{"20260101T000000"};
const BackupId kSecond{"20260102T000000"};
const BackupId kThird{"20260103T000000"};

BackupInfo record(const BackupId& id, BackupStatus status = BackupStatus::kDone) {
  BackupInfo info;
  info.id = id;
  info.status = status;
  info.mode = "postgres";
  return info;
}

Names listed_ids(const std::vector<BackupInfo>& backups) {
  Names ids;
  for (const BackupInfo& info : backups) ids.push_back(info.id.text);
  return ids;
}

class BucketCatalogTest : public testing::Test {
 protected:
  void put_in_bucket(const BackupInfo& info) {
    store::write_text(bucket_.objects, info.id.text + "/backup.info", format_backup_info(info));
    store::write_text(bucket_.objects, info.id.text + "/data.tar.zst", "data");
  }
  BackupInfo in_bucket(const BackupId& id) {
    return parse_backup_info(id, store::read_text(bucket_.objects, id.text + "/backup.info").value());
  }
  void bucket_refuses(const std::string& beginning) {
    bucket_.before = [beginning](const std::string& request) {
      if (request.starts_with(beginning)) throw Error(ErrorKind::kTransient, "no answer");
    };
  }
  void bucket_answers() { bucket_.before = nullptr; }

  store::MemoryStore meta_;
  store::WatchedBucket bucket_;
  Catalog copied_{meta_, bucket_, BaseIs::kCopy};
  Catalog origin_{meta_, bucket_, BaseIs::kOrigin};
};

TEST_F(BucketCatalogTest, WhatIsSavedIsInBothAndReadWithoutARequest) {
  copied_.save(record(kFirst, BackupStatus::kStarted));
  copied_.save(record(kFirst));
  copied_.annotate(kFirst, kKeep, "full");
  EXPECT_EQ(in_bucket(kFirst).status, BackupStatus::kDone);
  EXPECT_EQ(store::read_text(bucket_.objects, "20260101T000000/annotations/keep"), "full");
  EXPECT_THAT(meta_.children(""), ElementsAre("20260101T000000-backup.info", "20260101T000000-keep"));
  bucket_.forget_requests();
  EXPECT_EQ(listed_ids(copied_.list().backups), Names{kFirst.text});
  EXPECT_TRUE(copied_.find(kFirst));
  EXPECT_EQ(copied_.annotation(kFirst, kKeep), "full");
  EXPECT_EQ(copied_.annotation(kFirst, kDeleteThis), std::nullopt);
  EXPECT_EQ(copied_.annotations(kKeep).size(), 1U);
  EXPECT_THAT(bucket_.requests(), IsEmpty());
}

TEST_F(BucketCatalogTest, AnIdIsOfTheHostThatRecordsItFirst) {
  store::MemoryStore meta_there;
  Catalog there(meta_there, bucket_, BaseIs::kCopy);
  EXPECT_TRUE(copied_.add(record(kFirst, BackupStatus::kEmpty)));
  auto theirs = record(kFirst, BackupStatus::kStarted);
  theirs.backup_name = "theirs";
  EXPECT_FALSE(there.add(theirs));
  EXPECT_FALSE(origin_.add(theirs));
  EXPECT_THAT(meta_there.children(""), IsEmpty());
  EXPECT_EQ(in_bucket(kFirst).backup_name, std::nullopt);
  EXPECT_THAT(meta_.children(""), ElementsAre("20260101T000000-backup.info"));
  EXPECT_TRUE(there.add(record(kSecond, BackupStatus::kEmpty)));
}

TEST_F(BucketCatalogTest, ABackupThatTheBucketDoesNotHearOfIsRecordedHere) {
  std::vector<std::string> told;
  Catalog catalog(meta_, bucket_, BaseIs::kCopy,
                  [&](const BackupId&, const std::string& reason) { told.push_back(reason); });
  bucket_refuses("PUT");
  EXPECT_TRUE(catalog.add(record(kFirst, BackupStatus::kEmpty)));
  EXPECT_THAT(told, ElementsAre("no answer"));
  EXPECT_THAT(catalog.not_copied(), ElementsAre(kFirst));
  EXPECT_TRUE(catalog.find(kFirst));
  EXPECT_THROW((void)copied_.add(record(kSecond, BackupStatus::kEmpty)), Error) << "nobody to tell";
  EXPECT_TRUE(catalog.find(kSecond));
  bucket_answers();
  catalog.copy(kFirst);
  EXPECT_EQ(in_bucket(kFirst).status, BackupStatus::kEmpty);
}

TEST_F(BucketCatalogTest, AForgottenBackupLeavesNothingInEither) {
  copied_.save(record(kFirst));
  copied_.annotate(kFirst, kDeleteThis, "delete");
  copied_.forget(kFirst);
  EXPECT_THAT(meta_.children(""), IsEmpty());
  EXPECT_THAT(bucket_.keys(), IsEmpty());
}

TEST_F(BucketCatalogTest, ACopyThatTheBucketDoesNotTakeIsToldAndSentLater) {
  std::vector<std::string> told;
  Catalog telling(meta_, bucket_, BaseIs::kCopy, [&](const BackupId& id, const std::string& reason) {
    told.push_back(id.text + ": " + reason);
  });
  telling.save(record(kFirst, BackupStatus::kStarted));
  bucket_refuses("PUT");
  telling.save(record(kFirst));
  EXPECT_THAT(told, ElementsAre("20260101T000000: no answer"));
  EXPECT_EQ(telling.find(kFirst)->status, BackupStatus::kDone);
  EXPECT_EQ(in_bucket(kFirst).status, BackupStatus::kStarted);
  EXPECT_THAT(telling.not_copied(), ElementsAre(kFirst));
  EXPECT_THROW(telling.copy(kFirst), Error);
  EXPECT_THAT(telling.not_copied(), ElementsAre(kFirst));
  bucket_answers();
  telling.copy(kFirst);
  EXPECT_EQ(in_bucket(kFirst).status, BackupStatus::kDone);
  EXPECT_THAT(telling.not_copied(), IsEmpty());
}

TEST_F(BucketCatalogTest, WithoutAnybodyToTellItIsThrownAndTheRecordIsHere) {
  copied_.save(record(kFirst, BackupStatus::kStarted));
  bucket_refuses("PUT");
  EXPECT_THROW(copied_.save(record(kFirst)), Error);
  EXPECT_EQ(copied_.find(kFirst)->status, BackupStatus::kDone);
  EXPECT_THAT(copied_.not_copied(), ElementsAre(kFirst));
}

TEST_F(BucketCatalogTest, AnAnnotationThatTheBucketDoesNotTakeIsNotHereEither) {
  copied_.save(record(kFirst));
  bucket_refuses("PUT");
  EXPECT_THROW(copied_.annotate(kFirst, kKeep, "full"), Error);
  EXPECT_EQ(copied_.annotation(kFirst, kKeep), std::nullopt);
}

TEST_F(BucketCatalogTest, ABucketThatIsAwayHindersOnlyWhoHasNothingElse) {
  bucket_.before = [](const std::string&) { throw Error(ErrorKind::kTransient, "no answer"); };
  const Listing none = copied_.list();
  EXPECT_THAT(none.backups, IsEmpty());
  EXPECT_TRUE(lacks_bucket(none));
  EXPECT_THAT(warnings_of(none),
              ElementsAre("backups that only the bucket has a record of are left out: no answer"));
  EXPECT_THROW((void)copied_.find(kFirst), Error);
  EXPECT_THROW((void)origin_.list(), Error);
  // An adoption that was cut short: some records are here already.
  store::write_text(meta_, backup_info_name(kFirst), format_backup_info(record(kFirst)));
  store::write_text(meta_, kAdopting, "");
  const Listing some = copied_.list();
  EXPECT_EQ(listed_ids(some.backups), Names{kFirst.text});
  EXPECT_TRUE(lacks_bucket(some));
  // What the user must mend, and a stop, are no reason to go on.
  for (const ErrorKind kind : {ErrorKind::kUsage, ErrorKind::kCancelled}) {
    bucket_.before = [kind](const std::string&) { throw Error(kind, "no"); };
    EXPECT_THROW((void)copied_.list(), Error);
  }
}

TEST_F(BucketCatalogTest, AHostThatLostItsRecordsReadsThoseOfTheBucketAndSaysSo) {
  put_in_bucket(record(kFirst));
  put_in_bucket(record(kSecond, BackupStatus::kStarted));
  store::write_text(bucket_.objects, "20260101T000000/annotations/keep", "standalone\n");
  const Listing listing = copied_.list();
  EXPECT_EQ(listed_ids(listing.backups), (Names{kFirst.text, kSecond.text}));
  EXPECT_THAT(warnings_of(listing), ElementsAre(HasSubstr("read from the bucket")));
  EXPECT_TRUE(copied_.find(kFirst));
  EXPECT_EQ(copied_.annotation(kFirst, kKeep), "standalone");
  EXPECT_EQ(copied_.annotations(kKeep).size(), 1U);
  EXPECT_THAT(meta_.children(""), IsEmpty());
}

TEST_F(BucketCatalogTest, TheFirstRecordOfAHostDoesNotHideThoseOfTheBucket) {
  put_in_bucket(record(kFirst));
  put_in_bucket(record(kSecond, BackupStatus::kStarted));
  store::write_text(bucket_.objects, "20260101T000000/annotations/keep", "standalone");
  copied_.save(record(kThird));
  bucket_.forget_requests();
  EXPECT_EQ(listed_ids(copied_.list().backups), (Names{kFirst.text, kThird.text}));
  EXPECT_EQ(copied_.annotation(kFirst, kKeep), "standalone");
  EXPECT_THAT(copied_.list().remarks, IsEmpty());
  EXPECT_THAT(bucket_.requests(), IsEmpty());
  EXPECT_EQ(in_bucket(kSecond).status, BackupStatus::kStarted) << "somebody works on it";
}

TEST_F(BucketCatalogTest, AnAdoptionThatWasCutShortIsFinished) {
  put_in_bucket(record(kFirst));
  put_in_bucket(record(kSecond));
  store::write_text(meta_, kAdopting, "");
  store::write_text(meta_, "20260101T000000-backup.info",
                    format_backup_info(record(kFirst, BackupStatus::kFailed)));
  const Listing listing = copied_.list();
  EXPECT_EQ(listed_ids(listing.backups), (Names{kFirst.text, kSecond.text}));
  EXPECT_EQ(listing.backups[0].status, BackupStatus::kFailed) << "what is here is never older";
  EXPECT_THAT(copied_.adopt(), ElementsAre(kSecond));
  EXPECT_EQ(copied_.find(kFirst)->status, BackupStatus::kFailed);
  EXPECT_FALSE(meta_.stat(kAdopting));
}

TEST_F(BucketCatalogTest, BackupsOfOthersAreTakenInWhenTheyAreFinished) {
  copied_.save(record(kFirst));
  put_in_bucket(record(kSecond, BackupStatus::kStarted));
  EXPECT_THAT(copied_.adopt(), IsEmpty());
  put_in_bucket(record(kSecond));
  EXPECT_THAT(copied_.adopt(), ElementsAre(kSecond));
  EXPECT_EQ(listed_ids(copied_.list().backups), (Names{kFirst.text, kSecond.text}));
}

TEST_F(BucketCatalogTest, WhatTheBucketHasIsWhatThereIsIfOthersFillIt) {
  put_in_bucket(record(kFirst));
  put_in_bucket(record(kSecond));
  store::write_text(bucket_.objects, "20260102T000000/annotations/keep", "full");
  store::write_text(bucket_.objects, "20260103T000000/data.tar", "half of a backup");
  store::write_text(bucket_.objects, "notes/backup.info", "not ours");
  store::write_text(meta_, "20260101T000000-backup.info",
                    format_backup_info(record(kFirst, BackupStatus::kStarted)));
  store::write_text(meta_, "20260101T000000-keep", "full");
  store::write_text(meta_, "20251231T000000-backup.info", "of long ago");
  const Listing listing = origin_.list();
  EXPECT_EQ(listed_ids(listing.backups), (Names{kFirst.text, kSecond.text}));
  EXPECT_EQ(listing.backups[0].status, BackupStatus::kDone);
  EXPECT_THAT(listing.remarks, ElementsAre(HasSubstr("20251231T000000 is left out")));
  EXPECT_EQ(origin_.annotations(kKeep), (std::map<BackupId, std::string>{{kSecond, "full"}}));
  EXPECT_EQ(origin_.annotation(kFirst, kKeep), std::nullopt);
  EXPECT_EQ(origin_.find(kFirst)->status, BackupStatus::kDone);
  EXPECT_FALSE(origin_.find({"20251231T000000"}));
}

TEST_F(BucketCatalogTest, ReadingWritesNothing) {
  put_in_bucket(record(kFirst));
  (void)origin_.list();
  (void)origin_.find(kFirst);
  (void)origin_.annotations(kKeep);
  (void)copied_.list();
  for (const std::string& request : bucket_.requests()) {
    EXPECT_TRUE(request.starts_with("GET") || request.starts_with("LIST")) << request;
  }
  EXPECT_THAT(meta_.children(""), IsEmpty());
}

TEST_F(BucketCatalogTest, UnreadableRecordsOfTheBucketAreNamedAndTheRestIsListed) {
  put_in_bucket(record(kFirst));
  put_in_bucket(record(kSecond));
  store::write_text(bucket_.objects, "20260103T000000/backup.info", "status=DONE");
  bucket_.before = [](const std::string& request) {
    if (request == "GET 20260102T000000/backup.info") throw Error(ErrorKind::kFailed, "another key");
  };
  const Listing listing = origin_.list();
  EXPECT_EQ(listed_ids(listing.backups), Names{kFirst.text});
  EXPECT_THAT(warnings_of(listing),
              ElementsAre(testing::AllOf(HasSubstr("20260102T000000"), HasSubstr("another key")),
                          testing::AllOf(HasSubstr("20260103T000000"), HasSubstr("cut short"))));
}

TEST_F(BucketCatalogTest, ABucketThatDoesNotAnswerIsNoEmptyCatalogue) {
  put_in_bucket(record(kFirst));
  for (const std::string request : {"LIST", "GET"}) {
    bucket_refuses(request);
    EXPECT_THROW((void)origin_.list(), Error);
  }
}

TEST_F(BucketCatalogTest, ABackupWhoseDeletionWasBegunIsFailedWhateverItsRecordSays) {
  put_in_bucket(record(kFirst));
  copied_.save(record(kFirst));
  copied_.annotate(kFirst, kDeleteThis, "delete");
  EXPECT_THAT(bucket_.keys(), ElementsAre("20260101T000000/backup.info", "20260101T000000/data.tar.zst"));
  for (const Catalog* catalog : {&copied_, &origin_}) {
    EXPECT_EQ(catalog->list().backups.at(0).status, BackupStatus::kFailed);
    EXPECT_EQ(catalog->find(kFirst)->status, BackupStatus::kFailed);
  }
}

TEST_F(BucketCatalogTest, ARecordInTheBucketWithoutDataIsNotBelieved) {
  put_in_bucket(record(kFirst));
  bucket_.objects.remove("20260101T000000/data.tar.zst");
  store::write_text(bucket_.objects, "20260101T000000/16390.tar", "a tablespace");
  BackupInfo snapshot = record(kSecond);
  snapshot.mode = "snapshot";
  put_in_bucket(snapshot);
  bucket_.objects.remove("20260102T000000/data.tar.zst");
  for (const Catalog* catalog : {&copied_, &origin_}) {
    const Listing listing = catalog->list();
    EXPECT_EQ(listing.backups.at(0).status, BackupStatus::kFailed);
    EXPECT_THAT(listing.backups.at(0).error.value(), HasSubstr("not in the bucket"));
    EXPECT_EQ(listing.backups.at(1).status, BackupStatus::kDone);
    EXPECT_EQ(catalog->find(kFirst)->status, BackupStatus::kFailed);
  }
}

TEST_F(BucketCatalogTest, WhatOthersKeepIsKeptHere) {
  put_in_bucket(record(kFirst));
  copied_.save(record(kFirst));
  store::write_text(bucket_.objects, "20260101T000000/annotations/keep", "full");
  EXPECT_EQ(copied_.annotation(kFirst, kKeep), std::nullopt);
  EXPECT_THAT(copied_.adopt(), IsEmpty());
  EXPECT_EQ(copied_.annotation(kFirst, kKeep), "full");
}

TEST_F(BucketCatalogTest, RecordsOfTheProgramsForBucketsAreAccepted) {
  BackupInfo info = record(kFirst);
  info.mode = std::nullopt;
  info.server_name = "cloud";
  put_in_bucket(info);
  EXPECT_EQ(format_backup_info(origin_.list().backups.at(0)), format_backup_info(info));
  EXPECT_THAT(copied_.adopt(), ElementsAre(kFirst));
  EXPECT_EQ(backup_type(*copied_.find(kFirst)), BackupType::kFull);
}

}  // namespace
}  // namespace barman::catalog
