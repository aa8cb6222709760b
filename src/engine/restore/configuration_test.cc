#include "engine/restore/configuration.h"

#include <gtest/gtest.h>

namespace barman::engine {
namespace {

TEST(EditConfiguration, SwitchesOffArchivingAndOldTargetsAndKeepsTheOldLines) {
  const auto edited = edit_configuration("postgresql.conf",
                                         "# a comment\narchive_command = 'cp %p /a/%f'\nport = 5432\n"
                                         "recovery_target_time = '2020-01-01'\n#archive_command = 'x'\n");
  EXPECT_EQ(edited.text,
            "# a comment\n#BARMAN#archive_command = 'cp %p /a/%f'\narchive_command = false\nport = 5432\n"
            "#BARMAN#recovery_target_time = '2020-01-01'\n#archive_command = 'x'\n");
  EXPECT_EQ(edited.changes,
            (std::vector<SettingLine>{{"postgresql.conf", 1, "archive_command", "false"},
                                      {"postgresql.conf", 3, "recovery_target_time", "None"}}));
}

TEST(EditConfiguration, ReportsDangerousSettingsWithTheLineTheyHaveNow) {
  const auto edited =
      edit_configuration("postgresql.conf", "archive_command 'x'\ninclude_dir 'conf.d'\nhba_file='/etc/hba'");
  EXPECT_EQ(edited.warnings, (std::vector<SettingLine>{{"postgresql.conf", 2, "include_dir", "'conf.d'"},
                                                       {"postgresql.conf", 3, "hba_file", "'/etc/hba'"}}));
}

TEST(EditConfiguration, ComparesNamesAsTheServerDoes) {
  const auto edited = edit_configuration("f", "Archive_Command='x'\n  Include='y'\narchive_library = 'z'\n");
  EXPECT_EQ(edited.text,
            "#BARMAN#Archive_Command='x'\narchive_command = false\n  Include='y'\n"
            "#BARMAN#archive_library = 'z'\n");
  EXPECT_EQ(edited.changes, (std::vector<SettingLine>{{"f", 0, "archive_command", "false"},
                                                      {"f", 2, "archive_library", "None"}}));
  EXPECT_EQ(edited.warnings, (std::vector<SettingLine>{{"f", 2, "include", "'y'"}}));
}

TEST(EditConfiguration, LeavesAnEmptyFileEmpty) { EXPECT_EQ(edit_configuration("f", "").text, ""); }

TEST(QuoteSetting, CannotBeBrokenOutOf) {
  EXPECT_EQ(quote_setting("it's"), "'it''s'");
  EXPECT_EQ(quote_setting("a\\'b"), "'a\\\\''b'");
  EXPECT_EQ(quote_setting("two\nlines"), "'two\\nlines'");
}

TEST(RecoveryLines, CopyFromTheWalDirectoryByDefault) {
  RecoverySettings settings;
  settings.wal_directory = "/d/barman_wal";
  settings.target.xid = "731";
  settings.target.exclusive = true;
  settings.target.timeline = "latest";
  settings.target.action = "promote";
  EXPECT_EQ(recovery_lines(settings),
            "restore_command = 'cp /d/barman_wal/%f %p'\n"
            "recovery_end_command = 'rm -fr /d/barman_wal'\n"
            "recovery_target_xid = '731'\n"
            "recovery_target_inclusive = 'False'\n"
            "recovery_target_timeline = latest\n"
            "recovery_target_action = 'promote'\n");
}

TEST(RecoveryLines, KeepAPathOneWordForTheShellAndItsPercentForTheServer) {
  RecoverySettings settings;
  settings.wal_directory = "/a b/it's 5%";
  settings.target.immediate = true;
  EXPECT_EQ(recovery_lines(settings),
            R"(restore_command = 'cp ''/a b/it''\\''''s 5%%''/%f %p'
recovery_end_command = 'rm -fr ''/a b/it''\\''''s 5%%'''
recovery_target = 'immediate'
)");
}

TEST(RecoveryLines, LetAStandbyFindTheWalOfItsTargetAndKeepIt) {
  RecoverySettings settings;
  settings.standby = true;
  settings.wal_directory = "/d/barman_wal";
  EXPECT_EQ(recovery_lines(settings), "");
  settings.target.immediate = true;
  EXPECT_EQ(recovery_lines(settings),
            "restore_command = 'cp /d/barman_wal/%f %p'\nrecovery_target = 'immediate'\n");
}

TEST(RecoveryLines, NameTheTimelineThatTheServerWouldMiss) {
  RecoverySettings settings;
  settings.wal_directory = "/d";
  settings.target.timeline = "latest";
  settings.timeline = 3;
  EXPECT_NE(recovery_lines(settings).find("recovery_target_timeline = 3\n"), std::string::npos);
}

TEST(RecoveryLines, WriteTheTimeWithItsOffset) {
  RecoverySettings settings;
  settings.target.time = catalog::Timestamp{.instant = Time{}, .offset = std::chrono::hours(2)};
  EXPECT_NE(recovery_lines(settings).find("recovery_target_time = '1970-01-01 02:00:00+02:00'\n"),
            std::string::npos);
}

TEST(RecoveryLines, AskForWalWhenToldTo) {
  RecoverySettings settings;
  settings.get_wal_command = "barman get-wal -P main %f > %p";
  settings.target.immediate = true;
  const std::string lines = recovery_lines(settings);
  EXPECT_NE(lines.find("restore_command = 'barman get-wal -P main %f > %p'\n"), std::string::npos);
  EXPECT_NE(lines.find("recovery_target = 'immediate'\n"), std::string::npos);
  EXPECT_EQ(lines.find("recovery_end_command"), std::string::npos);
}

}  // namespace
}  // namespace barman::engine
