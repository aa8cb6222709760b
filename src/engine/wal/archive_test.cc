#include "engine/wal/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/wal/fake_gpg.h"
#include "engine/wal/sample_segment.h"
#include "engine/wal/scratch_home.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"
#include "os/lock_file.h"
#include "pgformat/wal_name.h"

namespace barman::engine {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

constexpr std::uint64_t kSystem = kSampleSystem;
constexpr std::size_t kMegabyte = kSampleSize;

std::string segment(std::string_view name, std::uint64_t system = kSystem, char fill = 'x') {
  return sample_segment(name, system, fill);
}

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(1795431520s); }  // 2026-11-23T10:58:40Z
  bool sleep(std::chrono::milliseconds /*pause*/, const std::stop_token& stop) override {
    return !stop.stop_requested();
  }
};

constexpr auto kOne = "000000010000000000000001";
constexpr auto kTwo = "000000010000000000000002";
constexpr auto kThree = "000000010000000000000003";

class ArchiveWalTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
  void arrive(const std::string& name, std::string_view content) {
    ScratchHome::write(scratch_.home.incoming / name, content);
  }
  void stream_in(const std::string& name, std::string_view content) {
    ScratchHome::write(scratch_.home.streaming / name, content);
  }
  void know_system(std::uint64_t system) {
    ScratchHome::write(scratch_.home.identity,
                       R"({"systemid": ")" + std::to_string(system) + R"(", "version": "15"})" + "\n");
  }

  ArchiveResult run(const ArchiveSettings& settings = {.streaming = true, .file = true},
                    ArchiveTalk talk = ArchiveTalk::kWhenThereAreFiles) {
    events_ = {};
    return archive_wal(scratch_.home, settings, talk, clock_, events_);
  }

  [[nodiscard]] fs::path archived(const std::string& name) const {
    return scratch_.home.archived(*pgformat::parse_wal_name(name), name);
  }
  static std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] std::vector<std::string> incoming() const { return names_in(scratch_.home.incoming); }
  [[nodiscard]] std::vector<std::string> streaming() const { return names_in(scratch_.home.streaming); }
  [[nodiscard]] std::vector<std::string> errors() const { return names_in(scratch_.home.errors); }
  [[nodiscard]] std::vector<std::string> indexed() {
    std::vector<std::string> names;
    for (const auto& entry : XlogIndex(scratch_.home, events_).read()) names.push_back(entry.name);
    return names;
  }

  ScratchHome scratch_;
  FixedClock clock_;
  RecordedEvents events_;
  FakeGpg gpg_;
};

TEST_F(ArchiveWalTest, MovesWhatArrivedAndIndexesIt) {
  arrive(kTwo, segment(kTwo));
  arrive(kOne, segment(kOne));
  arrive("000000010000000000000001.00000028.backup", "START WAL LOCATION");
  arrive("00000002.history", "1\t0/300000\tno\n");
  const auto result = run();
  EXPECT_THAT(result.archived,
              ElementsAre(kOne, "000000010000000000000001.00000028.backup", kTwo, "00000002.history"));
  EXPECT_THAT(incoming(), IsEmpty());
  EXPECT_EQ(ScratchHome::read(archived(kOne)), segment(kOne));
  EXPECT_EQ(archived(kOne), scratch_.home.wals / "0000000100000000" / kOne);
  EXPECT_TRUE(fs::exists(scratch_.home.wals / "00000002.history"));
  EXPECT_EQ(indexed(), result.archived);
}

TEST_F(ArchiveWalTest, TheIndexIsThereBeforeTheFirstFileSoThatNoReaderMakesItWithThatFile) {
  arrive(kOne, segment(kOne));
  ScratchHome::write(archived(kOne).parent_path(), "in the way: nothing can be stored");
  EXPECT_THROW(run(), Error);
  EXPECT_TRUE(fs::exists(scratch_.home.xlogdb));
}

TEST_F(ArchiveWalTest, TheIndexTellsSizeTimeAndCompressionOfWhatIsStored) {
  arrive(kOne, gzipped(segment(kOne)));
  const timespec times[2] = {{100, 0}, {100, 250000000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (scratch_.home.incoming / kOne).c_str(), times, 0), 0);
  run();
  EXPECT_EQ(
      ScratchHome::read(scratch_.home.xlogdb),
      std::string(kOne) + "\t" + std::to_string(gzipped(segment(kOne)).size()) + "\t100.25\tgzip\tNone\n");
}

TEST_F(ArchiveWalTest, SaysWhatItDoesAsThePythonBarmanDoes) {
  arrive(kTwo, segment(kTwo));
  arrive("junk", "?");
  stream_in(kOne, segment(kOne));
  stream_in(std::string(kTwo) + ".partial", "");
  run({.streaming = true, .file = true}, ArchiveTalk::kAlways);
  EXPECT_THAT(
      events_.infos,
      ElementsAre("Processing xlog segments from streaming for main (batch size: 1)",
                  "\t000000010000000000000001",
                  "Processing xlog segments from file archival for main (batch size: 1)",
                  "\t000000010000000000000002",
                  "Some unknown objects have been found while processing xlog segments for main. Objects "
                  "moved to errors directory:",
                  "\tjunk"));
  run({.streaming = true, .file = true}, ArchiveTalk::kAlways);
  EXPECT_THAT(events_.infos,
              ElementsAre("Processing xlog segments from streaming for main", "\tno file found",
                          "Processing xlog segments from file archival for main", "\tno file found"));
  run();
  EXPECT_THAT(events_.infos, IsEmpty()) << "inside of another command";
}

TEST_F(ArchiveWalTest, LeavesOthersWorkInProgressAlone) {
  arrive("." + std::string(kOne), "");
  arrive(std::string(kOne) + ".tmp", "");
  const auto result = run();
  EXPECT_EQ(result, ArchiveResult{});
  EXPECT_EQ(incoming().size(), 2U);
}

TEST_F(ArchiveWalTest, UnknownFilesFoldersAndLinksGoToErrors) {
  arrive("junk", "?");
  arrive("000000010000000000000001x", segment(kOne));
  fs::create_directory(scratch_.home.incoming / kTwo);
  fs::create_symlink("/etc/passwd", scratch_.home.incoming / kThree);
  const auto result = run();
  EXPECT_THAT(result.unknown, ElementsAre("000000010000000000000001x", kTwo, kThree, "junk"));
  EXPECT_THAT(result.archived, IsEmpty());
  EXPECT_THAT(errors(), testing::Contains("junk.20261123T105840Z.unknown"));
  EXPECT_EQ(errors().size(), 4U);
}

TEST_F(ArchiveWalTest, QuarantineNeverReplacesWhatIsThere) {
  arrive("junk", "one");
  run();
  arrive("junk", "two");
  run();
  EXPECT_THAT(errors(), ElementsAre("junk.20261123T105840Z.2.unknown", "junk.20261123T105840Z.unknown"));
}

TEST_F(ArchiveWalTest, BatchSizesCountWalOnly) {
  for (int i = 0; i < 9; ++i) arrive("0junk" + std::to_string(i), "?");
  for (const char* name : {kOne, kTwo, kThree}) arrive(name, segment(name));
  const auto result = run({.file = true, .file_batch_size = 2}, ArchiveTalk::kAlways);
  EXPECT_THAT(result.archived, ElementsAre(kOne, kTwo));
  EXPECT_EQ(events_.infos.front(), "Processing xlog segments from file archival for main (batch size: 2)");
  EXPECT_THAT(run({.file = true, .file_batch_size = 2}).archived, ElementsAre(kThree));
}

TEST_F(ArchiveWalTest, AnIdenticalDuplicateIsRemoved) {
  arrive(kOne, segment(kOne));
  run();
  arrive(kOne, segment(kOne));
  const auto result = run();
  EXPECT_THAT(result.duplicates, ElementsAre(kOne));
  EXPECT_THAT(incoming(), IsEmpty());
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(indexed(), ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, AnotherContentUnderTheSameNameGoesToErrorsEvenWithEqualSizeAndTime) {
  arrive(kOne, segment(kOne));
  run();
  arrive(kOne, segment(kOne, kSystem, 'y'));
  fs::last_write_time(scratch_.home.incoming / kOne, fs::last_write_time(archived(kOne)));
  const auto result = run();
  EXPECT_THAT(result.conflicts, ElementsAre(kOne));
  EXPECT_THAT(
      events_.infos,
      testing::Contains("\tError: 000000010000000000000001 is already present in server main. File moved "
                        "to errors directory."));
  EXPECT_THAT(errors(), ElementsAre("000000010000000000000001.20261123T105840Z.duplicate"));
  EXPECT_EQ(ScratchHome::read(archived(kOne)), segment(kOne)) << "the archived one is untouched";
  EXPECT_THAT(indexed(), ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, ACompressedCopyIsComparedByItsContent) {
  ScratchHome::write(archived(kOne), gzipped(segment(kOne)));
  ScratchHome::write(archived(kTwo), gzipped(segment(kTwo)));
  arrive(kOne, segment(kOne));
  arrive(kTwo, segment(kTwo, kSystem, 'y'));
  const auto result = run();
  EXPECT_THAT(result.duplicates, ElementsAre(kOne));
  EXPECT_THAT(result.conflicts, ElementsAre(kTwo));
}

TEST_F(ArchiveWalTest, ADamagedOrEncryptedArchivedCopyIsAConflict) {
  ScratchHome::write(archived(kOne), gzipped(segment(kOne)).substr(0, 500));
  ScratchHome::write(archived(kTwo), "\x84\x5e\x03secret");
  arrive(kOne, segment(kOne));
  arrive(kTwo, segment(kTwo));
  EXPECT_THAT(run().conflicts, ElementsAre(kOne, kTwo));
}

TEST_F(ArchiveWalTest, TheNewestStreamedSegmentStaysWhenThereIsNoPartial) {
  for (const char* name : {kOne, kTwo, kThree}) stream_in(name, segment(name));
  stream_in("00000002.history", "1\t0/300000\tno\n");
  EXPECT_THAT(run().archived, ElementsAre(kOne, kTwo, "00000002.history"));
  EXPECT_THAT(streaming(), ElementsAre(kThree));
}

TEST_F(ArchiveWalTest, OnlyTheNewestPartialStays) {
  stream_in(kOne, segment(kOne));
  stream_in(std::string(kTwo) + ".partial", segment(kTwo));
  stream_in("000000020000000000000002.partial", "");
  EXPECT_THAT(run().archived, ElementsAre(kOne, std::string(kTwo) + ".partial"));
  EXPECT_THAT(streaming(), ElementsAre("000000020000000000000002.partial"));
}

TEST_F(ArchiveWalTest, AFullSegmentAndItsPartialLiveSideBySide) {
  arrive(kOne, segment(kOne));
  arrive(std::string(kOne) + ".partial", segment(kOne, kSystem, 'p'));
  EXPECT_THAT(run().archived, ElementsAre(kOne, std::string(kOne) + ".partial"));
  EXPECT_EQ(ScratchHome::read(archived(kOne)), segment(kOne));
}

TEST_F(ArchiveWalTest, WalOfAnotherClusterIsRefused) {
  know_system(kSystem);
  arrive(kOne, segment(kOne, kSystem + 1));
  arrive(kTwo, gzipped(segment(kTwo, kSystem + 1)));
  arrive(kThree, segment(kThree));
  const auto result = run();
  EXPECT_THAT(result.refused, ElementsAre(kOne, kTwo));
  EXPECT_THAT(result.archived, ElementsAre(kThree));
  EXPECT_THAT(errors(), ElementsAre("000000010000000000000001.20261123T105840Z.foreign",
                                    "000000010000000000000002.20261123T105840Z.foreign"));
  EXPECT_THAT(events_.errors.at(0), HasSubstr("7123456789012345679"));
}

TEST_F(ArchiveWalTest, WalUnderAnotherSegmentsNameIsRefused) {
  arrive(kOne, segment(kTwo));
  arrive(kThree, std::string(kMegabyte, '\0'));
  arrive("0000000A0000000000000005", segment("0000000B0000000000000005"));
  const auto result = run();
  EXPECT_THAT(result.refused, ElementsAre(kOne, kThree, "0000000A0000000000000005"));
  EXPECT_THAT(events_.errors.at(0), HasSubstr("holds the WAL of 000000010000000000000002"));
  EXPECT_THAT(indexed(), IsEmpty());
}

TEST_F(ArchiveWalTest, TheFirstSegmentOfATimelineStartsWithPagesOfItsParent) {
  arrive("000000020000000000000003", segment(kThree));
  EXPECT_THAT(run().archived, ElementsAre("000000020000000000000003"));
}

TEST_F(ArchiveWalTest, ASegmentCutShortWaitsUntilItIsWhole) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{39}, std::size_t{40}, kMegabyte / 2, kMegabyte - 1}) {
    arrive(kOne, segment(kOne).substr(0, size));
    const auto result = run({.file = true}, ArchiveTalk::kAlways);
    EXPECT_THAT(result.incomplete, ElementsAre(kOne)) << size;
    EXPECT_THAT(events_.warnings, ElementsAre(HasSubstr(kOne)));
    EXPECT_THAT(incoming(), ElementsAre(kOne));
  }
  arrive(kOne, segment(kOne));
  EXPECT_THAT(run().archived, ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, ASegmentThatIsTooLongIsRefused) {
  arrive(kOne, segment(kOne) + "more");
  EXPECT_THAT(run().refused, ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, WhatArrivesEncryptedIsTakenAsItIs) {
  arrive(kTwo, "\x84\x5e\x03secret");
  EXPECT_THAT(run().archived, ElementsAre(kTwo));
  EXPECT_THAT(ScratchHome::read(scratch_.home.xlogdb), HasSubstr("\tNone\tgpg\n"));
}

TEST_F(ArchiveWalTest, WhatArrivesCompressedAndDamagedWaits) {
  arrive(kOne, "\x28\xb5\x2f\xfd not really zstd");
  EXPECT_THAT(run().incomplete, ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, ADamagedIdentityStopsBeforeAnythingIsMoved) {
  ScratchHome::write(scratch_.home.identity, "{");
  arrive(kOne, segment(kOne));
  EXPECT_THROW(run(), Error);
  EXPECT_THAT(incoming(), ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, ABusyArchiverIsNoFailure) {
  arrive(kOne, segment(kOne));
  const auto lock = os::LockFile::try_acquire(scratch_.home.archive_lock());
  EXPECT_TRUE(run().busy);
  EXPECT_THAT(
      events_.infos,
      ElementsAre(
          "Another archive-wal process is already running on server main. Skipping to the next server"));
  EXPECT_THAT(incoming(), ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, WhatIsStoredIsCompressedAndTheIndexSaysSo) {
  const ArchiveSettings settings{.file = true, .format = gpg_.format({.compression = "gzip"}, "")};
  arrive(kOne, segment(kOne));
  arrive(kTwo, gzipped(segment(kTwo)));
  fs::permissions(scratch_.home.incoming / kOne, fs::perms::owner_read | fs::perms::group_read);
  EXPECT_THAT(run(settings).archived, ElementsAre(kOne, kTwo));
  EXPECT_EQ(ScratchHome::read(archived(kOne)), gzipped(segment(kOne)));
  EXPECT_EQ(ScratchHome::read(archived(kTwo)), gzipped(segment(kTwo))) << "compressed once, not twice";
  EXPECT_EQ(fs::status(archived(kOne)).permissions(), fs::perms::owner_read | fs::perms::group_read);
  EXPECT_THAT(ScratchHome::read(scratch_.home.xlogdb), HasSubstr("\tgzip\tNone\n"));
  EXPECT_THAT(incoming(), IsEmpty());
}

TEST_F(ArchiveWalTest, WhatIsStoredIsEncryptedAndTheIndexSaysSo) {
  const WalFormat format = gpg_.format({.compression = "zstd", .key_id = "key"}, "echo sesame");
  arrive(kOne, segment(kOne));
  arrive(kTwo, gzipped(segment(kTwo)));
  EXPECT_THAT(run({.file = true, .format = format}).archived, ElementsAre(kOne, kTwo));
  EXPECT_THAT(ScratchHome::read(scratch_.home.xlogdb),
              testing::AllOf(HasSubstr("\tzstd\tgpg\n"), HasSubstr("\tgzip\tgpg\n")));
  for (const char* name : {kOne, kTwo}) {
    EXPECT_TRUE(codec::is_openpgp_encrypted(stream::bytes_of(ScratchHome::read(archived(name)))));
    std::string plain;
    const auto archive = wal_archive(scratch_.home);
    copy_plain(*archive, *find_archived(*archive, name), format, std::make_unique<stream::AppendTo>(plain),
               {});
    EXPECT_EQ(plain, segment(name));
  }
}

TEST_F(ArchiveWalTest, AnEncryptedFileIsComparedByWhatItHolds) {
  const WalFormat format = gpg_.format({.compression = "gzip", .key_id = "key"}, "echo sesame");
  arrive(kOne, segment(kOne));
  run({.file = true, .format = format});
  arrive(kOne, segment(kOne));
  EXPECT_THAT(run({.file = true, .format = format}).duplicates, ElementsAre(kOne));
  arrive(kOne, segment(kOne, kSystem, 'y'));
  EXPECT_THAT(run({.file = true, .format = format}).conflicts, ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, WithoutTheSecretKeyAnEncryptedFileIsNeverTakenForTheSame) {
  const ArchiveSettings settings{.file = true, .format = gpg_.format({.key_id = "key"}, "")};
  const auto source = scratch_.home.incoming / kOne;
  arrive(kOne, segment(kOne));
  const auto time = fs::last_write_time(source);
  run(settings);
  const std::string stored = ScratchHome::read(archived(kOne));
  arrive(kOne, segment(kOne, kSystem, 'y'));
  fs::last_write_time(source, time);
  EXPECT_THAT(run(settings).conflicts, ElementsAre(kOne));
  EXPECT_EQ(ScratchHome::read(archived(kOne)), stored);
  EXPECT_THAT(errors(), ElementsAre(testing::EndsWith(".duplicate")));
  EXPECT_THAT(indexed(), ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, ManySegmentsAtOnceAreStoredInOrder) {
  std::vector<std::string> names;
  for (int i = 1; i <= 20; ++i) names.push_back(fmt::format("0000000100000000000000{:02X}", i));
  for (const std::string& name : names) arrive(name, segment(name));
  EXPECT_EQ(run({.file = true, .format = gpg_.format({.compression = "zstd"}, "")}).archived, names);
  EXPECT_EQ(indexed(), names);
}

TEST_F(ArchiveWalTest, AKeyThatCannotBeUsedLeavesEverythingWhereItWas) {
  WalFormatSettings settings{.encrypts = true, .key_id = "key", .gpg = {.program = "/nowhere/gpg"}};
  os::LocalRunner runner;
  arrive(kOne, segment(kOne));
  EXPECT_THROW(run({.file = true, .format = WalFormat(settings, runner, nullptr)}), Error);
  EXPECT_THAT(incoming(), ElementsAre(kOne));
  EXPECT_FALSE(fs::exists(archived(kOne)));
  EXPECT_THAT(indexed(), IsEmpty());
}

TEST_F(ArchiveWalTest, TheCustomFilterIsUsedWithAWarningInTheLog) {
  const WalFormat format = gpg_.format(
      {.compression = "custom", .custom_compression = "gzip -c", .custom_decompression = "gzip -dc"}, "");
  arrive(kOne, segment(kOne));
  run({.file = true, .format = format});
  EXPECT_THAT(ScratchHome::read(scratch_.home.xlogdb), HasSubstr("\tcustom\tNone\n"));
  EXPECT_THAT(events_.logged, ElementsAre(HasSubstr("compression = custom is deprecated")));
}

TEST_F(ArchiveWalTest, AnIndexThatIsMadeAnewKnowsTheCustomFilter) {
  const WalFormat format = gpg_.format({.compression = "custom",
                                        .custom_compression = "tr x y",
                                        .custom_decompression = "tr y x",
                                        .custom_magic = "0x10d1"},
                                       "");
  arrive(kOne, segment(kOne));
  run({.file = true, .format = format});
  const std::string written = ScratchHome::read(scratch_.home.xlogdb);
  EXPECT_THAT(written, HasSubstr("\tcustom\tNone\n"));
  XlogIndex(scratch_.home, events_, &format).rebuild();
  EXPECT_EQ(ScratchHome::read(scratch_.home.xlogdb), written);
}

TEST_F(ArchiveWalTest, AFailureInTheMiddleCompletesWhatWasStoredBefore) {
  arrive(kOne, segment(kOne));
  arrive("000000010000000100000001", segment("000000010000000100000001"));
  ScratchHome::write(scratch_.home.wals / "0000000100000001", "a file where a folder should be");
  EXPECT_THROW(run(), Error);
  EXPECT_THAT(indexed(), ElementsAre(kOne));
  EXPECT_THAT(incoming(), ElementsAre("000000010000000100000001"));
}

TEST_F(ArchiveWalTest, HearsAStop) {
  arrive(kOne, segment(kOne));
  std::stop_source stop;
  stop.request_stop();
  try {
    archive_wal(scratch_.home, {}, ArchiveTalk::kAlways, clock_, events_, stop.get_token());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCancelled);
  }
  EXPECT_THAT(incoming(), ElementsAre(kOne));
}

TEST_F(ArchiveWalTest, ManyFilesAtOnce) {
  for (int i = 0; i < 200; ++i) {
    arrive(fmt::format("{:08X}.history", i + 2), "1\t0/300000\tno\n");
  }
  EXPECT_EQ(run().archived.size(), 200U);
  EXPECT_EQ(indexed().size(), 200U);
  EXPECT_THAT(incoming(), IsEmpty());
}

#ifdef BARMAN_FAULT_POINTS
class KilledArchiveTest : public ArchiveWalTest, public testing::WithParamInterface<const char*> {
 protected:
  // Runs in a child that dies at the point. Copies if there are stages.
  void run_killed(const ArchiveSettings& settings) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("BARMAN_FAULT_POINT", GetParam(), 1);
      run(settings);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "never came to " << GetParam();
  }

  // Files that arrived may be put aside, but not lost.
  void expect_recovery(const ArchiveSettings& settings,
                       const testing::Matcher<std::vector<std::string>>& put_aside = IsEmpty()) {
    arrive(kOne, segment(kOne));
    arrive(kTwo, segment(kTwo));
    run_killed(settings);
    // A program that the killed run was about to start may hold the lock for another moment.
    for (int again = 0; run(settings).busy && again < 1000; ++again) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_THAT(indexed(), testing::UnorderedElementsAre(kOne, kTwo));
    EXPECT_THAT(incoming(), IsEmpty());
    EXPECT_THAT(errors(), put_aside);
    EXPECT_THAT(names_in(archived(kOne).parent_path()), ElementsAre(kOne, kTwo));
  }
};

class KilledWhileLinking : public KilledArchiveTest {};
TEST_P(KilledWhileLinking, TheNextRunLosesNothingAndCountsNothingTwice) { expect_recovery({.file = true}); }
INSTANTIATE_TEST_SUITE_P(Points, KilledWhileLinking,
                         testing::Values("archive-synced", "archive-linked", "archive-stored",
                                         "archive-indexed", "archive-removed"));

class KilledWhileCopying : public KilledArchiveTest {};
TEST_P(KilledWhileCopying, TheNextRunLosesNothingAndCountsNothingTwice) {
  expect_recovery({.file = true, .format = gpg_.format({.compression = "gzip"}, "")});
}
TEST_P(KilledWhileCopying, TheSameWithoutTheKeyToReadWhatWasEncrypted) {
  expect_recovery({.file = true, .format = gpg_.format({.compression = "gzip", .key_id = "key"}, "")},
                  testing::Each(testing::EndsWith(".duplicate")));
}
INSTANTIATE_TEST_SUITE_P(Points, KilledWhileCopying,
                         testing::Values("archive-copied", "archive-renamed", "archive-stored",
                                         "archive-indexed", "archive-removed"));
#endif

}  // namespace
}  // namespace barman::engine
