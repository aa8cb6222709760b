#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <optional>

#include "cli/arguments.h"

namespace barman::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// What the command of these tests was given.
struct Given {
  std::vector<std::string> servers;
  std::string name;
  std::optional<std::string> parent;
  int retry_times = -1;
  bool wait = false;
};
Given given;

void register_backup(CLI::App& app, Body& chosen) {
  given = {};
  CLI::App* command = app.add_subcommand("backup", "Takes a backup.");
  command->add_option("SERVER_NAME", given.servers)->required();
  command->add_option("--name", given.name)->type_name("NAME")->check(backup_name);
  command->add_option("--incremental", given.parent)->type_name("BACKUP_ID");
  command->add_option("--retry-times", given.retry_times)->type_name("N")->check(non_negative);
  command->add_option("--retry-sleep", given.retry_times)->type_name("N")->check(non_negative);
  command->add_flag("-w,--wait", given.wait);
  command->add_option("--wait-timeout", given.retry_times)->type_name("N");
  command->callback([&chosen] { chosen = [](Parts&) { return 0; }; });
}

void register_list_backups(CLI::App& app, Body& chosen) {
  app.add_subcommand("list-backups", "Lists.")->callback([&chosen] { chosen = [](Parts&) { return 0; }; });
}

constexpr CommandRow kRows[] = {{"backup", register_backup, "Takes a backup."},
                                {"list-backups", register_list_backups, "Lists."}};

CommandLine parse(const std::vector<std::string>& arguments) { return parse_command_line(arguments, kRows); }

void expect_usage_error(const std::vector<std::string>& arguments, const std::string& last_line) {
  const CommandLine line = parse(arguments);
  EXPECT_EQ(line.exit_status, 2) << last_line;
  EXPECT_THAT(line.err, StartsWith("usage: barman"));
  EXPECT_THAT(line.err, HasSubstr("\n" + last_line));
  EXPECT_EQ(line.out, "");
}

TEST(CommandLineTest, AnOptionThatIsSaidToBeEmptyDoesNotTakeTheNextWord) {
  const CommandLine line = parse({"backup", "--incremental=", "main"});
  EXPECT_EQ(line.exit_status, std::nullopt) << line.err;
  EXPECT_EQ(given.parent, "");
  EXPECT_THAT(given.servers, ElementsAre("main"));
}

TEST(CommandLineTest, GlobalOptionsStandBeforeTheCommand) {
  const CommandLine line = parse(
      {"-q", "-d", "-c", "/x.conf", "--log-level", "DEBUG", "-f", "json", "--color=never", "backup", "main"});
  EXPECT_EQ(line.exit_status, std::nullopt) << line.err;
  EXPECT_EQ(line.command, "backup");
  EXPECT_TRUE(line.options.quiet);
  EXPECT_TRUE(line.options.debug);
  EXPECT_TRUE(line.options.json);
  EXPECT_EQ(line.options.config, "/x.conf");
  EXPECT_EQ(line.options.log_level, "DEBUG");
  EXPECT_EQ(line.options.colour, "never");
  EXPECT_TRUE(line.body);
  EXPECT_THAT(given.servers, ElementsAre("main"));
}

TEST(CommandLineTest, GlobalOptionsAfterTheCommandAreRefused) {
  expect_usage_error({"backup", "main", "-q"}, "barman backup: error: unrecognized arguments: -q\n");
  expect_usage_error({"backup", "main", "--format", "json"},
                     "barman backup: error: unrecognized arguments: --format");
}

TEST(CommandLineTest, ShortOptionsMayBeClustered) {
  const CommandLine line = parse({"-qdc/x.conf", "backup", "-w", "main"});
  EXPECT_EQ(line.exit_status, std::nullopt) << line.err;
  EXPECT_TRUE(line.options.quiet && line.options.debug);
  EXPECT_EQ(line.options.config, "/x.conf");
  EXPECT_EQ(parse({"-qc", "backup", "backup", "backup"}).options.config, "backup");
  EXPECT_THAT(given.servers, ElementsAre("backup"));
}

TEST(CommandLineTest, LongOptionsMayBeShortened) {
  const CommandLine line =
      parse({"--qui", "--conf=/x.conf", "--form", "json", "backup", "main", "--na", "weekly", "--retry-t=3"});
  EXPECT_EQ(line.exit_status, std::nullopt) << line.err;
  EXPECT_TRUE(line.options.quiet && line.options.json);
  EXPECT_EQ(line.options.config, "/x.conf");
  EXPECT_EQ(given.name, "weekly");
  EXPECT_EQ(given.retry_times, 3);
}

TEST(CommandLineTest, AWholeNameIsNoBeginningOfAnother) {
  EXPECT_EQ(parse({"backup", "main", "--wait"}).exit_status, std::nullopt);
  EXPECT_TRUE(given.wait);
}

TEST(CommandLineTest, BothSpellingsOfColourMayBeShortened) {
  EXPECT_EQ(parse({"--col", "always", "backup", "main"}).options.colour, "always");
}

TEST(CommandLineTest, AmbiguousBeginningsAreRefused) {
  expect_usage_error(
      {"backup", "--retry", "3", "main"},
      "barman backup: error: ambiguous option: --retry could match --retry-times, --retry-sleep\n");
}

TEST(CommandLineTest, CommandNamesMayNotBeShortened) {
  expect_usage_error(
      {"back", "main"},
      "barman: error: argument command: invalid choice: 'back' (choose from 'backup', 'list-backups')");
}

TEST(CommandLineTest, AliasesMeanTheirCommand) { EXPECT_EQ(parse({"list-backup"}).command, "list-backups"); }

TEST(CommandLineTest, TwoDashesEndTheOptions) {
  EXPECT_EQ(parse({"backup", "--", "--wait", "x"}).exit_status, std::nullopt);
  EXPECT_THAT(given.servers, ElementsAre("--wait", "x"));
  EXPECT_FALSE(given.wait);
}

TEST(CommandLineTest, ServersMayBeCalledLikeCommands) {
  EXPECT_EQ(parse({"backup", "backup", "list-backups"}).exit_status, std::nullopt);
  EXPECT_THAT(given.servers, ElementsAre("backup", "list-backups"));
}

TEST(CommandLineTest, MistakesAreNamed) {
  expect_usage_error({"backup"}, "barman backup: error: the following arguments are required: SERVER_NAME\n");
  expect_usage_error(
      {"backup", "main", "--retry-times", "x"},
      "barman backup: error: argument --retry-times: 'x' is not a valid non negative integer\n");
  expect_usage_error({"backup", "main", "--retry-times"},
                     "barman backup: error: argument --retry-times: expected one argument\n");
  expect_usage_error(
      {"backup", "main", "--name", "latest"},
      "barman backup: error: argument --name: Backup name 'latest' is not allowed: reserved word\n");
  expect_usage_error({"backup", "main", "--wait=yes"}, "barman backup: error: argument --wait: ");
  expect_usage_error({"backup", "main", "--nonsense"},
                     "barman backup: error: unrecognized arguments: --nonsense\n");
  expect_usage_error({"list-backups", "x"}, "barman list-backups: error: unrecognized arguments: x\n");
  expect_usage_error(
      {"-f", "xml", "backup", "main"},
      "barman: error: argument --format: invalid choice: 'xml' (choose from 'console', 'json')\n");
  expect_usage_error({"--log-level", "debug", "backup", "main"},
                     "barman: error: argument --log-level: invalid choice: 'debug'");
  expect_usage_error({"--nonsense"}, "barman: error: unrecognized arguments: --nonsense\n");
}

TEST(CommandLineTest, TheVersionIsTheFirstWord) {
  for (const char* option : {"-v", "--version", "--vers", "-qv"}) {
    const CommandLine line = parse({option});
    EXPECT_EQ(line.exit_status, 0);
    EXPECT_THAT(line.out, StartsWith("3.20.1 "));
  }
}

TEST(CommandLineTest, HelpNeedsNothingElse) {
  EXPECT_THAT(parse({"--help"}).out, HasSubstr("usage: barman "));
  const CommandLine line = parse({"backup", "-h"});
  EXPECT_EQ(line.exit_status, 0);
  EXPECT_THAT(line.out, HasSubstr("usage: barman backup [-h] [--name NAME]"));
  EXPECT_THAT(line.out, HasSubstr("SERVER_NAME [SERVER_NAME ...]"));
}

TEST(CommandLineTest, CommandsOfTheOriginalThatAreNotHereSaySo) {
  const CommandLine line = parse({"sync-info", "main", "--primary"});
  EXPECT_EQ(line.exit_status, 1);
  EXPECT_THAT(line.err, StartsWith("ERROR: this build does not have the command 'sync-info' yet"));
}

TEST(ArgumentsTest, NumbersAreWholeAndInRange) {
  EXPECT_EQ(non_negative("0"), "");
  EXPECT_EQ(non_negative("-1"), "'-1' is not a valid non negative integer");
  EXPECT_EQ(non_negative("1.5"), "'1.5' is not a valid non negative integer");
  EXPECT_EQ(positive("1"), "");
  EXPECT_EQ(positive("0"), "'0' is not a valid positive integer");
  EXPECT_EQ(positive(""), "'' is not a valid input");
  EXPECT_EQ(positive("99999999999999999999"), "'99999999999999999999' is not a valid input");
}

TEST(ArgumentsTest, TimelinesAndActionsAreWords) {
  EXPECT_EQ(timeline_word("current"), "");
  EXPECT_EQ(timeline_word("7"), "");
  EXPECT_EQ(timeline_word("newest"), "'newest' is not a valid input");
  EXPECT_EQ(target_action("pause"), "");
  EXPECT_EQ(target_action("stop"), "'stop' is not a valid recovery target action");
}

TEST(ArgumentsTest, BackupNamesCannotBeTakenForIds) {
  EXPECT_EQ(backup_name("weekly"), "");
  EXPECT_EQ(backup_name(""), "Backup name cannot be empty");
  EXPECT_EQ(backup_name("20261122T133001"), "Backup name '20261122T133001' is not allowed: backup ID");
  EXPECT_EQ(backup_name("auto"), "Backup name 'auto' is not allowed: reserved word");
}

}  // namespace
}  // namespace barman::cli
