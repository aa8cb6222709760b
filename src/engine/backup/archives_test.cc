// Base backups that are kept as archives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "codec/compress.h"
#include "engine/backup/archive_files.h"
#include "engine/backup/plain_files.h"
#include "engine/backup/scripted_backup.h"
#include "engine/backup/streaming.h"
#include "engine/recorded_events.h"
#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using codec::Compression;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string passed_through(const stream::Stage& stage, const std::string& text) {
  std::string result;
  const auto path = stage(std::make_unique<stream::AppendTo>(result));
  path->write(stream::bytes_of(text));
  path->finish();
  return result;
}

ScriptedBackup with_a_tablespace() {
  ScriptedBackup backup;
  backup.archives.push_back({.tablespace = {.oid = "16384", .location = "/srv/ts1"}, .tar = {}});
  backup.archives.back().tar += tar_header("PG_17_1", '5', 0);
  backup.add("PG_17_1/77", std::string(30'000, 't'));
  backup.archives.back().tar += std::string(1024, '\0');
  backup.archives.push_back({.tablespace = {.oid = "", .location = ""}, .tar = {}});
  backup.add("backup_label", "START WAL LOCATION\n");
  backup.add("tablespace_map", "16384 /srv/ts1\n");
  backup.archives.back().tar += tar_header("base", '5', 0);
  backup.add("base/1", std::string(100'000, 'x'));
  backup.add("global_pg_control", std::string(8192, 'c'));
  backup.archives.back().tar += std::string(1024, '\0');
  return backup;
}

class Archives : public testing::Test {
 protected:
  StreamingOutcome take() {
    ArchiveFiles archives(place, form, events);
    return copy_by_streaming(copy, archives, connector, clock, events, stop.get_token());
  }

  std::string failure() {
    try {
      take();
    } catch (const Error& e) {
      return e.what();
    }
    return "no failure";
  }

  [[nodiscard]] std::vector<std::string> stored() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      names.push_back(entry.path().lexically_relative(place));
    }
    return names;
  }

  [[nodiscard]] std::string text(const fs::path& name) const {
    return os::read_file(place / "data" / name).value_or("(none)");
  }

  // Has the scripted server compress what it sends.
  void compress_on_server(Compression kind) {
    copy.server_compression = ServerCompression{.kind = kind, .detail = "level=1"};
    for (auto& archive : backup.archives) {
      archive.tar = passed_through(codec::compress(kind, 1, 1), archive.tar);
    }
  }

  os::TestFolder folder;
  StreamingCopy copy{.conninfo = "host=x",
                     .application_name = "barman_streaming_backup",
                     .label = "Barman backup main X",
                     .tablespace_map = true};
  fs::path place = folder.path() / "id";
  ArchiveForm form{.suffix = ".tar"};
  ScriptedBackup backup = with_a_tablespace();
  ScriptedConnector connector{backup};
  SystemClock clock;
  RecordedEvents events;
  std::stop_source stop;
};

TEST_F(Archives, AreStoredAsTheyAreSent) {
  const StreamingOutcome outcome = take();
  EXPECT_THAT(stored(), UnorderedElementsAre("16384", "data", "data/16384.tar", "data/backup_manifest",
                                             "data/base.tar"));
  EXPECT_EQ(text("16384.tar"), backup.archives[0].tar);
  EXPECT_EQ(text("base.tar"), backup.archives[1].tar);
  EXPECT_EQ(text("backup_manifest"), backup.manifest());
  EXPECT_EQ(outcome.label, "START WAL LOCATION\n");
  EXPECT_EQ(outcome.files, 5U);
  ASSERT_EQ(outcome.tablespaces.size(), 1U);
  EXPECT_EQ(outcome.tablespaces[0].location, "/srv/ts1");
}

TEST_F(Archives, AreCompressedOnTheWay) {
  for (const Compression kind :
       {Compression::kGzip, Compression::kLz4, Compression::kZstd, Compression::kBzip2, Compression::kXz}) {
    form = ArchiveForm{.suffix = ".x", .is_compressed = true, .stages = {codec::compress(kind, 1, 2)}};
    take();
    EXPECT_EQ(codec::detect_compression(stream::bytes_of(text("base.x"))), kind);
    EXPECT_EQ(passed_through(codec::decompress(kind), text("base.x")), backup.archives[1].tar);
  }
}

TEST_F(Archives, ThatTheServerCompressedAreStoredAsTheyAreSentAndStillChecked) {
  compress_on_server(Compression::kZstd);
  form = ArchiveForm{.suffix = ".tar.zst", .is_compressed = true};
  const StreamingOutcome outcome = take();
  EXPECT_EQ(text("base.tar.zst"), backup.archives[1].tar);
  EXPECT_EQ(outcome.files, 5U);
  EXPECT_EQ(outcome.label, "START WAL LOCATION\n");
}

TEST_F(Archives, ThatTheServerCompressedCanBeUnpacked) {
  compress_on_server(Compression::kGzip);
  PlainFiles files(place, events);
  copy_by_streaming(copy, files, connector, clock, events, std::stop_token());
  EXPECT_EQ(text("base/1"), std::string(100'000, 'x'));
}

TEST_F(Archives, TheServerIsAskedForAMapOfTablespacesAndItsCompression) {
  struct One final : postgres::Connector {
    explicit One(ScriptedBackup& sent) : backup(sent) {}
    std::unique_ptr<postgres::Session> session(const std::string&, const postgres::ConnectOptions&) override {
      return nullptr;
    }
    std::unique_ptr<postgres::Replication> replication(const std::string&,
                                                       const postgres::ConnectOptions&) override {
      struct Watching final : postgres::Replication {
        explicit Watching(One& one) : owner(one), inner(one.backup, -1, Error(ErrorKind::kFailed, "")) {}
        [[nodiscard]] int server_version() const override { return 170000; }
        postgres::SystemIdentity identify_system() override { return {}; }
        pgformat::SegmentSize wal_segment_size() override { return pgformat::kDefaultSegmentSize; }
        std::string timeline_history(pgformat::Timeline) override { return {}; }
        void stream_wal(const postgres::StreamOptions&, postgres::WalReceiver&,
                        const std::stop_token&) override {}
        void create_slot(const std::string&, bool) override {}
        void drop_slot(const std::string&) override {}
        std::optional<postgres::SlotInfo> read_slot(const std::string&) override { return std::nullopt; }
        void base_backup(const postgres::BaseBackupOptions& options, postgres::BaseBackupReceiver& receiver,
                         const std::stop_token& stop) override {
          owner.map = options.tablespace_map;
          owner.compression = options.compression + " " + options.compression_detail;
          inner.base_backup(options, receiver, stop);
        }
        One& owner;
        ScriptedReplication inner;
      };
      return std::make_unique<Watching>(*this);
    }
    ScriptedBackup& backup;
    bool map = false;
    std::string compression;
  } one(backup);
  compress_on_server(Compression::kLz4);
  ArchiveFiles archives(place, form, events);
  copy_by_streaming(copy, archives, one, clock, events, std::stop_token());
  EXPECT_TRUE(one.map);
  EXPECT_EQ(one.compression, "lz4 level=1");
}

TEST_F(Archives, AFlippedBitIsNoticedAndNothingIsStoredUnderTheName) {
  backup.archives[1].tar[backup.archives[1].tar.find("xxxx") + 5] = 'y';
  EXPECT_THAT(failure(), HasSubstr("base/1 arrived with checksum"));
  backup = with_a_tablespace();
  backup.archives[1].tar.resize(20'000);
  EXPECT_THAT(failure(), HasSubstr("cut short"));
  EXPECT_THAT(stored(), UnorderedElementsAre("16384", "data", "data/16384.tar"));
}

TEST_F(Archives, ACutCompressedArchiveIsNotStored) {
  compress_on_server(Compression::kZstd);
  backup.archives[1].tar.pop_back();
  EXPECT_NE(failure(), "no failure");
  EXPECT_THAT(stored(), UnorderedElementsAre("16384", "data", "data/16384.tar"));
}

TEST_F(Archives, WhatTheManifestDoesNotListIsNoticed) {
  backup.archives[0].tar.resize(backup.archives[0].tar.size() - 1024);
  backup.archives[0].tar += tar_file("PG_17_1/extra", "x");
  EXPECT_THAT(failure(), HasSubstr("a file arrived but is not in the manifest"));
  backup = with_a_tablespace();
  backup.archives[0].tar = tar_file("PG_17_1/77", std::string(30'000, 't')) + backup.archives[0].tar;
  EXPECT_THAT(failure(), HasSubstr("a file arrived but is not in the manifest"));
}

TEST_F(Archives, HostileNamesAreRefused) {
  for (const char* name : {"../evil", "/tmp/evil"}) {
    backup = with_a_tablespace();
    backup.archives[1].tar = tar_file(name, "x") + backup.archives[1].tar;
    EXPECT_THAT(failure(), HasSubstr("unsafe name")) << name;
  }
  backup = with_a_tablespace();
  backup.archives[1].tar = tar_header("base/link", '2', 0, "/etc") + backup.archives[1].tar;
  EXPECT_THAT(failure(), HasSubstr("link"));
  backup = with_a_tablespace();
  backup.archives[0].tablespace = {.oid = "../x", .location = "inside"};
  EXPECT_THAT(failure(), HasSubstr("no oid"));
}

TEST_F(Archives, AreWrittenAnewAfterAFailureThatPasses) {
  copy.retries = 1;
  copy.pause = std::chrono::seconds(0);
  connector.fail_at = 8;
  take();
  EXPECT_EQ(text("base.tar"), backup.archives[1].tar);
  EXPECT_EQ(take().label, "START WAL LOCATION\n");
}

TEST_F(Archives, AProgramThatTheSameSignalEndedIsNoFailure) {
  struct Interrupted final : stream::Sink {
    explicit Interrupted(std::stop_source& source) : stop(source) {}
    void write(stream::Bytes) override {
      stop.request_stop();
      throw Error(ErrorKind::kFailed, "gpg was ended by signal 2");
    }
    void finish() override {}
    std::stop_source& stop;
  };
  form.stages = {[this](std::unique_ptr<stream::Sink>) { return std::make_unique<Interrupted>(stop); }};
  try {
    take();
    FAIL() << "nothing thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCancelled) << e.what();
  }
}

// The limit on file sizes stands in for a full disk.
TEST_F(Archives, ThatCannotBeWrittenAreNamedAndRemoved) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { .rlim_cur = 50'000, .rlim_max = before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string said = failure();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(said, HasSubstr("data/base.tar: File too large"));
  EXPECT_THAT(stored(), UnorderedElementsAre("16384", "data", "data/16384.tar"));
}

TEST_F(Archives, ThatAreCompressedNeedNoRoomForWhatTheServerHas) {
  backup.archives[1].tablespace.size_bytes = std::uint64_t{1} << 60;
  EXPECT_THAT(failure(), HasSubstr("make room"));
  form.is_compressed = true;
  EXPECT_EQ(failure(), "no failure");
}

}  // namespace
}  // namespace barman::engine
