#include "engine/backup/archive_form.h"

#include <gtest/gtest.h>

#include "os/process.h"

namespace barman::engine {
namespace {

using codec::Compression;

config::Server server_with(std::initializer_list<std::pair<const char*, config::Value>> options) {
  config::Server server;
  server.name = "main";
  for (const auto& [option, value] : options) server.values.set(option, value, "test");
  return server;
}

std::string word(const char* text) { return text; }
config::Value figure(std::int64_t value) { return value; }

TEST(ArchiveForm, ArchivesAreNamedForWhatWasDoneToThem) {
  const auto suffix = [](const char* name) {
    return archive_suffix(backup_format(server_with({{"backup_compression", word(name)}})));
  };
  EXPECT_EQ(suffix("none"), ".tar");
  EXPECT_EQ(suffix("gzip"), ".tar.gz");
  EXPECT_EQ(suffix("lz4"), ".tar.lz4");
  EXPECT_EQ(suffix("zstd"), ".tar.zst");
  EXPECT_EQ(suffix("bzip2"), ".tar.bz2");
  EXPECT_EQ(suffix("xz"), ".tar.xz");
  const auto encrypted = backup_format(server_with({{"backup_compression", word("zstd")},
                                                    {"backup_compression_format", word("tar")},
                                                    {"encryption", word("gpg")},
                                                    {"encryption_key_id", word("someone")}}));
  EXPECT_EQ(archive_suffix(encrypted), ".tar.zst.gpg");
  EXPECT_EQ(encrypted.key, "someone");
}

TEST(ArchiveForm, TheRecordSaysHowArchivesAreCompressed) {
  EXPECT_EQ(recorded_compression({.is_tar = true, .in_bucket = true}), std::nullopt);
  EXPECT_EQ(
      recorded_compression({.is_tar = true, .in_bucket = true, .compression = codec::Compression::kGzip}),
      "gzip");
  EXPECT_EQ(recorded_compression(backup_format(server_with({{"backup_compression", word("none")}}))), "none");
  EXPECT_EQ(recorded_compression(backup_format(server_with({{"backup_compression", word("zstd")}}))), "zstd");
  EXPECT_EQ(recorded_compression(backup_format(server_with({{"backup_compression", word("zstd")},
                                                            {"backup_compression_location", word("server")},
                                                            {"backup_compression_format", word("plain")}}))),
            std::nullopt);
}

TEST(ArchiveForm, InABucketArchivesAreMadeHere) {
  const auto form = [](config::Server server) {
    server.values.set("basebackups_directory", word("s3://b/x"), "test");
    server.values.set("cloud_upload_max_archive_size", figure(1000), "test");
    os::LocalRunner runner;
    return series_form(backup_format(server), server.values, runner, {});
  };
  const TarSeriesForm plain = form(server_with({}));
  EXPECT_EQ(plain.most_bytes, 1000U);
  EXPECT_TRUE(plain.stages.empty() && !plain.compression && !plain.encrypted);
  const TarSeriesForm both = form(server_with({{"backup_compression", word("zstd")},
                                               {"backup_compression_location", word("server")},
                                               {"encryption", word("gpg")},
                                               {"encryption_key_id", word("someone")}}));
  EXPECT_EQ(both.stages.size(), 2U);
  EXPECT_EQ(both.compression, codec::Compression::kZstd);
  const TarSeriesForm on_the_way = form(server_with({{"backup_compression", word("zstd")},
                                                     {"backup_compression_location", word("server")},
                                                     {"backup_compression_format", word("plain")}}));
  EXPECT_TRUE(on_the_way.stages.empty() && !on_the_way.compression);
  EXPECT_TRUE(form(server_with({{"encryption", word("gpg")}, {"encryption_key_id", word("k")}})).encrypted);
}

TEST(ArchiveForm, TheServerIsToldWhatWasAskedFor) {
  const auto detail = [](std::int64_t level, std::int64_t workers) {
    return server_compression(backup_format(server_with({{"backup_compression", word("zstd")},
                                                         {"backup_compression_location", word("server")},
                                                         {"backup_compression_level", figure(level)},
                                                         {"backup_compression_workers", figure(workers)}})))
        ->detail;
  };
  EXPECT_EQ(detail(7, 3), "level=7,workers=3");
  EXPECT_EQ(detail(-5, 0), "level=-5");
  const auto gzip = backup_format(server_with({{"backup_compression", word("gzip")},
                                               {"backup_compression_location", word("server")},
                                               {"backup_compression_level", figure(-1)}}));
  EXPECT_EQ(server_compression(gzip)->detail, "");
  EXPECT_EQ(server_compression(gzip)->kind, Compression::kGzip);
  EXPECT_FALSE(server_compression(backup_format(server_with({{"backup_compression", word("gzip")}}))));
}

}  // namespace
}  // namespace barman::engine
