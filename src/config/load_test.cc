#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/error.h"

namespace barman::config {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Texts = std::vector<std::string>;

// A folder with configuration files; "{}" in their text is the folder.
class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "barman-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = fs::canonical(name);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, std::string text) const {
    for (auto at = text.find("{}"); at != std::string::npos; at = text.find("{}")) {
      text.replace(at, 2, root_.string());
    }
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }

  // Loads [barman] with barman_home, followed by `text`.
  [[nodiscard]] Configuration loaded(const std::string& text) const {
    write("main.conf", "[barman]\nbarman_home = {}/home\n" + text);
    return load(root_ / "main.conf");
  }

  [[nodiscard]] std::string refusal(const std::string& text) const {
    try {
      (void)loaded(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "(loaded)";
  }

  [[nodiscard]] Server server(const std::string& text) const {
    auto configuration = loaded(text);
    EXPECT_EQ(configuration.servers.count("main"), 1U);
    return configuration.servers["main"];
  }

  fs::path root_;
};

// A server that has nothing to complain about.
constexpr auto kGood =
    "[main]\nconninfo = host=a\nbackup_method = postgres\nstreaming_archiver = on\nslot_name = barman\n";

TEST_F(LoadTest, FindsTheMainFileInOrder) {
  write("home/.barman.conf", "");
  write("variable.conf", "");
  write("given.conf", "");
  Environment environment{.home = root_ / "home"};
  EXPECT_EQ(find_main_file(std::nullopt, environment), root_ / "home/.barman.conf");
  environment.config_file_variable = (root_ / "variable.conf").string();
  EXPECT_EQ(find_main_file(std::nullopt, environment), root_ / "variable.conf");
  EXPECT_EQ(find_main_file((root_ / "given.conf").string(), environment), root_ / "given.conf");
}

TEST_F(LoadTest, SaysThatANamedFileDoesNotExist) {
  try {
    (void)find_main_file("/nowhere/barman.conf", {.home = root_});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "Configuration file '/nowhere/barman.conf' does not exist");
  }
}

TEST_F(LoadTest, GivesAServerItsDefaults) {
  const auto main = server(kGood);
  EXPECT_THAT(main.messages, IsEmpty());
  EXPECT_EQ(main.path("backup_directory"), root_ / "home/main");
  EXPECT_EQ(main.path("wals_directory"), root_ / "home/main/wals");
  EXPECT_EQ(main.path("xlogdb_directory"), root_ / "home/main/wals");
  EXPECT_EQ(main.values.text("streaming_conninfo"), "host=a");
  EXPECT_EQ(main.values.text("cluster"), "main");
  EXPECT_EQ(main.values.number("check_timeout"), 30);
  EXPECT_EQ(main.values.source("check_timeout"), "default");
  EXPECT_EQ(main.values.source("conninfo"), (root_ / "main.conf").string());
  EXPECT_FALSE(main.values.has("compression"));
  EXPECT_TRUE(main.active());
  EXPECT_FALSE(main.passive());
}

TEST_F(LoadTest, GivesBarmanItsDefaults) {
  const auto global = loaded("").global;
  EXPECT_EQ(global.text("barman_lock_directory"), (root_ / "home").string());
  EXPECT_EQ(global.text("config_changes_queue"), (root_ / "home/cfg_changes.queue").string());
  EXPECT_EQ(global.text("barman_user"), "barman");
  EXPECT_TRUE(global.flag("lock_directory_cleanup"));
  EXPECT_FALSE(global.has("log_file"));
}

TEST_F(LoadTest, InheritsFromBarman) {
  const auto main =
      server(std::string("compression = gzip\nparallel_jobs = 4\n") + kGood + "parallel_jobs = 2\n");
  EXPECT_EQ(main.values.text("compression"), "gzip");
  EXPECT_EQ(main.values.number("parallel_jobs"), 2);
}

TEST_F(LoadTest, DoesNotInheritWhatBelongsToOneServer) {
  const auto configuration = loaded(std::string("slot_name = x\nssh_command = y\n") + kGood);
  EXPECT_THAT(configuration.warnings, IsEmpty());
  EXPECT_FALSE(configuration.servers.at("main").values.has("ssh_command"));
}

TEST_F(LoadTest, LetsAServerDoWithoutAGlobalValue) {
  const auto main = server(
      "encryption = gpg\ncompression = gzip\nlast_backup_maximum_age = 1 day\nlast_backup_minimum_size = 1k\n"
      "minimum_redundancy = 3\nbandwidth_limit = 5\n" +
      std::string(kGood) +
      "encryption = none\ncompression =\nlast_backup_maximum_age =\nlast_backup_minimum_size = None\n"
      "minimum_redundancy =\nbandwidth_limit =\n");
  for (const auto* option : {"encryption", "compression", "last_backup_maximum_age",
                             "last_backup_minimum_size", "bandwidth_limit"}) {
    EXPECT_FALSE(main.values.has(option)) << option;
  }
  EXPECT_EQ(main.values.number("minimum_redundancy"), 0);
}

TEST_F(LoadTest, KnowsBothSpellingsOfTheKeepaliveInterval) {
  EXPECT_EQ(server(std::string("keepalive_internval = 7\n") + kGood).values.number("keepalive_interval"), 7);
  EXPECT_EQ(server(std::string("keepalive_internval = 7\nkeepalive_interval = 8\n") + kGood)
                .values.number("keepalive_interval"),
            8);
}

TEST_F(LoadTest, WarnsOfABadValueAndTakesTheInheritedOne) {
  const auto configuration = loaded(std::string("parallel_jobs = 3\n") + kGood + "parallel_jobs = many\n");
  EXPECT_THAT(
      configuration.warnings,
      ElementsAre(AllOf(testing::StartsWith("Ignoring invalid configuration value 'many' for key "
                                            "parallel_jobs in [main] section: "),
                        HasSubstr("whole number"), HasSubstr((root_ / "main.conf").string() + ", line 9"))));
  EXPECT_EQ(configuration.servers.at("main").values.number("parallel_jobs"), 3);
}

TEST_F(LoadTest, WarnsOfABadGlobalValueOnce) {
  const auto configuration = loaded("archiver = maybe\n[a]\nactive = off\n[b]\nactive = off\n");
  EXPECT_THAT(configuration.warnings, ElementsAre(HasSubstr("'maybe' for key archiver in [barman] section")));
}

TEST_F(LoadTest, WarnsOfUnknownOptions) {
  const auto configuration = loaded(std::string("foo = 1\n") + kGood + "barman_home = /x\nmodel = off\n");
  EXPECT_THAT(configuration.warnings,
              ElementsAre("Invalid configuration option \"foo\" in [barman] section.",
                          "Invalid configuration option \"barman_home\" in [main] section.",
                          "Invalid configuration option \"model\" in [main] section."));
}

TEST_F(LoadTest, KeepsShellCommandsWhole) {
  const auto main = server(std::string(kGood) + "pre_backup_script = a ; b # c\ndescription = d ; e\n");
  EXPECT_EQ(main.values.text("pre_backup_script"), "a ; b # c");
  EXPECT_EQ(main.values.text("description"), "d");
}

TEST_F(LoadTest, IgnoresDisabledInAServer) {
  const auto main = server(std::string(kGood) + "disabled = true\n");
  EXPECT_FALSE(main.values.flag("disabled"));
  EXPECT_FALSE(main.disabled());
}

TEST_F(LoadTest, ReadsIncludedFilesInOrderAndTheAutomaticOneLast) {
  write("d/20.conf", "[main]\ndescription = twenty\ncheck_timeout = 20\n");
  write("d/10.conf", std::string(kGood) + "description = ten\nparallel_jobs = 10\ncheck_timeout = 10\n");
  write("d/.hidden.conf", "garbage");
  write("d/other.txt", "garbage");
  write("home/.barman.auto.conf", "[main]\ncheck_timeout = 99\n");
  const auto configuration = loaded("configuration_files_directory = {}/d\n");
  const auto& values = configuration.servers.at("main").values;
  EXPECT_EQ(values.text("description"), "twenty");
  EXPECT_EQ(values.number("parallel_jobs"), 10);
  EXPECT_EQ(values.number("check_timeout"), 99);
  EXPECT_EQ(values.source("check_timeout"), (root_ / "home/.barman.auto.conf").string());
  EXPECT_THAT(configuration.warnings, IsEmpty());
}

TEST_F(LoadTest, WarnsOfWhatCannotBeIncluded) {
  fs::create_directories(root_ / "d/folder.conf");
  EXPECT_THAT(loaded("configuration_files_directory = {}/d\n").warnings,
              ElementsAre(HasSubstr("folder.conf': it is not a file")));
  EXPECT_THAT(loaded("configuration_files_directory = {}/none\n").warnings,
              ElementsAre(AllOf(HasSubstr("configuration_files_directory"), HasSubstr("No such file"))));
}

TEST_F(LoadTest, LetsOnlyTheMainFileSetBarman) {
  write("d/a.conf", "[barman]\nbarman_home = {}/home\n");
  EXPECT_EQ(refusal("configuration_files_directory = {}/d\n"), "(loaded)");
  write("d/a.conf", "[barman]\ncompression = gzip\n");
  EXPECT_THAT(refusal("configuration_files_directory = {}/d\n"),
              HasSubstr("the configuration file a.conf contains a not empty [barman] section"));
}

TEST_F(LoadTest, NeedsBarmanAndItsHome) {
  write("empty.conf", "[main]\n");
  EXPECT_THROW((void)load(root_ / "empty.conf"), Error);
  write("homeless.conf", "[barman]\n");
  try {
    (void)load(root_ / "homeless.conf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Parameter \"barman_home\" is required in [barman] section."));
  }
}

TEST_F(LoadTest, NamesAFileThatCannotBeRead) {
  EXPECT_THROW((void)load(root_ / "none.conf"), Error);
  write("d/broken.conf", "[main]\nnonsense\n");
  EXPECT_THAT(refusal("configuration_files_directory = {}/d\n"),
              AllOf(HasSubstr("broken.conf"), HasSubstr("line 2: 'nonsense'")));
}

TEST_F(LoadTest, ReservesTheNameAll) {
  EXPECT_EQ(refusal("[all]\n"), "the reserved word 'all' is not allowed as server name.Please rename it.");
}

TEST_F(LoadTest, DisablesAServerWhoseNameIsAPath) {
  const auto configuration = loaded("[../x]\nactive = off\n");
  EXPECT_THAT(configuration.servers.at("../x").messages, ElementsAre(HasSubstr("rename the section")));
}

TEST_F(LoadTest, GivesValuesOfDefaultToEverySectionOfTheFile) {
  write("x.conf", "[DEFAULT]\ncheck_timeout = 5\nroot = /r\n[barman]\nbarman_home = {}\n" +
                      std::string(kGood) + "description = %(root)s\n");
  const auto configuration = load(root_ / "x.conf");
  EXPECT_EQ(configuration.servers.at("main").values.number("check_timeout"), 5);
  EXPECT_EQ(configuration.servers.at("main").values.text("description"), "/r");
}

TEST_F(LoadTest, KeepsModelsApartFromServers) {
  const auto configuration =
      loaded("[m]\nmodel = on\ncluster = main\nconninfo = host=b\nbackup_directory = /x\n");
  EXPECT_TRUE(configuration.servers.empty());
  const auto& model = configuration.models.at("m");
  EXPECT_EQ(model.values.text("conninfo"), "host=b");
  EXPECT_FALSE(model.values.has("streaming_conninfo"));
  EXPECT_THAT(configuration.warnings,
              ElementsAre("Invalid configuration option \"backup_directory\" in [m] section."));
}

TEST_F(LoadTest, RefusesModelsThatAreNot) {
  EXPECT_THAT(refusal("[m]\nmodel = on\n"), HasSubstr("Parameter \"cluster\" is required in [m] section."));
  EXPECT_THAT(refusal("[m]\nmodel = perhaps\n"), HasSubstr("'perhaps' for key model in [m] section"));
}

TEST_F(LoadTest, AppliesTheActiveModel) {
  write("home/main/.active-model.auto", "m");
  const auto main =
      server(std::string(kGood) + "[m]\nmodel = on\ncluster = main\nconninfo = host=b\nslot_name =\n");
  EXPECT_EQ(main.active_model, "m");
  EXPECT_EQ(main.values.text("conninfo"), "host=b");
  EXPECT_EQ(main.values.text("streaming_conninfo"), "host=a");
  EXPECT_EQ(main.values.text("slot_name"), "barman");
}

TEST_F(LoadTest, DisablesAServerWhoseActiveModelCannotBeApplied) {
  write("home/main/.active-model.auto", "m\n");
  EXPECT_THAT(server(kGood).messages, ElementsAre(HasSubstr("The active model 'm' does not exist")));
  EXPECT_THAT(
      server(std::string(kGood) + "[m]\nmodel = on\ncluster = other\n").messages,
      ElementsAre(
          "Model 'm' has 'cluster=other', which is not compatible with 'cluster=main' from server 'main'"));
}

TEST_F(LoadTest, DisablesAServerWithoutConnections) {
  EXPECT_THAT(
      server("[main]\nbackup_method = postgres\narchiver = on\n").messages,
      ElementsAre(
          HasSubstr("PostgreSQL connection: Missing 'conninfo' parameter for server 'main'"),
          HasSubstr("Streaming connection: Missing 'streaming_conninfo' parameter for server 'main'")));
  EXPECT_THAT(server(std::string(kGood) + "conninfo = host=a secret\n").messages,
              Contains(AllOf(HasSubstr("not a valid connection string"), Not(HasSubstr("secret")))));
  EXPECT_THAT(server(std::string(kGood) + "streaming_conninfo =\n").messages,
              ElementsAre(HasSubstr("Streaming connection: ")));
}

TEST_F(LoadTest, AcceptsUrisAndQuotedConnectionStrings) {
  EXPECT_THAT(server(std::string(kGood) + "conninfo = postgresql://a/b\n").messages, IsEmpty());
  EXPECT_THAT(server(std::string(kGood) + "conninfo = host=a password='b c'\n").messages, IsEmpty());
}

TEST_F(LoadTest, NeedsASlotWhenWalOnlyStreams) {
  EXPECT_THAT(
      server(std::string(kGood) + "slot_name =\n").messages,
      ElementsAre("Streaming-only archiver requires 'streaming_conninfo' and 'slot_name' options to be "
                  "properly configured"));
  EXPECT_THAT(server(std::string(kGood) + "slot_name =\narchiver = on\n").messages, IsEmpty());
}

TEST_F(LoadTest, TurnsTheArchiverOnWhenNoneIs) {
  const auto configuration = loaded(std::string(kGood) + "streaming_archiver = off\n");
  EXPECT_TRUE(configuration.servers.at("main").values.flag("archiver"));
  EXPECT_THAT(
      configuration.warnings,
      ElementsAre(
          "No archiver enabled for server 'main'. Please turn on 'archiver', 'streaming_archiver' or both",
          "Forcing 'archiver = on'"));
}

TEST_F(LoadTest, ChoosesTheBackupStrategy) {
  EXPECT_EQ(server(kGood).values.list("backup_options"), Texts{"concurrent_backup"});
  EXPECT_EQ(
      server(std::string(kGood) + "backup_options = external_configuration\n").values.list("backup_options"),
      (Texts{"external_configuration", "concurrent_backup"}));
  const auto exclusive = loaded(std::string(kGood) + "backup_options = exclusive_backup\n");
  EXPECT_EQ(exclusive.servers.at("main").values.list("backup_options"), Texts{"concurrent_backup"});
  EXPECT_THAT(exclusive.warnings, ElementsAre(HasSubstr("exclusive_backup")));
  EXPECT_THAT(loaded("[main]\nconninfo = host=a\nssh_command = ssh\narchiver = on\n").warnings,
              ElementsAre("No backup strategy set for server 'main' (using default 'concurrent_backup')."));
}

TEST_F(LoadTest, HoldsSshCommandAgainstTheMethod) {
  constexpr auto kStart =
      "[main]\nconninfo = host=a\narchiver = on\nbackup_options = concurrent_backup\nbackup_method = ";
  EXPECT_THAT(server(std::string(kStart) + "rsync\n").messages,
              ElementsAre("Missing or invalid ssh_command in barman configuration for server main"));
  EXPECT_THAT(server(std::string(kStart) + "local-rsync\nssh_command = ssh\n").messages,
              ElementsAre(HasSubstr("Local copy requires ssh_command")));
  EXPECT_THAT(server(std::string(kStart) + "local-rsync\nbackup_compression = none\n").messages,
              ElementsAre("backup_compression option is not supported by rsync backup_method"));
}

TEST_F(LoadTest, RefusesRsyncOptionsForPostgres) {
  EXPECT_THAT(server(std::string(kGood) + "tablespace_bandwidth_limit = a:1\nreuse_backup = "
                                          "link\nnetwork_compression = on\nbandwidth_limit = 4\n")
                  .messages,
              ElementsAre("tablespace_bandwidth_limit option is not supported by postgres backup_method",
                          "reuse_backup option is not supported by postgres backup_method",
                          "network_compression option is not supported by postgres backup_method"));
  EXPECT_THAT(server(std::string(kGood) + "reuse_backup = off\nnetwork_compression = off\n").messages,
              IsEmpty());
}

TEST_F(LoadTest, ChecksBackupCompressionAsFarAsItCan) {
  const auto messages = [this](const std::string& text) { return server(kGood + text).messages; };
  EXPECT_THAT(messages("backup_compression = gzip\nbackup_compression_level = 10\n"),
              ElementsAre(HasSubstr("it must be -1 to 9")));
  EXPECT_THAT(messages("backup_compression = lz4\nbackup_compression_workers = 2\n"), IsEmpty());
  EXPECT_THAT(messages("backup_compression = lz4\nbackup_compression_workers = 2\n"
                       "backup_compression_location = server\n"),
              ElementsAre(HasSubstr("backup_compression_workers is not supported by lz4")));
  EXPECT_THAT(messages("backup_compression = none\nbackup_compression_workers = 2\n"),
              ElementsAre(HasSubstr("backup_compression_workers is not supported by none")));
  EXPECT_THAT(messages("backup_compression = none\nbackup_compression_level = 1\n"),
              ElementsAre(HasSubstr("it must be 0 to 0")));
  EXPECT_THAT(messages("backup_compression = xz\nbackup_compression_location = server\n"),
              ElementsAre(HasSubstr("server is not supported by xz")));
  EXPECT_THAT(messages("backup_compression = bzip2\nbackup_compression_level = 9\n"), IsEmpty());
  EXPECT_THAT(messages("backup_compression = zstd\nbackup_compression_format = plain\n"),
              ElementsAre(HasSubstr("requires backup_compression_location to be server")));
  EXPECT_THAT(
      messages("backup_compression = zstd\nbackup_compression_level = -5\nbackup_compression_workers = 2\n"),
      IsEmpty());
}

TEST_F(LoadTest, NeedsMuchForSnapshots) {
  constexpr auto kStart =
      "[main]\nconninfo = host=a\narchiver = on\nssh_command = ssh\nbackup_options = concurrent_backup\n"
      "backup_method = snapshot\n";
  EXPECT_THAT(server(kStart).messages,
              ElementsAre("snapshot_disks option is required by snapshot backup_method",
                          "snapshot_instance option is required by snapshot backup_method",
                          "snapshot_provider option is required by snapshot backup_method"));
  const auto start = std::string(kStart) + "snapshot_disks = a\nsnapshot_instance = b\n";
  EXPECT_THAT(server(start + "snapshot_provider = mars\n").messages,
              ElementsAre(HasSubstr("Error initialising snapshot provider mars: ")));
  EXPECT_THAT(server(start + "snapshot_provider = aws\naws_snapshot_lock_mode = governance\n"
                             "aws_snapshot_lock_duration = 0\naws_snapshot_lock_cool_off_period = 2\n")
                  .messages,
              ElementsAre(HasSubstr("1 to 36500"), HasSubstr("governance")));
}

TEST_F(LoadTest, LeavesInactiveAndPassiveServersAlone) {
  const auto configuration = loaded("[a]\nactive = off\n[b]\nprimary_ssh_command = ssh barman@a\n");
  EXPECT_THAT(configuration.warnings, IsEmpty());
  EXPECT_FALSE(configuration.servers.at("a").active());
  EXPECT_FALSE(configuration.servers.at("a").disabled());
  EXPECT_TRUE(configuration.servers.at("b").passive());
  EXPECT_FALSE(configuration.servers.at("b").disabled());
}

TEST_F(LoadTest, DisablesAServerThatUsesAFolderTwice) {
  const auto configuration = loaded(std::string(kGood) + "wals_directory = {}/home/main/base/../base/\n");
  EXPECT_THAT(configuration.errors, IsEmpty());
  EXPECT_THAT(configuration.servers.at("main").messages,
              ElementsAre(AllOf(HasSubstr("Conflicting path: wals_directory="),
                                HasSubstr("conflicts with 'basebackups_directory' for server 'main'"))));
}

TEST_F(LoadTest, FollowsLinksToFindASharedFolder) {
  fs::create_directories(root_ / "home/a");
  fs::create_directory_symlink("a", root_ / "home/b");
  const auto configuration = loaded("[a]\nactive = off\n[b]\nactive = off\n");
  EXPECT_THAT(configuration.errors,
              Contains("Conflicting path: backup_directory=" + (root_ / "home/b").string() +
                       " (symlink to: " + (root_ / "home/a").string() +
                       ") for server 'b' conflicts with 'backup_directory' for server 'a'"));
  EXPECT_EQ(configuration.errors.size(), 6U);
  EXPECT_FALSE(configuration.servers.at("b").disabled());
}

TEST_F(LoadTest, SurvivesLinksInACircle) {
  fs::create_directories(root_ / "home");
  fs::create_symlink("b", root_ / "home/a");
  fs::create_symlink("a", root_ / "home/b");
  EXPECT_EQ(loaded("[a]\nactive = off\n").servers.size(), 1U);
}

TEST_F(LoadTest, LetsServersShareABucket) {
  const auto configuration =
      loaded("[a]\nactive = off\nwals_directory = s3://b/x\nbasebackups_directory = s3://b/x\n");
  EXPECT_THAT(configuration.errors, IsEmpty());
  EXPECT_FALSE(configuration.servers.at("a").disabled());
  EXPECT_EQ(configuration.servers.at("a").values.text("xlogdb_directory"), "s3://b/x");
}

TEST(Values, RefuseQuestionsThatMakeNoSense) {
  Values values;
  values.set("parallel_jobs", Value(std::int64_t{2}), "x");
  EXPECT_THROW((void)values.flag("parallel_jobs"), std::logic_error);
  EXPECT_THROW((void)values.has("no_such_option"), std::logic_error);
  EXPECT_THROW((void)values.number("check_timeout"), Error);
  EXPECT_EQ(values.text("parallel_jobs"), "2");
  EXPECT_EQ(values.text("conninfo"), "");
}

}  // namespace
}  // namespace barman::config
