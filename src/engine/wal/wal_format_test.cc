#include "engine/wal/wal_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "base/error.h"
#include "base/expect_failure.h"
#include "codec/codec.h"
#include "engine/wal/fake_gpg.h"
#include "engine/wal/sample_segment.h"
#include "engine/wal/scratch_home.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

using testing::HasSubstr;

constexpr auto kSegment = "000000010000000000000001";

class WalFormatTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  // As the archiver does it.
  static std::string stored(const WalFormat& format, const std::string& text, unsigned threads = 1) {
    std::string out;
    const auto storing = format.storing(arrived_form(format, text), text.size(), threads);
    const auto path = stream::chain(storing.stages, std::make_unique<stream::AppendTo>(out));
    path->write(stream::bytes_of(text));
    path->finish();
    return out;
  }

  static StoredForm arrived_form(const WalFormat& format, const std::string& text,
                                 const char* name = kSegment) {
    return format.form_of(stream::bytes_of(text).first(std::min<std::size_t>(text.size(), 16)),
                          *pgformat::parse_wal_name(name));
  }

  [[nodiscard]] static std::string plain(const WalFormat& format, const std::string& bytes,
                                         const char* name = kSegment) {
    std::string out;
    const auto path = stream::chain(format.to_plain(*pgformat::parse_wal_name(name), {}),
                                    std::make_unique<stream::AppendTo>(out));
    path->write(stream::bytes_of(bytes));
    path->finish();
    return out;
  }

  FakeGpg gpg_;
};

TEST_F(WalFormatTest, EveryMethodOfTheConfigurationComesBack) {
  const std::string segment = sample_segment(kSegment);
  for (const char* method :
       {"gzip", "pygzip", "pigz", "bzip2", "pybzip2", "xz", "zstd", "lz4", "snappy", "custom"}) {
    for (const char* key : {"", "key"}) {
      const WalFormat format = gpg_.format({.compression = method,
                                            .level = "low",
                                            .custom_compression = "gzip -c",
                                            .custom_decompression = "gzip -dc",
                                            .key_id = key},
                                           "echo sesame");
      EXPECT_EQ(format.problem(), std::nullopt);
      for (const unsigned threads : {1U, 3U}) {
        const std::string bytes = stored(format, segment, threads);
        EXPECT_LT(bytes.size(), segment.size() / 10) << method;
        EXPECT_EQ(plain(format, bytes), segment) << method << " " << key;
      }
      const auto storing = format.storing({}, segment.size(), 1);
      EXPECT_EQ(storing.compression, method);
      EXPECT_EQ(storing.encryption.has_value(), *key != '\0');
    }
  }
}

TEST_F(WalFormatTest, WhatArrivedCompressedIsNotCompressedAgainButEncrypted) {
  const WalFormat format = gpg_.format({.compression = "zstd", .key_id = "key"}, "echo sesame");
  const std::string arrived = gzipped(sample_segment(kSegment));
  const auto storing = format.storing(arrived_form(format, arrived), arrived.size(), 1);
  EXPECT_EQ(storing.stages.size(), 1U);
  EXPECT_EQ(storing.compression, "gzip");
  EXPECT_EQ(storing.encryption, "gpg");
  const std::string bytes = stored(format, arrived);
  EXPECT_EQ(plain(format, bytes), sample_segment(kSegment));
  const auto again = format.storing(arrived_form(format, bytes), bytes.size(), 1);
  EXPECT_TRUE(again.stages.empty()) << "encrypted once";
  EXPECT_EQ(again.encryption, "gpg");
}

TEST_F(WalFormatTest, TheArchiveOfABeforeIsReadWhateverIsConfiguredNow) {
  const std::string segment = sample_segment(kSegment);
  const std::string as_xz = stored(gpg_.format({.compression = "xz", .level = "1"}, ""), segment);
  const WalFormat now = gpg_.format({.compression = "lz4"}, "");
  EXPECT_EQ(plain(now, as_xz), segment);
  EXPECT_EQ(plain(now, segment), segment);
  EXPECT_EQ(plain(WalFormat(), as_xz), segment);
}

TEST_F(WalFormatTest, ACustomFilterIsKnownByItsMagicElseByNotBeingPlain) {
  const std::string mangle = "printf 'XY'; cat";
  const std::string restore = "tail -c +3";
  const std::string segment = sample_segment(kSegment);
  const WalFormat with_magic = gpg_.format({.compression = "custom",
                                            .custom_compression = mangle,
                                            .custom_decompression = restore,
                                            .custom_magic = "0x5859"},
                                           "");
  const std::string bytes = stored(with_magic, segment);
  EXPECT_EQ(bytes, "XY" + segment);
  EXPECT_EQ(plain(with_magic, bytes), segment);
  EXPECT_EQ(plain(with_magic, segment), segment);

  const WalFormat without = gpg_.format(
      {.compression = "custom", .custom_compression = mangle, .custom_decompression = restore}, "");
  EXPECT_EQ(plain(without, "\x01\x02" + segment), segment);
  EXPECT_EQ(plain(without, segment), segment) << "from before the filter";
  EXPECT_EQ(plain(without, "1\t0/3000000\tno recovery target\n", "00000002.history"),
            "1\t0/3000000\tno recovery target\n");
  EXPECT_EQ(plain(without, gzipped(segment)), segment) << "known by itself";

  const WalFormat later =
      gpg_.format({.compression = "zstd", .custom_decompression = restore, .custom_magic = "0x5859"}, "");
  EXPECT_EQ(plain(later, bytes), segment) << "changed half way";
}

TEST_F(WalFormatTest, AFilterThatFailsIsNamedWithItsWords) {
  const WalFormat format = gpg_.format({.compression = "custom",
                                        .custom_compression = "cat >/dev/null; echo no licence >&2; exit 4",
                                        .custom_decompression = "cat"},
                                       "");
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { stored(format, sample_segment(kSegment)); }),
              HasSubstr("custom_compression_filter ended with exit status 4: no licence"));
}

TEST_F(WalFormatTest, SettingsThatCannotWorkAreTold) {
  EXPECT_THAT(gpg_.format({.compression = "custom"}, "").problem().value_or(""),
              HasSubstr("needs custom_compression_filter and custom_decompression_filter"));
  EXPECT_THAT(gpg_.format({.compression = "custom",
                           .custom_compression = "a",
                           .custom_decompression = "b",
                           .custom_magic = "0x1f8"},
                          "")
                  .problem()
                  .value_or(""),
              HasSubstr("custom_compression_magic = 0x1f8 is not of the form"));
  os::LocalRunner runner;
  EXPECT_THAT(WalFormat({.encrypts = true}, runner, nullptr).problem().value_or(""),
              HasSubstr("needs encryption_key_id"));
}

TEST_F(WalFormatTest, ThePassphraseComesFromTheCommandAndIsNeverQuoted) {
  const std::string bytes = stored(gpg_.format({.key_id = "key"}, ""), sample_segment(kSegment));
  EXPECT_EQ(plain(gpg_.format({}, "echo; echo ' sesame '"), bytes), sample_segment(kSegment));
  EXPECT_THAT(
      failure(ErrorKind::kFailed, [&] { (void)plain(gpg_.format({}, "echo barley"), bytes); }),
      testing::AllOf(HasSubstr("passphrase for the secret key is wrong"), testing::Not(HasSubstr("barley"))));
  EXPECT_THAT(
      failure(ErrorKind::kFailed, [&] { (void)plain(gpg_.format({}, "echo barley; exit 1"), bytes); }),
      testing::AllOf(HasSubstr("encryption_passphrase_command failed"), testing::Not(HasSubstr("barley"))));
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)plain(gpg_.format({}, "true"), bytes); }),
              HasSubstr("printed nothing"));
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)plain(gpg_.format({}, "yes | head -c 9999"), bytes); }),
              HasSubstr("printed more than"));
}

TEST_F(WalFormatTest, ASegmentThatLostItsEndWithoutItsFormatShowingItIsCorrupt) {
  const WalFormat format = gpg_.format({.compression = "snappy"}, "");
  const std::string cut = sample_segment(kSegment).substr(0, 65536 * 4);
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { (void)plain(format, stored(format, cut)); }),
              HasSubstr("it holds 262144 bytes of WAL, a segment of its server has 1048576"));
}

}  // namespace
}  // namespace barman::engine
