#include "engine/restore/restore_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "engine/restore/restoring_chains.h"
#include "os/tree.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class RestoringChains : public ChainRestoreTest {
 protected:
  RestoringChains() {
    fixture.add({{"base/5/1", relation_blocks("abcde")},
                 {"base/5/2", relation_blocks("x")},
                 {"base/5/dropped", "gone"},
                 {"base/7/3", "the whole database goes"},
                 {"postgresql.conf", "archive_command = 'cp'\n"},
                 {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}});
    fixture.add({{"base/5/INCREMENTAL.1", increment_of(2, {{1, 'B'}})},
                 {"base/5/2", relation_blocks("yz")},
                 {"postgresql.conf", "archive_command = 'cp'\n"},
                 {"pg_tblspc/16384/PG_17/5/INCREMENTAL.9", increment_of(2, {{1, 'Q'}})}});
    fixture.add({{"base/5/INCREMENTAL.1", increment_of(4, {{3, 'D'}})},
                 {"base/5/INCREMENTAL.2", increment_of(2, {})},
                 {"base/5/new", "new"},
                 {"postgresql.conf", "archive_command = 'cp'\n"},
                 {"pg_tblspc/16384/PG_17/5/INCREMENTAL.9", increment_of(3, {{2, 'r'}})}});
  }
};

TEST_F(RestoringChains, AppliesEachMemberInOrder) {
  const RestoreResult result = restore();
  EXPECT_EQ(restored("base/5/1"), relation_blocks("aB") + std::string(8192, '\0') + relation_blocks("D"))
      << "what the second member cut off does not come back";
  EXPECT_EQ(restored("base/5/2"), relation_blocks("yz"));
  EXPECT_EQ(restored("base/5/new"), "new");
  EXPECT_EQ(os::read_file(fixture.folder / "to-far" / "PG_17/5/9"), relation_blocks("pQr"));
  EXPECT_EQ(restored("global/pg_control"), "control 2");
  EXPECT_FALSE(fs::exists(restored_file("base/5/dropped")));
  EXPECT_FALSE(fs::exists(restored_file("base/7")));
  EXPECT_TRUE(fs::is_directory(restored_file("pg_notify")));
  EXPECT_FALSE(fs::exists(restored_file(".barman-restore-incomplete")));
  EXPECT_GT(result.checked_files, 8U);
}

TEST_F(RestoringChains, LeavesNoFileOfAnIncrementalBackup) {
  restore();
  os::walk_tree(request.destination, [](const os::TreeEntry& entry) {
    EXPECT_EQ(entry.relative.string().find("INCREMENTAL"), std::string::npos) << entry.relative;
    return true;
  });
  EXPECT_EQ(restored("backup_label").find("INCREMENTAL"), std::string::npos);
  EXPECT_THAT(restored("backup_label"), HasSubstr("START WAL LOCATION: 0/4000028"));
}

TEST_F(RestoringChains, WritesTheManifestOfWhatIsThere) {
  restore();
  std::map<std::string, pgformat::ManifestFile> listed;
  pgformat::ManifestReader reader([&](const pgformat::ManifestFile& file) { listed[file.path] = file; });
  reader.write(restored("backup_manifest"));
  const auto summary = reader.finish();
  EXPECT_EQ(summary.system_identifier, 7711U);
  EXPECT_EQ(summary.wal_ranges.at(0).start, fixture.chain[2].begin_xlog);
  for (const char* path : {"base/5/1", "base/5/2", "base/5/new", "backup_label", "postgresql.conf",
                           "global/pg_control", "postgresql.conf.origin", "pg_tblspc/16384/PG_17/5/9"}) {
    ASSERT_TRUE(listed.contains(path)) << path;
    const std::string content = restored(path);
    pgformat::Checksum checksum(pgformat::ChecksumKind::kCrc32c);
    checksum.update(reinterpret_cast<const std::byte*>(content.data()), content.size());
    EXPECT_EQ(listed[path].size, content.size()) << path;
    EXPECT_EQ(listed[path].checksum, checksum.hex()) << path;
  }
}

TEST_F(RestoringChains, WhatIsMissingIsFoundBeforeTheFirstByte) {
  const auto victim = member_file(1, "base/5/INCREMENTAL.1");
  fs::rename(victim, victim.string() + ".away");
  EXPECT_THAT(failure(), HasSubstr(victim.string() + " is missing"));
  fs::rename(victim.string() + ".away", victim);
  fs::resize_file(member_file(0, "base/5/1"), 3);
  EXPECT_THAT(failure(), HasSubstr("it has 3 bytes"));
  fs::remove(member_file(0, "backup_manifest"));
  EXPECT_THAT(failure(), HasSubstr("backup 20260101T000000 has no manifest"));
  EXPECT_FALSE(fs::exists(request.destination));
}

TEST_F(RestoringChains, AFlippedBitIsNamedAndNothingStarts) {
  const std::vector<std::pair<std::size_t, std::string>> victims = {
      {0, "base/5/1"},          {1, "base/5/INCREMENTAL.1"},
      {1, "base/5/2"},          {2, "base/5/INCREMENTAL.1"},
      {2, "global/pg_control"}, {2, "pg_tblspc/16384/PG_17/5/INCREMENTAL.9"}};
  for (const auto& [member, path] : victims) {
    const auto victim = member_file(member, path);
    const std::uint64_t at = fs::file_size(victim) - 1;
    flip_bit(victim, at);
    EXPECT_THAT(failure(), HasSubstr(path + " of backup " + fixture.chain[member].id.text + " is damaged"));
    EXPECT_FALSE(can_be_started()) << path;
    flip_bit(victim, at);
  }
  EXPECT_EQ(failure(), "none");
}

TEST_F(RestoringChains, AFlippedBitInTheHeaderIsNamedEvenUnverified) {
  request.verify = false;
  const auto victim = member_file(1, "base/5/INCREMENTAL.1");
  flip_bit(victim, 0);
  EXPECT_THAT(failure(),
              StartsWith("reading " + victim.string() + ": incremental file: does not begin as one"));
}

TEST_F(RestoringChains, FilesThatAreClonedAreTheSameAndChecked) {
  request.combine_mode = CombineMode::kClone;
  EXPECT_EQ(failure(), "none");
  EXPECT_EQ(restored("base/5/2"), relation_blocks("yz"));
  EXPECT_EQ(restored("base/5/1").substr(8192, 8192), relation_blocks("B"));
  EXPECT_EQ(os::read_file(member_file(0, "base/5/1")), relation_blocks("abcde"))
      << "the backup stays as it was";
  fs::remove_all(request.destination);
  fs::remove_all(fixture.folder / "to-far");
  flip_bit(member_file(1, "base/5/2"), 9000);
  EXPECT_THAT(failure(), HasSubstr("base/5/2 of backup 20260102T000000 is damaged"));
}

TEST_F(RestoringChains, ChecksumsThatCameOnAlongTheChainAreWarnedOf) {
  for (auto& info : fixture.chain) info.data_checksums = "on";
  EXPECT_FALSE(chain_warning(fixture.chain));
  fixture.chain[1].data_checksums = "off";
  EXPECT_EQ(failure(), "none");
  EXPECT_THAT(events.warnings,
              testing::Contains(HasSubstr("data_checksums was off when backup 20260102T000000 was taken")));
  fixture.chain[2].data_checksums = "off";
  EXPECT_FALSE(chain_warning(fixture.chain));
}

TEST_F(RestoringChains, WhatNobodyNeedsIsNotRead) {
  flip_bit(member_file(0, "base/5/2"), 0);
  flip_bit(member_file(0, "base/5/dropped"), 0);
  fs::remove(member_file(0, "base/7/3"));
  EXPECT_EQ(failure(), "none");
}

TEST_F(RestoringChains, AStrangeFileInTheLastMemberIsNamed) {
  fixture.put(fixture.chain[2], "base/5/strange", "?");
  EXPECT_THAT(failure(),
              HasSubstr("base/5/strange of backup 20260103T000000 is not in the backup's manifest"));
}

TEST_F(RestoringChains, NeedsRoomForWhatItMakes) {
  restore();
  const std::uint64_t relation = 4 * 8192;
  EXPECT_GT(planned, relation);
  std::vector<RestoreFolder> folders = {{.to = request.destination},
                                        {.to = fixture.folder / "to-far", .oid = 16384}};
  const ChainPlan plan = plan_chain(fixture.home, fixture.chain, true, folders);
  EXPECT_EQ(folders[1].bytes, 3U * 8192);
  EXPECT_GE(folders[0].bytes, 5U * 8192 + 2 * 8192) << "the longest that each segment is on the way";
  EXPECT_GE(plan.bytes, folders[1].bytes);
}

TEST_F(RestoringChains, StopsOnRequestAndCanBeDoneAgain) {
  stop.request_stop();
  EXPECT_NE(failure(), "none");
  EXPECT_FALSE(can_be_started());
  stop = {};
  EXPECT_EQ(failure(), "none");
}

}  // namespace
}  // namespace barman::engine
