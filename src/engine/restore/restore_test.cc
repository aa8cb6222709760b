#include "engine/restore/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <set>

#include "base/error.h"
#include "engine/wal/sample_segment.h"
#include "os/durable_file.h"
#include "os/tree.h"
#include "pgformat/manifest.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

class Heard final : public Events {
 public:
  void info(std::string_view line) override { lines.emplace_back(line); }
  void warning(std::string_view line) override { warnings.emplace_back(line); }
  void error(std::string_view) override {}
  void debug(std::string_view) override {}
  void log(LogLevel, std::string_view) override {}
  void progress(const Progress&) override {}

  std::vector<std::string> lines;
  std::vector<std::string> warnings;
};

std::string sha256(const std::string& text) {
  pgformat::Checksum checksum(pgformat::ChecksumKind::kSha256);
  checksum.update(reinterpret_cast<const std::byte*>(text.data()), text.size());
  return checksum.hex();
}

// A home with one backup of a cluster with one tablespace, as BASE_BACKUP leaves it.
class Restoring : public testing::Test {
 protected:
  Restoring() {
    std::string name = (fs::temp_directory_path() / "restore-XXXXXX").string();
    root_ = mkdtemp(name.data());
    home_.server = "main";
    home_.base = root_ / "base";
    home_.wals = root_ / "wals";
    home_.streaming = root_ / "streaming";
    request_.destination = root_ / "to";
    request_.tablespaces = {{"far", (root_ / "to-far").string()}};
    request_.jobs = 3;
    describe_backup();
    for (const auto& [path, text] : contents()) put(path, text);
    os::make_directories(data() / "pg_wal/archive_status");
    os::make_directories(data() / "pg_notify");
    fs::create_symlink(home_.backup(request_.backup.id) / "16384", data() / "pg_tblspc/16384");
    write_manifest();
    for (const char* wal : {"000000010000000000000002", "000000010000000000000003"}) archive(wal);
  }
  ~Restoring() override { fs::remove_all(root_); }

  static std::map<std::string, std::string> contents() {
    return {{"PG_VERSION", "15\n"},
            {"backup_label", "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"},
            {"base/1/1249", std::string(300000, 'x')},
            {"base/1/empty", ""},
            {"global/pg_control", "control"},
            {"postgresql.conf", "archive_command = 'cp %p /x'\n"},
            {"postgresql.auto.conf", "# Do not edit\n"},
            {"pg_hba.conf", "local all all trust\n"},
            {"log/old.log", "old\n"},
            {"standby.signal", ""},
            {"pg_tblspc/16384/PG_15_202209061/1/2", "far away"}};
  }

  void describe_backup() {
    auto& info = request_.backup;
    info.id.text = "20260101T000000";
    info.status = catalog::BackupStatus::kDone;
    info.mode = "postgres";
    info.version = 150004;
    info.begin_wal = "000000010000000000000002";
    info.end_wal = "000000010000000000000003";
    info.end_xlog = pgformat::Lsn{0x3000100};
    info.end_time = catalog::Timestamp{.instant = Time(std::chrono::seconds(1000))};
    info.timeline = 1;
    info.tablespaces = {{.name = "far", .oid = 16384, .location = "/srv/far"}};
  }
  [[nodiscard]] fs::path data() const { return home_.data(request_.backup.id); }
  // Where the backup keeps what the manifest calls `path`.
  [[nodiscard]] fs::path kept(const std::string& path) const {
    const std::string prefix = "pg_tblspc/16384/";
    return path.starts_with(prefix) ? home_.backup(request_.backup.id) / "16384" / path.substr(prefix.size())
                                    : data() / path;
  }
  void put(const std::string& path, const std::string& text) const {
    os::make_directories(kept(path).parent_path(), 0700);
    os::make_directories(data() / "pg_tblspc", 0700);
    os::write_file(kept(path), text);
  }
  void write_manifest() const {
    std::string text = "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n";
    for (const auto& [path, content] : contents()) {
      text += "{ \"Path\": \"" + path + "\", \"Size\": " + std::to_string(content.size()) +
              ", \"Last-Modified\": \"2026-01-01 00:00:00 GMT\", \"Checksum-Algorithm\": \"SHA256\", "
              "\"Checksum\": \"" +
              sha256(content) + "\" },\n";
    }
    text.erase(text.size() - 2, 1);
    text +=
        "],\n\"WAL-Ranges\": [\n{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": "
        "\"0/3000100\" }\n],\n";
    text += "\"Manifest-Checksum\": \"" + sha256(text) + "\"}\n";
    os::write_file(data() / "backup_manifest", text);
  }
  void archive(const std::string& name) {
    const fs::path path = home_.archived(*pgformat::parse_wal_name(name), name);
    os::make_directories(path.parent_path());
    os::write_file(path, "wal of " + name);
    index_.push_back({.name = name, .size = 7 + name.size(), .time = 1});
  }

  RestoreResult restore() {
    const RestorePlan plan = plan_restore(home_, request_, index_, Time(std::chrono::seconds(2000)));
    return execute_restore(home_, request_, plan, clock_, heard_, stop_.get_token());
  }
  std::string failure() {
    try {
      restore();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  [[nodiscard]] fs::path to(const std::string& name) const { return request_.destination / name; }
  [[nodiscard]] std::optional<std::string> text(const std::string& name) const {
    return os::read_file(to(name));
  }

  fs::path root_;
  Home home_;
  RestoreRequest request_;
  std::vector<catalog::WalEntry> index_;
  SystemClock clock_;
  Heard heard_;
  std::stop_source stop_;
};

TEST_F(Restoring, BringsBackEveryFileAndNothingOfTheOldServersRun) {
  const RestoreResult result = restore();
  EXPECT_EQ(result.checked_files, 9U);  // all but the server's log and the signal
  EXPECT_EQ(text("base/1/1249"), std::string(300000, 'x'));
  EXPECT_EQ(text("global/pg_control"), "control");
  EXPECT_EQ(fs::read_symlink(to("pg_tblspc/16384")), root_ / "to-far");
  EXPECT_EQ(text("pg_tblspc/16384/PG_15_202209061/1/2"), "far away");
  EXPECT_TRUE(fs::is_directory(to("pg_notify")));
  for (const char* gone : {"log/old.log", "standby.signal", "recovery.signal", "backup_manifest",
                           kIncompleteMark, "global/pg_control.tmp"}) {
    EXPECT_FALSE(fs::exists(to(gone))) << gone;
  }
  EXPECT_FALSE(fs::exists(root_ / "to-far" / kIncompleteMark));
  EXPECT_TRUE(fs::exists(to("backup_manifest.20260101T000000")));
  EXPECT_THAT(*text(".barman-recover.info"), HasSubstr("begin_wal=000000010000000000000002\n"));
  EXPECT_EQ(fs::status(request_.destination).permissions(), fs::perms(0700));
}

TEST_F(Restoring, WithoutATargetTheWalIsReadyToReplayAndNotArchivedAgain) {
  restore();
  EXPECT_EQ(text("pg_wal/000000010000000000000003"), "wal of 000000010000000000000003");
  EXPECT_EQ(text("pg_wal/archive_status/000000010000000000000003.done"), "");
  EXPECT_EQ(text("postgresql.auto.conf"), "# Do not edit\n");
}

TEST_F(Restoring, CompressedWalComesBackPlain) {
  const std::string name = "000000010000000000000003";
  const auto entry = std::ranges::find(index_, name, &catalog::WalEntry::name);
  const std::string stored = gzipped("wal of " + name);
  os::write_file(home_.archived(*pgformat::parse_wal_name(name), name), stored);
  entry->size = stored.size();
  entry->compression = "gzip";
  restore();
  EXPECT_EQ(text("pg_wal/" + name), "wal of " + name);
}

TEST_F(Restoring, SwitchesOffTheArchivingOfTheOldServerAndKeepsTheOldFile) {
  const RestoreResult result = restore();
  EXPECT_EQ(text("postgresql.conf"), "#BARMAN#archive_command = 'cp %p /x'\narchive_command = false\n");
  EXPECT_EQ(text("postgresql.conf.origin"), "archive_command = 'cp %p /x'\n");
  EXPECT_EQ(result.missing_files, std::vector<std::string>{"pg_ident.conf"});
  EXPECT_EQ(result.changes.size(), 1U);
}

TEST_F(Restoring, ToATargetLeavesTheWalToTheRestoreCommand) {
  request_.target.xid = "731";
  restore();
  EXPECT_EQ(text("barman_wal/000000010000000000000003"), "wal of 000000010000000000000003");
  EXPECT_FALSE(fs::exists(to("pg_wal/000000010000000000000003")));
  EXPECT_EQ(text("recovery.signal"), "");
  EXPECT_THAT(*text("postgresql.auto.conf"), HasSubstr("recovery_target_xid = '731'\n"));
}

TEST_F(Restoring, WalOfATargetMayHaveAFolderOfItsOwn) {
  request_.target.immediate = true;
  request_.wal_directory = root_ / "wal here";
  restore();
  EXPECT_TRUE(fs::exists(root_ / "wal here/000000010000000000000003"));
  EXPECT_FALSE(fs::exists(root_ / "wal here" / kIncompleteMark));
  fs::remove_all(request_.destination);
  fs::remove_all(root_ / "to-far");
  EXPECT_THAT(failure(), HasSubstr("wal here is not empty"));
  EXPECT_FALSE(fs::exists(request_.destination));
}

TEST_F(Restoring, FetchedWalIsNotCopied) {
  request_.get_wal_command = "barman get-wal -P main %f > %p";
  restore();
  EXPECT_FALSE(fs::exists(to("barman_wal")));
  EXPECT_FALSE(fs::exists(to("pg_wal/000000010000000000000003")));
  EXPECT_THAT(*text("postgresql.auto.conf"),
              HasSubstr("restore_command = 'barman get-wal -P main %f > %p'\n"));
  EXPECT_EQ(text("recovery.signal"), "");
}

TEST_F(Restoring, ADamagedFileIsNamedAndTheRestoreCannotBeStarted) {
  for (const char* path : {"base/1/1249", "pg_tblspc/16384/PG_15_202209061/1/2", "global/pg_control"}) {
    std::string changed = contents().at(path);
    changed[0] = static_cast<char>(changed[0] ^ 1);
    os::write_file(kept(path), changed);
    EXPECT_THAT(failure(), testing::AllOf(HasSubstr(kept(path).string()), HasSubstr("is damaged"))) << path;
    EXPECT_FALSE(fs::exists(to("global/pg_control")));
    os::write_file(kept(path), contents().at(path));
  }
  EXPECT_EQ(failure(), "");  // over what the failed ones left
  EXPECT_TRUE(fs::exists(to("global/pg_control")));
}

TEST_F(Restoring, AMissingFileAndOneTooManyAreNamed) {
  fs::remove(kept("base/1/empty"));
  EXPECT_THAT(failure(), HasSubstr("base/1/empty is missing"));
  put("base/1/empty", "");
  put("base/1/more", "?");
  EXPECT_THAT(failure(), HasSubstr("base/1/more is not in the backup's manifest"));
  request_.verify = false;
  EXPECT_EQ(failure(), "");
  EXPECT_EQ(text("base/1/more"), "?");
}

TEST_F(Restoring, ADamagedManifestIsFoundBeforeTheFirstByte) {
  os::write_file(data() / "backup_manifest", "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [");
  EXPECT_THAT(failure(), HasSubstr("backup_manifest"));
  EXPECT_FALSE(fs::exists(request_.destination));
}

TEST_F(Restoring, WithoutAManifestThereIsNothingToCheck) {
  fs::remove(data() / "backup_manifest");
  EXPECT_EQ(restore().checked_files, 0U);
  EXPECT_EQ(text("global/pg_control"), "control");
}

TEST_F(Restoring, WithoutAManifestADeltaRestoreComparesTheFilesThemselves) {
  fs::remove(data() / "backup_manifest");
  restore();
  const auto inode = [&](const std::string& name) {
    struct stat status {};
    EXPECT_EQ(::stat(to(name).c_str(), &status), 0) << name;
    return status.st_ino;
  };
  const auto kept = inode("base/1/1249");
  os::write_file(to("PG_VERSION"), "15\n");
  os::write_file(root_ / "to-far/PG_15_202209061/1/2", "far AWAY");
  os::make_directories(to("base/99"), 0700);
  os::write_file(to("base/99/stray"), "?");
  os::write_file(to("pg_wal/000000010000000000000009"), "of another time");
  put("pg_wal/000000010000000000000009", "not brought back");
  request_.delta = true;
  restore();
  EXPECT_EQ(inode("base/1/1249"), kept);
  EXPECT_EQ(text("base/1/1249"), std::string(300000, 'x'));
  EXPECT_EQ(text("pg_tblspc/16384/PG_15_202209061/1/2"), "far away");
  EXPECT_EQ(text("global/pg_control"), "control");
  EXPECT_FALSE(fs::exists(to("base/99")));
  EXPECT_FALSE(fs::exists(to("pg_wal/000000010000000000000009")));
}

TEST_F(Restoring, LinksInTheBackupAreNotFollowed) {
  fs::create_symlink("/etc/passwd", data() / "base/1/link");
  restore();
  EXPECT_FALSE(fs::exists(to("base/1/link")));
  EXPECT_THAT(heard_.warnings, Contains(HasSubstr("base/1/link")));
}

TEST_F(Restoring, StopsOnRequestAndCanBeDoneAgain) {
  stop_.request_stop();
  EXPECT_NE(failure(), "");
  EXPECT_FALSE(fs::exists(to("global/pg_control")));
  stop_ = {};
  EXPECT_EQ(failure(), "");
}

TEST_F(Restoring, WhatCannotBeIsRefusedBeforeTheFirstByte) {
  const RestoreRequest good = request_;
  const auto refused = [&](const char* says, const RestoreRequest& request) {
    request_ = request;
    EXPECT_THAT(failure(), HasSubstr(says));
    EXPECT_FALSE(fs::exists(good.destination)) << says;
  };
  RestoreRequest bad = good;
  bad.tablespaces = {{"near", "/x"}};
  refused("has no tablespace 'near'", bad);
  bad.tablespaces = {{"far", "relative"}};
  refused("absolute", bad);
  bad.tablespaces = {{"far", good.destination.string()}};
  refused("cannot both be restored to", bad);
  bad = good;
  bad.target.action = "promote";
  refused("recovery target action", bad);
  bad = good;
  bad.target.time = catalog::Timestamp{.instant = Time(std::chrono::seconds(3000))};
  refused("in the future", bad);
  for (const auto& change : std::vector<std::function<void(catalog::BackupInfo&)>>{
           [](auto& info) { info.mode = "snapshot-concurrent"; },
           [](auto& info) { info.version = 110000; }}) {
    bad = good;
    change(bad.backup);
    refused(bad.backup.version == 110000 ? "12 is the oldest" : "does not restore yet", bad);
  }
  bad = good;
  bad.backup.parent_backup_id = catalog::BackupId{"20250101T000000"};
  refused("the chain of backup 20260101T000000 is not known", bad);
  fs::remove_all(data());
  refused("the files of backup 20260101T000000 are missing", good);
}

TEST_F(Restoring, AWriteThatFailsLeavesNothingThatStarts) {
  os::make_directories(data() / "postgresql.conf.origin");  // where a file must go
  EXPECT_THAT(failure(), HasSubstr("postgresql.conf.origin"));
  EXPECT_FALSE(fs::exists(to("global/pg_control")));
  EXPECT_TRUE(fs::exists(to(kIncompleteMark)));
}

}  // namespace
}  // namespace barman::engine
