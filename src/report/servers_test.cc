#include "report/servers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "report/fact.h"

namespace barman::report {
namespace {

using engine::Fact;
using engine::SlotFact;
using engine::WordSet;
using namespace std::chrono_literals;

// What `report` prints.
std::string printed(Format format, const std::function<void(Writer&)>& report) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  SystemClock clock;
  Log log({.file = "/dev/null", .level = kLogInfo}, clock);
  const auto writer = make_writer({.format = format, .out = out}, log, clock);
  report(*writer);
  writer->finish();
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(FactText, IsWhatPythonPrints) {
  EXPECT_EQ(fact_text(Fact()), "None");
  EXPECT_EQ(fact_text(true), "True");
  EXPECT_EQ(fact_text(std::int64_t{-3}), "-3");
  EXPECT_EQ(fact_text(0.5), "0.5");
  EXPECT_EQ(fact_text(std::string("it's")), "it's");
  EXPECT_EQ(fact_text(std::vector<std::string>{"a", "it's"}), "['a', \"it's\"]");
  EXPECT_EQ(fact_text(std::map<std::string, std::int64_t>{{"b", 2}}), "{'b': 2}");
  EXPECT_EQ(fact_text(WordSet{"BackupOptions", {"concurrent_backup"}}),
            "BackupOptions({'concurrent_backup'})");
  EXPECT_EQ(fact_text(WordSet{"RecoveryOptions", {}}), "RecoveryOptions()");
  EXPECT_EQ(fact_text(SlotFact{"barman", false, {}}),
            "Record(slot_name='barman', active=False, restart_lsn=None)");
  EXPECT_EQ(fact_text(SlotFact{"b", true, "0/1"}), "Record(slot_name='b', active=True, restart_lsn='0/1')");
  EXPECT_EQ(fact_text(config::Interval{14 * 24h}), "14 days, 0:00:00");
  EXPECT_EQ(fact_text(config::Interval{25h}), "1 day, 1:00:00");
  EXPECT_EQ(fact_text(config::Interval{2h}), "2:00:00");
}

TEST(FactJson, HasTypesWhereJsonHasThem) {
  EXPECT_EQ(fact_json(Fact()), "null");
  EXPECT_EQ(fact_json(false), "false");
  EXPECT_EQ(fact_json(std::int64_t{7}), "7");
  EXPECT_EQ(fact_json(std::string("\"é\n")), "\"\\\"\\u00e9\\n\"");
  EXPECT_EQ(fact_json(std::vector<std::string>{"a"}), "[\"a\"]");
  EXPECT_EQ(fact_json(std::map<std::string, std::int64_t>{{"b", 2}}), "{\"b\":2}");
  EXPECT_EQ(fact_json(WordSet{"BackupOptions", {"a", "b"}}), "\"BackupOptions({'a', 'b'})\"");
}

TEST(ReportServerLine, HasTheDescriptionUnlessItIsEmptyOrUnwanted) {
  const auto line = [](std::string description, bool minimal) {
    return printed(Format::kConsole,
                   [&](Writer& out) { report_server_line("main", description, minimal, out); });
  };
  EXPECT_EQ(line("Orders", false), "main - Orders\n");
  EXPECT_EQ(line(" (inactive)", false), "main -  (inactive)\n");
  EXPECT_EQ(line("", false), "main\n");
  EXPECT_EQ(line("Orders", true), "main\n");
  EXPECT_EQ(printed(Format::kJson, [](Writer& out) { report_server_line("main", "Orders", true, out); }),
            "{\"main\": {\"description\": \"Orders\"}}");
}

TEST(ReportServer, ListsTheFactsByName) {
  const engine::ServerDescription server{
      "main", "main (inactive)", {{"b", Fact(true)}, {"a", Fact()}, {"c", std::string("x")}}};
  EXPECT_EQ(printed(Format::kConsole, [&](Writer& out) { report_server(server, out); }),
            "Server main (inactive):\n\ta: None\n\tb: True\n\tc: x\n");
  EXPECT_EQ(printed(Format::kJson, [&](Writer& out) { report_server(server, out); }),
            "{\"main\": {\"a\": null, \"b\": true, \"c\": \"x\"}}");
}

TEST(ReportServer, HidesPasswords) {
  const engine::ServerDescription server{
      "main", "main", {{"conninfo", std::string("host=a password=secret")}}};
  EXPECT_EQ(printed(Format::kConsole, [&](Writer& out) { report_server(server, out); }).find("secret"),
            std::string::npos);
}

}  // namespace
}  // namespace barman::report
