#include "engine/check/check.h"

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "catalog/retention.h"
#include "engine/check/rules.h"
#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/server/home_catalog.h"
#include "engine/server/local_cluster.h"
#include "engine/server/support.h"
#include "engine/server/wal_connections.h"
#include "store/directory_store.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

std::optional<std::string> option(const config::Server& server, const char* name) {
  return server.values.optional_text(name);
}

bool is_nothing_archived(const Home& home) {
  std::error_code error;
  const auto size = std::filesystem::file_size(home.xlogdb, error);
  return error || size == 0;
}

// What this host has records of, without a look into a bucket.
catalog::Listing own_records(const Home& home) {
  if (!home.backup_bucket) return HomeCatalog(home)->list();
  store::DirectoryStore meta(home.meta);
  store::MemoryStore nothing;
  return catalog::Catalog(meta, nothing).list();
}

bool is_wal_awaited(const Home& home) {
  const auto backups = answer_of([&] { return own_records(home).backups; });
  return backups.ok() && std::ranges::any_of(*backups.value, [](const catalog::BackupInfo& info) {
           return info.status == catalog::BackupStatus::kWaitingForWals;
         });
}

BucketAnswers ask_buckets(const CheckRequest& request, const std::stop_token& stop) {
  BucketAnswers answers;
  const Answer<Home> home = answer_of([&] { return request.open_home(stop); });
  if (!home.ok()) {
    answers.trial.error = answers.backups.error = home.error;
    return answers;
  }
  if (home.value->backup_bucket) {
    answers.backups = answer_of([&] { return HomeCatalog(*home.value)->list(); });
  }
  if (!bucket_option_problem(request.server)) {
    answers.trial = answer_of([&] { return try_buckets(*home.value); });
  }
  return answers;
}

ServerQuestions questions_for(const CheckRequest& request, const Home& home) {
  const config::Server& server = request.server;
  ServerQuestions questions;
  questions.main = option(server, "conninfo");
  if (server.values.text("backup_method") == "postgres" || server.values.flag("streaming_archiver")) {
    questions.streaming = option(server, "streaming_conninfo");
  }
  const WalConnections wal = wal_connections(server);
  if (wal.regular != questions.main.value_or("")) {
    questions.wal = wal.regular;
    questions.wal_streaming = wal.streaming;
  }
  questions.primary = option(server, "primary_conninfo");
  questions.slot_name = option(server, "slot_name");
  questions.archiver_statistics = server.values.flag("archiver");
  if (is_nothing_archived(home) && !is_wal_awaited(home)) questions.wal_arrives = request.wal_arrives;
  return questions;
}

std::chrono::seconds limit_of(const CheckRequest& request) {
  if (request.timeout) return *request.timeout;
  return std::chrono::seconds(std::max<std::int64_t>(request.server.values.number("check_timeout"), 0));
}

CheckReport blank_report(const config::Server& server) {
  return {.server = server.name, .active = server.active(), .disabled = server.disabled()};
}

Answer<bool> encryption_trial(const CheckRequest& request, const std::stop_token& stop) {
  const bool wanted = request.server.values.text("encryption") == "gpg";
  if (!wanted || !request.try_encryption || encryption_problem(request.server)) return {};
  return answer_of([&] {
    request.try_encryption(stop);
    return true;
  });
}

bool has_buckets(const Home& home) { return home.backup_bucket || home.wal_bucket; }

// Whether the files of the server are where this program can read them; asked if its method reads them.
Answer<bool> find_own_cluster(const Observed& observed) {
  if (observed.server.values.text("backup_method") != "local-to-cloud" || !observed.remote->main.ok()) {
    return {};
  }
  const ServerFacts& facts = *observed.remote->main.value;
  return answer_of([&] {
    require_own_cluster(facts.setting("data_directory").value_or(""),
                        facts.system_identifier.value_or("(hidden from the role)"));
    return true;
  });
}

// The policy's text is the one hint that is only in the log.
void log_bad_policy(const config::Server& server, Events& events) {
  const std::string policy = server.values.text("retention_policy");
  if (policy.empty() || catalog::parse_retention_policy(policy)) return;
  events.log(LogLevel::kError, "server " + server.name + ": retention_policy = " + policy +
                                   ": not a policy; write 'REDUNDANCY 3' or 'RECOVERY WINDOW OF 4 WEEKS'");
}

}  // namespace

CheckReport Checker::check(const CheckRequest& request, const std::stop_token& stop) {
  const config::Server& server = request.server;
  Observed observed{.server = server, .now = clock_.now()};
  const auto observe_home = [&] {
    observed.local = observe(server, request.home);
    observed.local->encryption = encryption_trial(request, stop);
  };
  const bool asks_server = server.active() && !server.passive();
  if (asks_server) observed.asked = questions_for(request, request.home);
  const bool asks_buckets = has_buckets(request.home);
  if (asks_buckets) {
    observed.asked.buckets = [&](const std::stop_token& late) { return ask_buckets(request, late); };
  }
  ServerAnswers answers = ask_servers(observed.asked, connector_, limit_of(request), observe_home, stop);
  if (asks_buckets) {
    if (request.home.backup_bucket) observed.local->backups = answers.buckets.backups;
    observed.buckets = std::move(answers.buckets);
  }
  if (asks_server) {
    observed.remote = std::move(answers);
    observed.own_cluster = find_own_cluster(observed);
  }
  observe_wal(*observed.local, request.home, events_);
  log_bad_policy(server, events_);

  CheckReport report = blank_report(server);
  report.lines = judge(observed);
  if (observed.local && observed.local->backups.ok()) {
    const catalog::BackupInfo* newest = newest_available(observed.local->backups.value->backups);
    report.backup_bytes = newest == nullptr ? 0 : newest->size.value_or(0);
  }
  if (observed.local && observed.local->wal.ok()) report.wal_bytes = observed.local->wal.value->bytes_after;
  return report;
}

}  // namespace barman::engine
