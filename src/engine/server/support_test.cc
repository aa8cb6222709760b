#include "engine/server/support.h"

#include <gtest/gtest.h>

namespace barman::engine {
namespace {

config::Server server(std::initializer_list<std::pair<std::string_view, std::string>> options) {
  config::Server result;
  result.name = "main";
  result.values.set("backup_method", std::string("postgres"), "test");
  for (const auto& [option, value] : options) result.values.set(option, value, "test");
  return result;
}

TEST(Support, AStreamedBackupIsSupported) {
  for (const Verb verb : {Verb::kBackup, Verb::kArchiveWal, Verb::kReceiveWal, Verb::kGetWal, Verb::kPutWal,
                          Verb::kRestore, Verb::kDelete, Verb::kCron}) {
    EXPECT_EQ(unsupported(server({}), verb), std::nullopt);
  }
  EXPECT_EQ(unsupported(server({{"encryption", "none"}}), Verb::kBackup), std::nullopt);
  EXPECT_EQ(unsupported(server({{"backup_method", "local-to-cloud"}}), Verb::kBackup), std::nullopt);
}

TEST(Support, OtherMethodsAreRefusedByBackupOnly) {
  EXPECT_EQ(unsupported(server({{"backup_method", "rsync"}}), Verb::kBackup),
            "server main: backup_method = rsync: this build does not take backups that way yet; set it to "
            "postgres");
  EXPECT_EQ(unsupported(server({{"backup_method", "rsync"}}), Verb::kArchiveWal), std::nullopt);
}

TEST(Support, WhatAnOptionWouldChangeIsNotDoneWithoutIt) {
  EXPECT_FALSE(unsupported(server({{"backup_compression", "gzip"}, {"encryption", "gpg"}}), Verb::kBackup));
  EXPECT_TRUE(unsupported(server({{"pre_backup_script", "/bin/true"}}), Verb::kBackup));
  EXPECT_FALSE(unsupported(server({{"compression", "gzip"}, {"encryption", "gpg"}}), Verb::kArchiveWal));
  EXPECT_FALSE(unsupported(server({{"compression", "gzip"}}), Verb::kBackup));
  EXPECT_TRUE(unsupported(server({{"post_delete_script", "/bin/true"}}), Verb::kDelete));
  EXPECT_TRUE(unsupported(server({{"pre_recovery_script", "/bin/true"}}), Verb::kRestore));
}

}  // namespace
}  // namespace barman::engine
