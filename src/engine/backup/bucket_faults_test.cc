// A whole backup into a small S3 server that makes trouble at every request in turn: whatever happens, the
// catalogue can be read, no backup is believed that is not all there, and the next backup clears away what is
// left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/clock.h"
#include "engine/backup/backup.h"
#include "engine/backup/scripted_backup.h"
#include "engine/recorded_events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/home_catalog.h"
#include "engine/server/scripted_session.h"
#include "engine/wal/scratch_home.h"
#include "os/test_folder.h"
#include "pgformat/crc32c.h"
#include "store/s3/in_a_bucket.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::IsEmpty;

const std::string kRoot = "/bucket/path/main/";

const std::string kIdentifier = "7711322697705067425";
const std::string kLabel =
    "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nLABEL: x\nSTART TIMELINE: 1\n";

// The control file of a cluster with that identifier.
std::string control_file_of_cluster() {
  std::string file(8192, '\0');
  const std::uint64_t identifier = std::stoull(kIdentifier);
  const std::uint32_t version = 1300;
  std::memcpy(file.data(), &identifier, sizeof identifier);
  std::memcpy(file.data() + 8, &version, sizeof version);
  const std::uint32_t crc = pgformat::crc32c(0, stream::bytes_of(file).data(), 288);
  std::memcpy(file.data() + 288, &crc, sizeof crc);
  return file;
}

// A small server that a backup can be streamed from, and whose files lie in `folder`.
class WholeServer final : public postgres::Connector {
 public:
  WholeServer(std::filesystem::path folder, bool is_here) : folder_(std::move(folder)), is_here_(is_here) {
    const std::string row(3'000, 't');
    backup_.archives.push_back({.tablespace = {.oid = "16384", .location = place("ts")}, .tar = {}});
    add("ts/", "PG_17_202406281/5/77", row);
    backup_.archives.push_back({.tablespace = {.oid = "", .location = ""}, .tar = {}});
    backup_.add("backup_label", kLabel);
    add("data/", "PG_VERSION", "17\n");
    add("data/", "base/1", std::string(25'000, 'x'));
    add("data/", "global/pg_control", control_file_of_cluster());
  }

  std::unique_ptr<postgres::Session> session(const std::string&, const postgres::ConnectOptions&) override {
    using Cell = std::optional<std::string>;
    // The streamed backup names none.
    const Cell identifier = is_here_ ? Cell(kIdentifier) : std::nullopt;
    auto session = std::make_unique<ScriptedSession>(170000);
    session->answers = {{"rolsuper", {{"f", "t", "t", "t", "t", identifier, "00000001", std::nullopt}}},
                        {"pg_catalog.pg_settings",
                         {{"s", "wal_segment_size", "16777216"}, {"s", "data_directory", place("data")}}},
                        {"SELECT lsn, pg_catalog",
                         {{"0/2000028", "000000010000000000000002", std::nullopt, "0", "1700000000000000"}}},
                        {"SELECT pg_catalog.pg_backup_start", {{"0/2000028"}}},
                        {"SELECT lsn, labelfile", {{"0/2000100", kLabel}}},
                        {"spcname", {{"ts1", "16384", place("ts")}}},
                        {"pg_tablespace_size", {{"36000"}}}};
    return session;
  }
  std::unique_ptr<postgres::Replication> replication(const std::string& conninfo,
                                                     const postgres::ConnectOptions& options) override {
    return scripted_.replication(conninfo, options);
  }

 private:
  [[nodiscard]] std::string place(const char* name) const { return (folder_ / name).string(); }
  void add(const std::string& top, const std::string& name, const std::string& text) {
    backup_.add(name, text);
    ScratchHome::write(folder_ / (top + name), text);
  }

  const std::filesystem::path folder_;
  const bool is_here_;
  ScriptedBackup backup_;
  ScriptedConnector scripted_{backup_};
};

// A Barman host and the bucket that it backs up into.
class BackupHost {
 public:
  BackupHost(const std::string& method, const std::filesystem::path& cluster)
      : postgres_(cluster, method == "local-to-cloud") {
    scratch_.home.base.clear();
    server_.name = "main";
    server_.values.set("backup_method", method, "test");
    server_.values.set("cloud_upload_max_archive_size", std::int64_t{1} << 30, "test");
    server_.values.set("basebackups_directory", std::string("s3://bucket/path"), "test");
  }

  // Nothing if it did not begin.
  std::optional<BackupInfo> back_up(int attempts) {
    const Home home = new_process(scratch_.home, attempts);
    HomeCatalog catalog(home, &events_);
    const BackupSurroundings around{.home = home,
                                    .server = server_,
                                    .catalog = *catalog,
                                    .connector = postgres_,
                                    .runner = runner_,
                                    .clock = real_clock_,
                                    .events = events_,
                                    .archive_once = [] {}};
    try {
      return take_backup({}, around, {});
    } catch (const Error& error) {
      events_.error(error.what());
      return std::nullopt;
    }
  }

  // As this host has it, and as one that knows nothing but the bucket.
  catalog::Listing listed(bool here) {
    if (here) return HomeCatalog(new_process(scratch_.home, 1))->list();
    const ScratchHome elsewhere;
    Home home = elsewhere.home;
    home.base.clear();
    home.is_active = false;
    return HomeCatalog(new_process(home, 1))->list();
  }

  // Names and sizes of what the bucket has of a backup.
  std::map<std::string, std::size_t> objects(const catalog::BackupId& id) {
    std::map<std::string, std::size_t> found;
    const std::string folder = kRoot + backup_folder(id);
    for (const auto& [path, text] : s3.objects()) {
      if (path.starts_with(folder) && !path.ends_with("/backup.info"))
        found[path.substr(folder.size())] = text.size();
    }
    return found;
  }

  [[nodiscard]] std::string said() const { return testing::PrintToString(events_.errors); }

  store::FakeS3 s3;

 private:
  // Every command opens the bucket anew.
  Home new_process(Home home, int attempts) {
    home.backup_bucket = std::make_shared<BucketHome>(
        "s3://bucket/path", "main", [this, attempts]() -> std::shared_ptr<store::Bucket> {
          const auto environment = [attempts](const char* name) -> std::optional<std::string> {
            if (std::string_view(name) == "AWS_MAX_ATTEMPTS") return std::to_string(attempts);
            return store::some_keys(name);
          };
          const auto opened = std::make_shared<store::S3Bucket>(
              "s3://bucket/path", "main", store::S3Choices{.endpoint = s3.endpoint()},
              store::S3Form{.part_size = 16'000, .workers = 1},
              store::BucketParts{.environment = environment, .runner = runner_, .clock = hasty_clock_});
          return {opened, &opened->store()};
        });
    return home;
  }

  ScratchHome scratch_;
  config::Server server_;
  WholeServer postgres_;
  SystemClock real_clock_;
  store::HastyClock hasty_clock_;
  os::LocalRunner runner_;
  RecordedEvents events_;
};

enum class Trouble { kInternalError, kSlowDown, kNoAnswer, kReset };

// At request number `n`, and all later ones if it `lasts`.
void make_trouble(store::FakeS3& s3, Trouble trouble, int n, bool lasts) {
  if (trouble == Trouble::kReset) {
    s3.reset_when([n, lasts, number = 0](const store::SeenRequest&) mutable {
      ++number;
      return number == n || (lasts && number > n);
    });
    return;
  }
  s3.make_trouble([=](int number, const store::SeenRequest&) -> std::optional<store::FakeReply> {
    if (number != n && !(lasts && number > n)) return std::nullopt;
    if (trouble == Trouble::kNoAnswer) return store::FakeReply{.drop = true};
    return store::FakeReply{.status = trouble == Trouble::kSlowDown ? 503 : 500};
  });
}

void end_trouble(store::FakeS3& s3) {
  s3.make_trouble({});
  s3.reset_when({});
}

class BucketFaults : public testing::TestWithParam<std::string> {
 protected:
  BucketFaults() {
    BackupHost host = new_host();
    const auto info = host.back_up(1);
    EXPECT_TRUE(info && info->status == BackupStatus::kWaitingForWals) << host.said();
    whole_ = host.objects(info.value_or(BackupInfo{}).id);
    requests_ = static_cast<int>(host.s3.seen().size());
    EXPECT_TRUE(whole_.contains("data.tar") && whole_.contains("16384.tar"));
    EXPECT_GT(requests_, 15);
  }

  BackupHost new_host() { return {GetParam(), cluster_.path()}; }

  void expect_honest(BackupHost& host) {
    for (const bool here : {true, false}) {
      const catalog::Listing listing = host.listed(here);
      EXPECT_THAT(catalog::warnings_of(listing), IsEmpty()) << here;
      for (const BackupInfo& info : listing.backups) {
        EXPECT_TRUE(!catalog::is_available(info) || host.objects(info.id) == whole_) << here;
      }
    }
  }

  // By the next backup: only records of those that failed are left.
  void expect_cleared(BackupHost& host) {
    const auto good = host.back_up(1);
    ASSERT_TRUE(good && good->status == BackupStatus::kWaitingForWals) << host.said();
    EXPECT_EQ(host.s3.unfinished(), 0U);
    for (const BackupInfo& info : host.listed(true).backups) {
      const bool is_good = catalog::is_available(info);
      EXPECT_TRUE(is_good || info.status == BackupStatus::kFailed) << info.id.text;
      EXPECT_EQ(host.objects(info.id), is_good ? whole_ : decltype(whole_)()) << info.id.text;
    }
    expect_honest(host);
  }

  os::TestFolder cluster_;
  std::map<std::string, std::size_t> whole_;  // what the bucket has of a good backup
  int requests_ = 0;                          // that it takes
};

TEST_P(BucketFaults, WhatPassesAtAnyRequestIsOvercome) {
  const Trouble others[] = {Trouble::kSlowDown, Trouble::kNoAnswer, Trouble::kReset};
  for (int n = 1; n <= requests_; ++n) {
    for (const Trouble trouble : {Trouble::kInternalError, others[n % 3]}) {
      BackupHost host = new_host();
      make_trouble(host.s3, trouble, n, false);
      const auto info = host.back_up(5);
      end_trouble(host.s3);
      ASSERT_TRUE(info && info->status == BackupStatus::kWaitingForWals) << n << host.said();
      EXPECT_EQ(host.objects(info->id), whole_) << n;
      EXPECT_EQ(host.s3.unfinished(), 0U);
      expect_honest(host);
    }
  }
}

TEST_P(BucketFaults, WithoutAnotherAttemptNothingIsBelievedThatIsNotThere) {
  for (int n = 1; n <= requests_; ++n) {
    SCOPED_TRACE(n);
    BackupHost host = new_host();
    make_trouble(host.s3, n % 2 == 0 ? Trouble::kInternalError : Trouble::kReset, n, false);
    host.back_up(1);
    end_trouble(host.s3);
    expect_honest(host);
    expect_cleared(host);
  }
}

TEST_P(BucketFaults, AStoreThatGoesAwayAtAnyRequestLeavesWhatTheNextBackupClears) {
  for (int n = 1; n <= requests_; ++n) {
    SCOPED_TRACE(n);
    BackupHost host = new_host();
    make_trouble(host.s3, n % 2 == 0 ? Trouble::kSlowDown : Trouble::kNoAnswer, n, true);
    const auto info = host.back_up(2);
    end_trouble(host.s3);
    EXPECT_TRUE(!info || !catalog::is_available(*info) || host.objects(info->id) == whole_);
    expect_honest(host);
    expect_cleared(host);
  }
}

TEST_P(BucketFaults, AnIdThatAnotherHostTakesAtTheSameMomentIsLeftToIt) {
  BackupHost host = new_host();
  std::string theirs;
  host.s3.make_trouble([&](int, const store::SeenRequest& request) -> std::optional<store::FakeReply> {
    const bool is_new = request.method == "PUT" && request.path.ends_with("/backup.info");
    if (!is_new || !theirs.empty()) return std::nullopt;
    EXPECT_TRUE(request.headers.contains("if-none-match"));
    theirs = request.path;
    return store::FakeReply{.status = 412};
  });
  const auto info = host.back_up(5);
  end_trouble(host.s3);
  ASSERT_TRUE(info && info->status == BackupStatus::kWaitingForWals) << host.said();
  EXPECT_LT(theirs, kRoot + backup_info_key(info->id));
  EXPECT_EQ(host.listed(true).backups.size(), 1U);
  for (const auto& [path, text] : host.s3.objects()) {
    EXPECT_TRUE(path.starts_with(kRoot + backup_folder(info->id))) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, BucketFaults, testing::Values("postgres", "local-to-cloud"),
                         [](const auto& method) {
                           return method.param == "postgres" ? "Postgres" : "LocalToCloud";
                         });

}  // namespace
}  // namespace barman::engine
