#include "engine/restore/target.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"

namespace barman::engine {
namespace {

using namespace std::chrono_literals;

class InZone {
 public:
  explicit InZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~InZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

catalog::BackupInfo backup(const char* id, Time end, std::uint64_t end_lsn,
                           catalog::BackupStatus status = catalog::BackupStatus::kDone) {
  catalog::BackupInfo info;
  info.id.text = id;
  info.status = status;
  info.end_time = catalog::Timestamp{.instant = end};
  info.end_xlog = pgformat::Lsn{end_lsn};
  info.timeline = 1;
  return info;
}

TEST(ParseTargetTime, TakesTheLocalZoneAndSaysSo) {
  const InZone zone("Europe/Rome");
  const TargetTime local = parse_target_time("2026-07-01 12:00:00");
  EXPECT_TRUE(local.zone_assumed);
  EXPECT_EQ(iso_text(local.time.instant, local.time.offset), "2026-07-01 12:00:00+02:00");
  const TargetTime explicit_zone = parse_target_time("2026-07-01T12:00:00+00:00");
  EXPECT_FALSE(explicit_zone.zone_assumed);
  EXPECT_EQ(explicit_zone.time.instant - local.time.instant, 2h);
}

TEST(ParseTargetTime, MayLeaveOutTheSmallParts) {
  const InZone zone("UTC");
  EXPECT_EQ(parse_target_time("2026-07-01 12:30").time.instant,
            parse_target_time("2026-07-01 12:30:00Z").time.instant);
  EXPECT_EQ(parse_target_time("2026-07-01").time.instant,
            parse_target_time("2026-07-01 00:00:00Z").time.instant);
}

TEST(ParseTargetTime, TakesTheShapeOfABackupsId) {
  const InZone zone("UTC");
  EXPECT_EQ(parse_target_time(" 20260701T123001 ").time.instant,
            parse_target_time("2026-07-01 12:30:01Z").time.instant);
}

TEST(ParseTargetTime, RefusesALocalTimeThatWasTwiceOrNever) {
  const InZone zone("Europe/Rome");
  try {
    (void)parse_target_time("2026-10-25 02:30:00");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "the local clock showed the target time '2026-10-25 02:30:00' twice: write 2026-10-25 "
                 "02:30:00+02:00 or 2026-10-25 02:30:00+01:00");
  }
  EXPECT_THROW((void)parse_target_time("2026-03-29 02:30:00"), Error);
  EXPECT_NO_THROW((void)parse_target_time("2026-10-25 02:30:00+01:00"));
  EXPECT_EQ(parse_target_time("2026-10-25 03:00:00").time.offset, 1h);
  EXPECT_EQ(parse_target_time("2026-10-25 01:59:59").time.offset, 2h);
  EXPECT_EQ(parse_target_time("2026-03-29 03:00:00").time.offset, 2h);
}

TEST(ParseTargetTime, RefusesAnythingElse) {
  for (const char* text :
       {"", "yesterday", "2026-13-01 00:00:00", "12:00", "2026-07-01 25:00:00", "07/01/2026"}) {
    EXPECT_THROW((void)parse_target_time(text), Error) << text;
  }
}

TEST(CheckReachable, RefusesTargetsBeforeTheEndAndInTheFuture) {
  const auto info = backup("20260101T000000", Time(100s), 1000);
  RecoveryTarget target;
  target.time = catalog::Timestamp{.instant = Time(99s)};
  EXPECT_THROW(check_reachable(target, info, Time(500s)), Error);
  target.time->instant = Time(100s);
  EXPECT_NO_THROW(check_reachable(target, info, Time(500s)));
  target.time->instant = Time(501s);
  EXPECT_THROW(check_reachable(target, info, Time(500s)), Error);
  RecoveryTarget lsn;
  lsn.lsn = pgformat::Lsn{999};
  EXPECT_THROW(check_reachable(lsn, info, Time(500s)), Error);
}

TEST(ChooseBackup, TakesTheNewestThatEndsByTheTarget) {
  const std::vector<catalog::BackupInfo> backups = {
      backup("20260101T000000", Time(100s), 1000), backup("20260102T000000", Time(200s), 2000),
      backup("20260103T000000", Time(300s), 3000, catalog::BackupStatus::kFailed)};
  RecoveryTarget target;
  EXPECT_EQ(choose_backup(backups, target, {}).id.text, "20260102T000000");
  target.time = catalog::Timestamp{.instant = Time(199s)};
  EXPECT_EQ(choose_backup(backups, target, {}).id.text, "20260101T000000");
  target.time->instant = Time(99s);
  EXPECT_THROW((void)choose_backup(backups, target, {}), Error);
  RecoveryTarget lsn;
  lsn.lsn = pgformat::Lsn{2000};
  EXPECT_EQ(choose_backup(backups, lsn, {}).id.text, "20260102T000000");
  EXPECT_THROW((void)choose_backup(backups, lsn, 2), Error);
  RecoveryTarget name;
  name.name = "x";
  EXPECT_THROW((void)choose_backup(backups, name, {}), Error);
}

}  // namespace
}  // namespace barman::engine
