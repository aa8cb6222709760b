// What check-bucket and bucket-cleanup print.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "base/clock.h"
#include "base/log.h"
#include "report/bucket_cleanup.h"
#include "report/check_bucket.h"
#include "report/writer.h"

namespace barman::report {
namespace {

using engine::LeftOver;
using engine::ProbeVerdict;

struct Printed {
  std::string out;
  std::string err;
  int status = 0;
};

Printed said(Format format, const std::function<void(Writer&)>& body) {
  char* texts[2] = {};
  std::size_t sizes[2] = {};
  const WriterOptions options{.format = format,
                              .out = ::open_memstream(&texts[0], &sizes[0]),
                              .err = ::open_memstream(&texts[1], &sizes[1])};
  const SystemClock clock;
  Log log({.level = kLogCritical}, clock);
  const auto writer = make_writer(options, log, clock);
  body(*writer);
  writer->finish();
  std::fclose(options.out);
  std::fclose(options.err);
  Printed printed{{texts[0], sizes[0]}, {texts[1], sizes[1]}, writer->exit_status()};
  for (char* text : texts) std::free(text);
  return printed;
}

engine::PlaceReport place(ProbeVerdict verdict) {
  return {.what = "base backups",
          .url = "s3://b/main/base",
          .lines = {{.label = "bucket"},
                    {.label = "conditional put", .verdict = verdict, .hint = "say \"why\""}}};
}

TEST(BucketReports, APlaceHasAHeadingAndALineForEachTrial) {
  const auto printed =
      said(Format::kConsole, [](Writer& out) { print_place("main", place(ProbeVerdict::kWarning), out); });
  EXPECT_EQ(printed.out,
            "Server main, base backups in s3://b/main/base:\n\tbucket: OK\n\tconditional put: WARNING (say "
            "\"why\")\n");
  EXPECT_EQ(printed.status, 0) << "a warning is no failure";
}

TEST(BucketReports, APlaceInJson) {
  const auto printed =
      said(Format::kJson, [](Writer& out) { print_place("main", place(ProbeVerdict::kFailed), out); });
  EXPECT_EQ(
      printed.out,
      R"j({"main": {"base_backups": {"checks": {"bucket": {"hint": "", "status": "OK"}, )j"
      R"j("conditional_put": {"hint": "say \"why\"", "status": "FAILED"}}, "url": "s3://b/main/base"}}})j");
  EXPECT_EQ(printed.status, 1);
}

constexpr Time kNow{std::chrono::seconds(1795000000)};

engine::CleanupPlan plan() {
  return {.left_overs = {{.kind = LeftOver::Kind::kUpload,
                          .name = "p/main/base/x",
                          .newest = kNow - std::chrono::hours(49)},
                         {.kind = LeftOver::Kind::kBackup,
                          .name = "p/main/base/20260101T000000/",
                          .keys = {"a", "b"},
                          .bytes = 2097152,
                          .newest = kNow - std::chrono::hours(24)},
                         {.kind = LeftOver::Kind::kTrial,
                          .name = "p/main/base/.barman-check-1",
                          .keys = {"k"},
                          .bytes = 36,
                          .newest = kNow + std::chrono::hours(1)}},
          .notes = {"a note"}};
}

TEST(BucketReports, WhatWouldBeRemoved) {
  const auto printed = said(Format::kConsole, [](Writer& out) {
    report_plan("main", plan(), true, out);
    for (const LeftOver& one : plan().left_overs) report_found("main", one, kNow, out);
  });
  EXPECT_EQ(printed.out,
            "Server main: 3 left over in its buckets, 2.0 MiB; nothing is removed\n"
            "\tWould remove: unfinished upload of p/main/base/x (unknown size, begun 2 days, 1 hour ago)\n"
            "\tWould remove: 2 objects in p/main/base/20260101T000000/ of a backup that has no record (2.0 "
            "MiB, the "
            "newest 1 day old)\n"
            "\tWould remove: p/main/base/.barman-check-1, put by a check (36 B, less than one second old)\n");
  EXPECT_EQ(printed.err, "WARNING: a note\n");
  EXPECT_EQ(printed.status, 0);
}

TEST(BucketReports, WhatWasRemovedAndWhatWasNot) {
  const auto report = [](Writer& out) {
    report_removed("main", plan().left_overs[2], "", kNow, out);
    report_removed("main", plan().left_overs[0], "AccessDenied", kNow, out);
  };
  const auto printed = said(Format::kConsole, report);
  EXPECT_EQ(printed.out,
            "\tRemoved: p/main/base/.barman-check-1, put by a check (36 B, less than one second old)\n");
  EXPECT_EQ(
      printed.err,
      "ERROR: Not removed: unfinished upload of p/main/base/x (unknown size, begun 2 days, 1 hour ago): "
      "AccessDenied\n");
  EXPECT_EQ(printed.status, 1);
  const std::string json = said(Format::kJson, report).out;
  EXPECT_NE(json.find(R"("removed": [{"age_seconds": 0, "bytes": 36, "kind": "check", )"
                      R"("name": "p/main/base/.barman-check-1", "objects": 1}])"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("not_removed": [{"age_seconds": 176400, "bytes": null, "kind": "upload", )"
                      R"("name": "p/main/base/x", "objects": 0, "reason": "AccessDenied"}])"),
            std::string::npos)
      << json;
}

TEST(BucketReports, NothingIsLeftOver) {
  EXPECT_EQ(said(Format::kConsole, [](Writer& out) { report_plan("main", {}, false, out); }).out,
            "Server main: nothing is left over in its buckets\n");
}

}  // namespace
}  // namespace barman::report
