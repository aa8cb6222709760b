#include "engine/backup/record.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/backup/backup.h"

namespace barman::engine {
namespace {

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

std::vector<catalog::BackupInfo> with_ids(std::initializer_list<std::string> ids) {
  std::vector<catalog::BackupInfo> infos;
  for (const std::string& id : ids) {
    infos.emplace_back();
    infos.back().id = {id};
  }
  return infos;
}

TEST(NextBackupId, IsTheLocalTime) {
  EXPECT_EQ(next_backup_id(kNow, {}).text, compact_local_text(kNow));
  EXPECT_EQ(next_backup_id(kNow, with_ids({"20200101T000000"})).text, compact_local_text(kNow));
}

TEST(NextBackupId, ComesAfterOneOfTheSameSecondOrOfAClockThatWasSetBack) {
  const auto same = with_ids({compact_local_text(kNow)});
  EXPECT_EQ(next_backup_id(kNow, same).text, compact_local_text(kNow + std::chrono::seconds(1)));
  const auto ahead = with_ids({compact_local_text(kNow + std::chrono::hours(1))});
  EXPECT_EQ(next_backup_id(kNow, ahead).text,
            compact_local_text(kNow + std::chrono::hours(1) + std::chrono::seconds(1)));
}

TEST(NextBackupId, OneFromTheFarFutureDoesNotRule) {
  EXPECT_EQ(next_backup_id(kNow, with_ids({"20990101T000000"})).text, compact_local_text(kNow));
  const auto both = with_ids({"20990101T000000", compact_local_text(kNow)});
  EXPECT_EQ(next_backup_id(kNow, both).text, compact_local_text(kNow + std::chrono::seconds(1)));
}

TEST(PositionText, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(position_text(pgformat::Lsn{0x3000028}, "000000010000000000000003", 0x28),
            "0/3000028 (000000010000000000000003, 00000028)");
  EXPECT_EQ(position_text(pgformat::Lsn{0x3000028}, std::nullopt, std::nullopt), "0/3000028");
}

TEST(ExternalFiles, AreThoseOutsideTheDataDirectory) {
  catalog::BackupInfo info;
  info.pgdata = "/srv/data";
  info.config_file = "/etc/postgresql.conf";
  info.hba_file = "/srv/data/pg_hba.conf";
  info.ident_file = "/srv/data2/pg_ident.conf";
  info.included_files = {"/srv/data/postgresql.auto.conf", "/etc/postgresql.conf", "/etc/extra.conf"};
  EXPECT_EQ(external_files(info), (std::vector<std::string>{"/etc/postgresql.conf",
                                                            "/srv/data2/pg_ident.conf", "/etc/extra.conf"}));
}

TEST(MaxRate, IsWhatTheServerAccepts) {
  EXPECT_EQ(max_rate(0), std::nullopt);
  EXPECT_EQ(max_rate(32), 32U);
  EXPECT_EQ(max_rate(1048576), 1048576U);
  for (const std::int64_t bad :
       {std::int64_t{1}, std::int64_t{31}, std::int64_t{1048577}, std::int64_t{-1}}) {
    EXPECT_THROW((void)max_rate(bad), Error);
  }
}

}  // namespace
}  // namespace barman::engine
