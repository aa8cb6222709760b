#include "engine/server/backup_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"

namespace barman::engine {
namespace {

config::Server server_where(std::initializer_list<std::pair<const char*, config::Value>> options) {
  config::Server server;
  server.name = "main";
  for (const auto& [option, value] : options) server.values.set(option, value, "test");
  return server;
}

std::string word(const char* text) { return text; }
config::Value figure(std::int64_t value) { return value; }

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(BackupFormat, WithoutOptionsFilesAreKeptPlain) {
  EXPECT_EQ(backup_format(server_where({})), BackupFormat{});
}

TEST(BackupFormat, WhatCannotGoTogetherIsRefused) {
  EXPECT_THAT(
      refusal([] {
        backup_format(server_where({{"encryption", word("gpg")}, {"encryption_key_id", word("someone")}}));
      }),
      testing::HasSubstr("only backups in tar format can be encrypted"));
  EXPECT_THAT(refusal([] {
                backup_format(server_where(
                    {{"backup_compression", word("xz")}, {"backup_compression_location", word("server")}}));
              }),
              testing::HasSubstr("does not compress with xz"));
  EXPECT_THAT(refusal([] {
                backup_format(server_where(
                    {{"backup_compression", word("gzip")}, {"backup_compression_format", word("plain")}}));
              }),
              testing::HasSubstr("location to be server"));
}

TEST(BackupFormat, TheServersCompressionNeedsFifteen) {
  const auto format =
      server_where({{"backup_compression", word("lz4")}, {"backup_compression_location", word("server")}});
  EXPECT_THAT(format_problem(format, 140000).value_or(""), testing::HasSubstr("needs PostgreSQL 15"));
  EXPECT_EQ(format_problem(format, 150000), std::nullopt);
  EXPECT_EQ(format_problem(server_where({{"backup_compression", word("lz4")}}), 130000), std::nullopt);
}

TEST(BackupFormat, LevelZeroOfGzipIsForOldServers) {
  const auto format =
      server_where({{"backup_compression", word("gzip")}, {"backup_compression_level", figure(0)}});
  EXPECT_EQ(format_problem(format, 140000), std::nullopt);
  EXPECT_THAT(format_problem(format, 150000).value_or(""), testing::HasSubstr("backup_compression = none"));
}

TEST(BackupFormat, MinusOneIsTheUsualLevelOfGzip) {
  EXPECT_EQ(backup_format(server_where({{"backup_compression", word("gzip")},
                                        {"backup_compression_level", figure(-1)}}))
                .level,
            std::nullopt);
  EXPECT_EQ(backup_format(server_where({{"backup_compression", word("zstd")},
                                        {"backup_compression_level", figure(-1)}}))
                .level,
            -1);
}

}  // namespace
}  // namespace barman::engine
