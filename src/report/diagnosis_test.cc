#include "report/diagnosis.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace barman::report {
namespace {

using engine::Fact;
using nlohmann::json;

engine::Diagnosis diagnosis() {
  engine::Diagnosis result;
  result.global["barman_home"] = {std::string("/b"), "/etc/barman.conf"};
  result.errors = {"Conflicting path"};
  result.system["rsync_ver"] = std::nullopt;
  result.models["m"]["parallel_jobs"] = {std::int64_t{2}, "x"};
  auto& main = result.servers["main"];
  main.messages = {"broken"};
  main.config["backup_options"] = {engine::WordSet{"BackupOptions", {"a", "b"}}, "default"};
  main.config["last_wal_maximum_age"] = {config::Interval{std::chrono::hours(3)}, "x"};
  main.status["replication_slot"] = engine::SlotFact{"barman", false, {}};
  main.status["stats_reset"] = catalog::Timestamp{Time(std::chrono::seconds(1'800'000'000))};
  main.status["timeline"] = Fact();
  main.last_wal["00000001"] = {.name = "000000010000000000000006", .size = 16, .time = 1.5};
  catalog::BackupInfo info{.id = {"20261123T120920"}};
  info.begin_time = catalog::Timestamp{Time(std::chrono::seconds(1'800'000'000)), std::chrono::hours(1)};
  main.backups.push_back(info);
  return result;
}

TEST(DiagnosisText, HasTheShapeThatReadersExpect) {
  const json document = json::parse(diagnosis_text(diagnosis(), false));
  EXPECT_EQ(document["global"]["config"],
            (json{{"barman_home", "/b"}, {"errors_list", {"Conflicting path"}}}));
  EXPECT_EQ(document["global"]["system_info"]["rsync_ver"], nullptr);
  EXPECT_EQ(document["models"]["m"]["config"]["parallel_jobs"], 2);
  const json& main = document["servers"]["main"];
  EXPECT_EQ(main["active_model"], nullptr);
  EXPECT_EQ(main["msg_list"], json::array({"broken"}));
  EXPECT_EQ(main["config"]["backup_options"], "a,b");
  EXPECT_EQ(main["config"]["last_wal_maximum_age"], "3 hours");
  EXPECT_EQ(main["status"]["replication_slot"], json::array({"barman", false, nullptr}));
  EXPECT_EQ(main["status"]["stats_reset"], "2027-01-15T08:00:00+00:00");
  EXPECT_EQ(main["wals"]["last_archived_wal_per_timeline"]["00000001"]["size"], 16);
  EXPECT_EQ(main["backups"]["20261123T120920"]["begin_time"], "2027-01-15T09:00:00+01:00");
}

TEST(DiagnosisText, NamesTheSourceOfEachOptionWhenAsked) {
  const json document = json::parse(diagnosis_text(diagnosis(), true));
  EXPECT_EQ(document["global"]["config"]["barman_home"],
            (json{{"source", "/etc/barman.conf"}, {"value", "/b"}}));
  EXPECT_EQ(document["global"]["config"]["errors_list"], json::array({"Conflicting path"}));
  EXPECT_EQ(document["servers"]["main"]["config"]["backup_options"]["source"], "default");
}

TEST(DiagnosisText, IsIndentedByFour) {
  EXPECT_TRUE(diagnosis_text({}, false).starts_with("{\n    \"global\": {\n        \"config\": {"));
}

}  // namespace
}  // namespace barman::report
