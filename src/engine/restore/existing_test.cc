#include "engine/restore/existing.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/restore/archive_fixture.h"
#include "engine/restore/restoring_chains.h"
#include "os/tree.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string control_of(std::uint64_t system, char filler) {
  std::string text(8192, filler);
  const auto put = [&](std::size_t at, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text[at++] = static_cast<char>(value >> (8 * i) & 0xFF);
  };
  put(0, system, 8);
  put(8, 1700, 4);
  put(12, 202406281, 4);
  return text;
}

// A chain that was restored once; each test does something to the destination and restores it again.
class DeltaRestore : public ChainRestoreTest {
 protected:
  DeltaRestore() {
    fixture.add({{"base/5/1", relation_blocks("abcde")},
                 {"base/5/2", relation_blocks("xyz")},
                 {"base/5/dropped", "gone"},
                 {"global/pg_control", control_of(7711, '0')},
                 {"postgresql.conf", "archive_command = 'cp'\n"},
                 {"pg_tblspc/16384/PG_17_1/5/9", relation_blocks("pq")}});
    request.wal_format = archives.format();
  }
  void add_increment() {
    fixture.add({{"base/5/INCREMENTAL.1", increment_of(5, {{1, 'B'}})},
                 {"base/5/INCREMENTAL.2", increment_of(3, {})},
                 {"global/pg_control", control_of(7711, '1')},
                 {"postgresql.conf", "archive_command = 'cp'\n"},
                 {"pg_tblspc/16384/PG_17_1/5/INCREMENTAL.9", increment_of(2, {})}});
  }
  void restore_twice(const std::function<void()>& between) {
    ASSERT_EQ(failure(), "none");
    between();
    request.delta = true;
    ASSERT_EQ(failure(), "none");
  }
  // A change of this file would show.
  static void make_old(const fs::path& path) {
    const struct timespec long_ago[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0), 0) << path;
  }
  static time_t changed_at(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mtime;
  }
  [[nodiscard]] fs::path far(const std::string& name) const { return fixture.folder / "to-far" / name; }
  void write(const std::string& name, const std::string& text) const {
    os::make_directories(restored_file(name).parent_path(), 0700);
    os::write_file(restored_file(name), text);
  }
  // All that is there, with what it holds in few characters. The manifest has times in it.
  [[nodiscard]] std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> found;
    for (const fs::path& root : {request.destination, far("")}) {
      os::walk_tree(root, [&](const os::TreeEntry& entry) {
        const fs::path path = root / entry.relative;
        std::string& held = found[path.string()];
        if (entry.kind == os::EntryKind::kSymlink) held = fs::read_symlink(path).string();
        if (entry.kind == os::EntryKind::kFile && entry.relative != "backup_manifest")
          held = std::to_string(std::hash<std::string>{}(*os::read_file(path)));
        return true;
      });
    }
    return found;
  }

  void expect_the_same_as_afresh() {
    std::map<std::string, std::string> wanted;
    restore_twice([&] {
      wanted = everything();
      make_old(restored_file("base/5/2"));
      make_old(far("PG_17_1/5/9"));
      write("base/5/1", relation_blocks("abXde"));
    });
    ASSERT_EQ(everything(), wanted);
    EXPECT_EQ(changed_at(restored_file("base/5/2")), 1000);
    EXPECT_EQ(changed_at(far("PG_17_1/5/9")), 1000);
    EXPECT_GT(changed_at(restored_file("base/5/1")), 1000);
  }

  ArchiveFixture archives;
};

TEST_F(DeltaRestore, GivesWhatARestoreGivesAndLeavesAloneWhatIsTheSame) { expect_the_same_as_afresh(); }

TEST_F(DeltaRestore, OfArchives) {
  archives.archive(fixture, 0, {.stem = {}});
  expect_the_same_as_afresh();
}

TEST_F(DeltaRestore, OfAChainOfMixedForms) {
  archives.archive(fixture, 0, {.stem = {}, .compression = codec::Compression::kZstd, .encrypted = true});
  add_increment();
  expect_the_same_as_afresh();
}

TEST_F(DeltaRestore, AFlippedBitOfTheSameTimeIsRepaired) {
  restore_twice([&] {
    for (const fs::path& path : {restored_file("base/5/2"), far("PG_17_1/5/9")}) {
      flip_bit(path, 8200);
      make_old(path);
    }
  });
  EXPECT_EQ(restored("base/5/2"), relation_blocks("xyz"));
  EXPECT_EQ(os::read_file(far("PG_17_1/5/9")), relation_blocks("pq"));
}

TEST_F(DeltaRestore, WhatTheBackupLacksGoes) {
  restore_twice([&] {
    write("base/5/new", "new");
    write("base/99/1", "a database");
    write("pg_wal/000000010000000000000009", "WAL of another time");
    write("standby.signal", "");
    write("base/5/INCREMENTAL.1", "?");
    write("log/server.log", "kept");
    os::make_directories(far("PG_17_1/99"), 0700);
    os::write_file(far("PG_17_1/99/1"), "x");
  });
  for (const char* gone : {"base/5/new", "base/99", "pg_wal/000000010000000000000009", "standby.signal",
                           "base/5/INCREMENTAL.1", kIncompleteMark}) {
    EXPECT_FALSE(fs::exists(restored_file(gone))) << gone;
  }
  EXPECT_FALSE(fs::exists(far("PG_17_1/99")));
  EXPECT_EQ(restored("log/server.log"), "kept");
  EXPECT_GE(leftovers.files, 6U);
}

TEST_F(DeltaRestore, NothingOutsideIsTouchedAndLinksAreNotFollowed) {
  const fs::path outside = fixture.folder / "outside";
  os::make_directories(outside / "5", 0700);
  os::write_file(outside / "5/2", "mine");
  restore_twice([&] {
    fs::remove_all(restored_file("base"));
    fs::create_directory_symlink(outside, restored_file("base"));
    fs::remove_all(restored_file("pg_wal"));
    fs::create_directory_symlink(outside, restored_file("pg_wal"));
    fs::remove(restored_file("backup_label"));
    fs::create_symlink(outside / "5/2", restored_file("backup_label"));
    os::make_directories(far("PG_15_1"), 0700);
    os::write_file(far("PG_15_1/other"), "of an older server");
  });
  EXPECT_EQ(os::read_file(outside / "5/2"), "mine");
  EXPECT_EQ(os::read_file(far("PG_15_1/other")), "of an older server");
  EXPECT_FALSE(fs::is_symlink(restored_file("base")));
  EXPECT_EQ(restored("base/5/2"), relation_blocks("xyz"));
  EXPECT_THAT(leftovers.links,
              testing::UnorderedElementsAre(restored_file("base").string(), restored_file("pg_wal").string(),
                                            restored_file("backup_label").string()));
}

TEST_F(DeltaRestore, AFileWithASecondNameElsewhereIsReplaced) {
  const fs::path second = fixture.folder / "second name";
  restore_twice([&] {
    write("base/5/2", relation_blocks("xYz"));
    fs::create_hard_link(restored_file("base/5/2"), second);
  });
  EXPECT_EQ(os::read_file(second), relation_blocks("xYz"));
  EXPECT_EQ(restored("base/5/2"), relation_blocks("xyz"));
}

TEST_F(DeltaRestore, FoldersAndFilesInEachOthersPlaceAreReplaced) {
  restore_twice([&] {
    fs::remove(restored_file("base/5/2"));
    write("base/5/2/strange", "?");
    fs::remove_all(restored_file("pg_notify"));
    write("pg_notify", "?");
    fs::remove(restored_file("pg_tblspc/16384"));
    write("pg_tblspc/16384/PG_17_1/5/9", "?");
    fs::remove_all(far(""));
  });
  EXPECT_EQ(restored("base/5/2"), relation_blocks("xyz"));
  EXPECT_TRUE(fs::is_directory(restored_file("pg_notify")));
  EXPECT_EQ(fs::read_symlink(restored_file("pg_tblspc/16384")), fixture.folder / "to-far");
}

TEST_F(DeltaRestore, ATablespaceInsideTheDataDirectoryIsComparedToo) {
  request.tablespaces = {{"far", (request.destination / "inside").string()}};
  restore_twice([&] {
    make_old(restored_file("inside/PG_17_1/5/9"));
    write("inside/PG_17_1/5/stray", "?");
  });
  EXPECT_EQ(changed_at(restored_file("inside/PG_17_1/5/9")), 1000);
  EXPECT_FALSE(fs::exists(restored_file("inside/PG_17_1/5/stray")));
}

TEST_F(DeltaRestore, AStoppedOneCannotBeStartedAndGoesOn) {
  ASSERT_EQ(failure(), "none");
  write("base/5/1", "damaged");
  make_old(restored_file("base/5/2"));
  request.delta = true;
  stop.request_stop();
  EXPECT_NE(failure(), "none");
  EXPECT_FALSE(can_be_started());
  stop = {};
  EXPECT_EQ(failure(), "none");
  EXPECT_TRUE(can_be_started());
  EXPECT_EQ(restored("base/5/1"), relation_blocks("abcde"));
  EXPECT_EQ(changed_at(restored_file("base/5/2")), 1000);
}

TEST_F(DeltaRestore, ADamagedBackupIsNamedAndNothingStarts) {
  ASSERT_EQ(failure(), "none");
  request.delta = true;
  flip_bit(member_file(0, "base/5/2"), 9000);
  EXPECT_THAT(failure(), HasSubstr("base/5/2 of backup 20260101T000000 is damaged"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(DeltaRestore, ADestinationThatIsNotOursIsRefusedAndNotTouched) {
  ASSERT_EQ(failure(), "none");
  request.delta = true;
  const auto refused = [&](const char* says) {
    const auto before = everything();
    EXPECT_THAT(failure(), HasSubstr(says));
    EXPECT_EQ(everything(), before);
  };
  write("postmaster.pid", fmt::format("{}\n/data\n", ::getpid()));
  refused("a PostgreSQL server runs in");
  write("postmaster.pid", "?\n");
  refused("a PostgreSQL server runs in");
  fs::remove(restored_file("postmaster.pid"));
  write("global/pg_control", control_of(4242, '0'));
  refused("its system identifier is 4242, the backup's is 7711");
  write("global/pg_control", "damaged");
  write("PG_VERSION", "16\n");
  refused("is no data directory of PostgreSQL 17");
  fs::remove(restored_file("PG_VERSION"));
  refused("is no data directory of PostgreSQL 17");
  write("PG_VERSION", "17\n");
  fs::remove(restored_file("pg_tblspc/16384"));
  refused("it may be another server's: send the tablespace elsewhere with --tablespace far:DIRECTORY");
}

TEST_F(DeltaRestore, ADamagedControlFileAndACrashedServersLockAreNoObstacle) {
  restore_twice([&] {
    write("global/pg_control", "damaged");
    write("postmaster.pid", "4194999\n/data\n");  // above the highest process id there is
  });
  EXPECT_EQ(restored("global/pg_control"), control_of(7711, '0'));
  EXPECT_FALSE(fs::exists(restored_file("postmaster.pid")));
}

TEST_F(DeltaRestore, RoomIsNeededOnlyForWhatIsNotThereYet) {
  ASSERT_EQ(failure(), "none");
  std::vector<RestoreFolder> folders = {{.to = request.destination}, {.to = far(""), .oid = 16384}};
  const ChainPlan plan = plan_chain(fixture.home, fixture.chain, true, folders);
  const std::uint64_t needed = folders[0].bytes;
  (void)plan_existing(
      folders, [&](const std::string& path) { return plan.files->place(path).has_value(); },
      fixture.chain.back());
  ASSERT_TRUE(folders[0].reused && folders[1].reused);
  EXPECT_GE(*folders[0].reused, needed) << "what a restore added is there as well";
  EXPECT_EQ(*folders[1].reused, 2U * 8192);
  EXPECT_EQ(is_vacant(request.destination), false);
  EXPECT_EQ(is_vacant(fixture.folder / "absent"), true);
}

}  // namespace
}  // namespace barman::engine
