// The checks themselves: which there are, in which order, and when they pass. Pure decisions on what was
// observed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"
#include "engine/check/local_facts.h"
#include "engine/check/report.h"
#include "engine/check/server_answers.h"

namespace barman::engine {

struct Observed {
  const config::Server& server;
  Time now;
  std::optional<LocalFacts> local{};
  std::optional<ServerAnswers> remote{};
  std::optional<BucketAnswers> buckets{};  // if there are any
  Answer<bool> own_cluster{};  // whether the files of the server are here and ours; asked if need be
  ServerQuestions asked{};
};

// All checks, in the order in which they are shown.
std::vector<CheckLine> judge(const Observed& observed);

// Groups of checks, in the files of the same names.
class Lines {
 public:
  void add(std::string label, bool ok, std::string hint = {}) {
    lines_.push_back({.label = std::move(label), .ok = ok, .hint = std::move(hint)});
  }
  void add(CheckLine line) { lines_.push_back(std::move(line)); }
  [[nodiscard]] std::vector<CheckLine> take() { return std::move(lines_); }

 private:
  std::vector<CheckLine> lines_;
};

void judge_connections(const Observed& observed, Lines& lines);  // server_rules.cc
void judge_wal_connections(const Observed& observed, Lines& lines);
void judge_slot(const Observed& observed, Lines& lines);
void judge_system_identifier(const Observed& observed, Lines& lines);
void judge_archiving(const Observed& observed, Lines& lines);

// Why the options of encryption do not fit together; nothing if they do, or it is off.
std::optional<std::string> encryption_problem(const config::Server& server);

void judge_arrival(const Observed& observed, Lines& lines);  // local_rules.cc
void judge_catalogue(const Observed& observed, Lines& lines);
void judge_archiver_errors(const Observed& observed, Lines& lines);

void judge_method(const Observed& observed, Lines& lines);  // rules.cc
void judge_configuration(const Observed& observed, Lines& lines);

}  // namespace barman::engine
