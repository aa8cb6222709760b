#include "catalog/backup_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/timestamp.h"

namespace barman::catalog {
namespace {

using testing::HasSubstr;

const BackupId kId{"20261122T133001"};

// As the Python Barman 3.20 wrote it.
constexpr std::string_view kWhole =
    R"(backup_label='START WAL LOCATION: 0/5000028 (file 000000010000000000000005)\nLABEL: it\'s "x"\n'
backup_name=before the upgrade
begin_offset=40
begin_time=2026-11-22 13:30:01.412345+01:00
begin_wal=000000010000000000000005
begin_xlog=0/5000028
children_backup_ids=20261123T133001,20261124T133001
cluster_size=30000000
compression=None
config_file=/etc/postgresql/15/main/postgresql.conf
copy_stats={'copy_time': 12.5, 'total_time': 12.5}
data_checksums=on
deduplicated_size=25000000
encryption=None
end_offset=256
end_time=2026-11-22 13:30:21+01:00
end_wal=000000010000000000000006
end_xlog=0/6000100
error=None
hba_file=/etc/postgresql/15/main/pg_hba.conf
ident_file=/etc/postgresql/15/main/pg_ident.conf
included_files=['/etc/a.conf', "/etc/it's.conf"]
mode=postgres
parent_backup_id=None
pgdata=/var/lib/postgresql/15/main
server_name=main
size=25000000
status=DONE
summarize_wal=None
systemid=7123456789012345678
tablespaces=[('ts1', 16388, '/srv/ts1'), ('b=c', 16389, '/srv/with \\ and = in it')]
timeline=1
version=150020
xlog_segment_size=16777216
)";

// A failed backup of 3.4: fewer keys, most of them null.
constexpr std::string_view kOld = R"(backup_label=None
begin_offset=None
begin_time=None
begin_wal=None
begin_xlog=None
compression=None
config_file=None
copy_stats=None
deduplicated_size=None
end_offset=None
end_time=None
end_wal=None
end_xlog=None
error=failure starting backup (could not connect: a = b)
hba_file=None
ident_file=None
included_files=None
mode=rsync-concurrent
pgdata=None
server_name=main
size=None
status=FAILED
systemid=None
tablespaces=None
timeline=None
version=None
xlog_segment_size=None
)";

std::string refusal(std::string_view text) {
  try {
    (void)parse_backup_info(kId, text);
  } catch (const Error& e) {
    return e.kind() == ErrorKind::kCorrupt ? e.what() : "another kind";
  }
  return "none";
}

std::string with(std::string_view line, std::string_view replacement) {
  std::string text(kWhole);
  return text.replace(text.find(line), line.size(), replacement);
}

TEST(BackupInfo, EveryFieldIsRead) {
  const BackupInfo info = parse_backup_info(kId, kWhole);
  EXPECT_EQ(info.id, kId);
  EXPECT_EQ(info.backup_label,
            "START WAL LOCATION: 0/5000028 (file 000000010000000000000005)\nLABEL: it's \"x\"\n");
  EXPECT_EQ(info.backup_name, "before the upgrade");
  EXPECT_EQ(info.begin_offset, 40U);
  EXPECT_EQ(info.begin_time, parse_timestamp("2026-11-22 13:30:01.412345+01:00"));
  EXPECT_EQ(info.begin_wal, "000000010000000000000005");
  EXPECT_EQ(info.begin_xlog, pgformat::Lsn{0x5000028});
  EXPECT_EQ(info.children_backup_ids, (std::vector<BackupId>{{"20261123T133001"}, {"20261124T133001"}}));
  EXPECT_EQ(info.cluster_size, 30000000U);
  EXPECT_EQ(info.compression, std::nullopt);
  EXPECT_EQ(info.copy_stats, "{'copy_time': 12.5, 'total_time': 12.5}");
  EXPECT_EQ(info.included_files, (std::vector<std::string>{"/etc/a.conf", "/etc/it's.conf"}));
  EXPECT_EQ(info.status, BackupStatus::kDone);
  EXPECT_EQ(info.tablespaces, (std::vector<Tablespace>{{"ts1", 16388, "/srv/ts1"},
                                                       {"b=c", 16389, "/srv/with \\ and = in it"}}));
  EXPECT_EQ(info.timeline, 1U);
  EXPECT_EQ(info.version, 150020);
  EXPECT_EQ(info.xlog_segment_size, 16777216U);
}

TEST(BackupInfo, WhatWasReadIsWrittenByteForByte) {
  EXPECT_EQ(format_backup_info(parse_backup_info(kId, kWhole)), kWhole);
}

TEST(BackupInfo, AnEmptyOneHasAllKeysButNameAndSnapshots) {
  BackupInfo info;
  info.id = kId;
  const std::string text = format_backup_info(info);
  EXPECT_THAT(text, HasSubstr("backup_label=None\nbegin_offset=None\n"));
  EXPECT_THAT(text, HasSubstr("status=EMPTY\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("backup_name")));
  EXPECT_THAT(text, testing::Not(HasSubstr("snapshots_info")));
  EXPECT_EQ(std::ranges::count(text, '\n'), 33);
  EXPECT_EQ(format_backup_info(parse_backup_info(kId, text)), text);
}

TEST(BackupInfo, OlderLayoutsAreRead) {
  const BackupInfo info = parse_backup_info(kId, kOld);
  EXPECT_EQ(info.status, BackupStatus::kFailed);
  EXPECT_EQ(info.error, "failure starting backup (could not connect: a = b)");
  EXPECT_EQ(info.systemid, std::nullopt);
  EXPECT_TRUE(info.children_backup_ids.empty());
}

TEST(BackupInfo, BlankLinesAndCommentsAreSkipped) {
  const std::string text = "# by hand\n\n  " + std::string(kWhole) + "\n";
  EXPECT_EQ(format_backup_info(parse_backup_info(kId, text)), kWhole);
}

TEST(BackupInfo, AnUnknownKeyIsSaidToComeFromANewerBarman) {
  EXPECT_THAT(refusal(std::string(kWhole) + "colour=blue\n"),
              testing::AllOf(HasSubstr("20261122T133001"), HasSubstr("line 35"), HasSubstr("colour"),
                             HasSubstr("newer Barman")));
}

TEST(BackupInfo, AValueOfTheWrongTypeIsNamedWithItsLineAndField) {
  EXPECT_THAT(refusal(with("begin_offset=40", "begin_offset=4x")),
              testing::AllOf(HasSubstr("line 3"), HasSubstr("begin_offset"), HasSubstr("number")));
  EXPECT_THAT(refusal(with("begin_offset=40", "begin_offset=-4")), HasSubstr("begin_offset"));
  EXPECT_THAT(refusal(with("begin_xlog=0/5000028", "begin_xlog=5000028")), HasSubstr("begin_xlog"));
  EXPECT_THAT(refusal(with("status=DONE", "status=GONE")), HasSubstr("status"));
  EXPECT_THAT(refusal(with("end_time=2026", "end_time=x")), HasSubstr("end_time"));
  EXPECT_THAT(refusal(with("end_wal=000000010000000000000006", "end_wal=../../etc/passwd")),
              HasSubstr("end_wal"));
  EXPECT_THAT(refusal(with("included_files=[", "included_files=[1,")), HasSubstr("included_files"));
  EXPECT_THAT(refusal(with("('ts1', 16388,", "('ts1', '16388',")), HasSubstr("tablespaces"));
  EXPECT_THAT(refusal(with("copy_stats={", "copy_stats=[{")), HasSubstr("copy_stats"));
  EXPECT_THAT(refusal(with("timeline=1", "timeline=4294967296")), HasSubstr("timeline"));
}

TEST(BackupInfo, IdsThatCouldLeadElsewhereAreRefused) {
  EXPECT_THAT(refusal(with("20261123T133001,", "../../../etc,")), HasSubstr("children_backup_ids"));
  EXPECT_THAT(refusal(with("parent_backup_id=None", "parent_backup_id=..")), HasSubstr("parent_backup_id"));
}

TEST(BackupInfo, CutShortAnywhereItIsRefused) {
  for (std::size_t length = 0; length < kWhole.size(); ++length) {
    EXPECT_THAT(refusal(kWhole.substr(0, length)), HasSubstr("20261122T133001")) << length;
  }
}

TEST(BackupInfo, GarbageIsRefused) {
  EXPECT_THAT(refusal("no equals sign\n"), HasSubstr("line 1"));
  EXPECT_THAT(refusal(std::string(4096, '\0')), HasSubstr("line 1"));
  EXPECT_THAT(refusal(std::string(4096, '\n')), HasSubstr("cut short"));
  EXPECT_THAT(refusal(with("pgdata=/var", "pgdata=/\x1b[31mvar")), HasSubstr("pgdata"));
}

TEST(BackupInfo, NothingThatIsWrittenBreaksALine) {
  BackupInfo info = parse_backup_info(kId, kWhole);
  info.error = "first line\nsecond line\t";
  info.tablespaces = {{"a\nb", 1, "/x'\"\r"}};
  const BackupInfo again = parse_backup_info(kId, format_backup_info(info));
  EXPECT_EQ(again.error, "first line second line");
  EXPECT_EQ(again.tablespaces, info.tablespaces);
}

TEST(BackupInfo, TheTypeFollowsFromModeAndParent) {
  BackupInfo info;
  info.mode = "postgres";
  EXPECT_EQ(backup_type(info), BackupType::kFull);
  info.parent_backup_id = kId;
  EXPECT_EQ(backup_type(info), BackupType::kIncremental);
  info.mode = "rsync-concurrent";
  EXPECT_EQ(backup_type(info), BackupType::kRsync);
  info.mode = "snapshot-concurrent";
  EXPECT_EQ(backup_type(info), BackupType::kSnapshot);
  info = {};
  EXPECT_EQ(backup_type(info), BackupType::kFull) << "a record of the cloud tools has no mode";
}

TEST(BackupId, IsEightDigitsTAndSixDigits) {
  EXPECT_TRUE(is_backup_id("20261122T133001"));
  for (const std::string_view text : {"", "20261122t133001", "20261122T13300", "20261122T1330011", "latest",
                                      "2026112/T133001", "20261122T133001\n"}) {
    EXPECT_FALSE(is_backup_id(text)) << text;
  }
}

}  // namespace
}  // namespace barman::catalog
