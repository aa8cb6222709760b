#include "report/check.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/log.h"
#include "report/writer.h"

namespace barman::report {
namespace {

using engine::CheckLine;
using engine::CheckReport;

CheckReport good(const std::string& server) {
  return {.server = server,
          .lines = {{.label = "PostgreSQL", .ok = true}},
          .backup_bytes = 100,
          .wal_bytes = 16777216};
}

CheckReport bad(const std::string& server) {
  CheckReport report = good(server);
  report.lines.push_back({.label = "replication slot", .ok = false, .hint = "slot 'b' not active"});
  report.lines.push_back({.label = "archive_mode", .ok = false});
  return report;
}

CheckReport inactive(CheckReport report) {
  report.active = false;
  return report;
}

TEST(NagiosTest, OneGoodServer) {
  const NagiosResult result = nagios({good("main")}, false);
  EXPECT_EQ(result.text,
            "BARMAN OK - Ready to serve the Espresso backup for main|main=100B main_wals=16777216B");
  EXPECT_EQ(result.status, 0);
}

TEST(NagiosTest, SeveralGoodServers) {
  EXPECT_EQ(
      nagios({good("a"), good("b")}, false).text,
      "BARMAN OK - Ready to serve the Espresso backup for 2 servers * a * b|a=100B a_wals=16777216B b=100B "
      "b_wals=16777216B");
}

TEST(NagiosTest, OneServerWithIssues) {
  const NagiosResult result = nagios({bad("main")}, false);
  EXPECT_EQ(
      result.text,
      "BARMAN CRITICAL - server main has issues * main FAILED: replication slot, archive_mode|main=100B "
      "main_wals=16777216B\n"
      "main.replication slot: FAILED (slot 'b' not active)\n"
      "main.archive_mode: FAILED");
  EXPECT_EQ(result.status, 2);
}

TEST(NagiosTest, OneOfSeveralWithIssues) {
  EXPECT_EQ(
      nagios({good("a"), bad("b")}, false).text,
      "BARMAN CRITICAL - 1 server out of 2 have issues * b FAILED: replication slot, archive_mode|a=100B "
      "a_wals=16777216B b=100B b_wals=16777216B\n"
      "b.replication slot: FAILED (slot 'b' not active)\n"
      "b.archive_mode: FAILED");
}

TEST(NagiosTest, InactiveServersAreIgnoredUnlessAnActiveOneFails) {
  EXPECT_EQ(nagios({inactive(bad("a")), good("b")}, false).text.substr(0, 69),
            "BARMAN OK - Ready to serve the Espresso backup for b * IGNORING: a|a=");
  EXPECT_EQ(nagios({inactive(bad("a"))}, false).text, "BARMAN OK - No server configured * IGNORING: a");
  EXPECT_EQ(nagios({inactive(bad("a")), bad("b")}, false).text.substr(0, 59),
            "BARMAN CRITICAL - 2 server out of 2 have issues * a FAILED:");
}

TEST(NagiosTest, AConfigurationErrorIsCritical) {
  const NagiosResult result = nagios({}, true);
  EXPECT_EQ(result.text, "BARMAN CRITICAL - Global configuration errors");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(nagios({good("main")}, true).status, 2);
}

TEST(NagiosTest, NoServerIsNoProblem) {
  EXPECT_EQ(nagios({}, false).text, "BARMAN OK - No server configured");
}

TEST(NagiosTest, SecretsOfConnectionErrorsAreHidden) {
  CheckReport report = bad("main");
  report.lines.back().hint = "cannot connect: password=s3cret";
  EXPECT_EQ(nagios({report}, false).text.find("s3cret"), std::string::npos);
}

// What a writer prints of a report.
std::string printed(const CheckReport& report, const WriterOptions& options, int& status) {
  char* text = nullptr;
  std::size_t size = 0;
  WriterOptions all = options;
  all.out = ::open_memstream(&text, &size);
  const SystemClock clock;
  Log log({.level = kLogCritical}, clock);
  const auto out = make_writer(all, log, clock);
  print_check(report, *out);
  out->finish();
  status = out->exit_status();
  std::fclose(all.out);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(PrintCheckTest, ConsoleHasALineForEachCheck) {
  int status = 0;
  EXPECT_EQ(printed(bad("main"), {}, status),
            "Server main:\n"
            "\tPostgreSQL: OK\n"
            "\treplication slot: FAILED (slot 'b' not active)\n"
            "\tarchive_mode: FAILED\n");
  EXPECT_EQ(status, 1);
}

TEST(PrintCheckTest, OnlyTheStatusHasAColour) {
  int status = 0;
  EXPECT_EQ(printed(good("main"), {.colours = true}, status),
            "Server main:\n\tPostgreSQL: \033[32mOK\033[0m\n");
  EXPECT_EQ(status, 0);
}

TEST(PrintCheckTest, TheHeadingTellsTheState) {
  int status = 0;
  EXPECT_EQ(printed(inactive(bad("main")), {}, status).substr(0, 24), "Server main (inactive):\n");
  EXPECT_EQ(status, 0);
  CheckReport report{.server = "main", .disabled = true};
  report.lines = {{.label = "configuration", .ok = false, .details = {"reason one", "reason two"}}};
  EXPECT_EQ(printed(report, {}, status),
            "Server main (WARNING: disabled):\n\tconfiguration: FAILED\n\t\treason one\n\t\treason two\n");
}

TEST(PrintCheckTest, JsonKeysAreTheLabelsWithoutBlanks) {
  int status = 0;
  CheckReport report{.server = "main"};
  report.lines = {{.label = "replication slot (WAL streaming)", .ok = true},
                  {.label = "receive-wal running", .ok = false, .hint = "say \"why\""},
                  {.label = "configuration", .ok = false, .details = {"reason"}}};
  EXPECT_EQ(printed(report, {.format = Format::kJson}, status),
            R"j({"_INFO": ["\t\treason"], "main": {"configuration": {"hint": "", "status": "FAILED"}, )j"
            R"j("receive_wal_running": {"hint": "say \"why\"", "status": "FAILED"}, )j"
            R"j("replication_slot_(wal_streaming)": {"hint": "", "status": "OK"}}})j");
  EXPECT_EQ(status, 1);
}

}  // namespace
}  // namespace barman::report
