#include "engine/check/rules.h"

#include <fmt/format.h>

#include "engine/server/backup_format.h"
#include "engine/server/support.h"

namespace barman::engine {
namespace {

// Whether a reason of `unsupported` has its own line elsewhere.
bool has_own_line(const std::string& reason) { return reason.find(" backup_method =") != std::string::npos; }

}  // namespace

std::vector<CheckLine> judge(const Observed& observed) {
  Lines lines;
  if (observed.local) judge_arrival(observed, lines);
  judge_connections(observed, lines);
  judge_wal_connections(observed, lines);
  judge_slot(observed, lines);
  if (observed.local) judge_catalogue(observed, lines);
  judge_method(observed, lines);
  judge_configuration(observed, lines);
  judge_system_identifier(observed, lines);
  judge_archiving(observed, lines);
  if (observed.local) judge_archiver_errors(observed, lines);
  const bool is_bucket_late = observed.buckets && observed.buckets->any_late();
  if (is_bucket_late || (observed.remote && observed.remote->any_late())) {
    lines.add("check timeout", false, "barman check command timed out");
  }
  return lines.take();
}

void judge_method(const Observed& observed, Lines& lines) {
  if (!observed.server.active()) return;  // nobody copies to or from it
  if (observed.server.passive()) {
    lines.add("ssh", false,
              "this build does not synchronise with another Barman yet; remove primary_ssh_command");
    return;
  }
  if (!observed.remote) return;
  const std::string method = observed.server.values.text("backup_method");
  const std::string not_yet =
      fmt::format("this build does not take backups with backup_method = {} yet; use 'postgres'", method);
  if (method == "local-rsync") {
    lines.add("local PGDATA", false, not_yet);
  } else if (method == "local-to-cloud") {
    // It needs no program and no other connection.
    if (!observed.own_cluster.error.empty()) lines.add("local PGDATA", false, observed.own_cluster.error);
  } else if (method != "postgres") {
    lines.add("ssh", false, not_yet);
  } else {
    // Taking base backups is built in: what the tool of these names did, we do.
    const bool up = observed.remote->main.ok();
    lines.add("pg_basebackup", true);
    lines.add("pg_basebackup compatible", up,
              up ? "" : "PostgreSQL version: None, pg_basebackup version: built in");
    if (up) lines.add("pg_basebackup supports tablespaces mapping", true);
  }
}

void judge_configuration(const Observed& observed, Lines& lines) {
  CheckLine line{.label = "configuration", .ok = false, .hint = "", .details = observed.server.messages};
  if (observed.remote) {
    for (const Verb verb : {Verb::kBackup, Verb::kArchiveWal}) {
      const std::optional<std::string> reason = unsupported(observed.server, verb);
      if (reason && !has_own_line(*reason)) line.details.push_back(*reason);
    }
    const auto& facts = observed.remote->main;
    if (facts.ok()) {
      const auto problem = format_problem(observed.server, facts.value->version);
      if (problem) line.details.push_back(*problem);
    }
  }
  if (!line.details.empty()) lines.add(std::move(line));
}

}  // namespace barman::engine
