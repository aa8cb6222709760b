// What the PostgreSQL servers, and buckets, answer to a check: asked at the same time, each within its limit,
// so that a slow or hanging one never keeps the other answers away.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/check/answer.h"
#include "engine/check/bucket_check.h"
#include "engine/server/inspect.h"
#include "postgres/replication.h"

namespace barman::postgres {
class Connector;
}

namespace barman::engine {

// Connection strings of those who are asked; none are not.
struct ServerQuestions {
  std::optional<std::string> main{};           // conninfo
  std::optional<std::string> streaming{};      // streaming_conninfo
  std::optional<std::string> wal{};            // where WAL comes from, if that is another connection
  std::optional<std::string> wal_streaming{};  // likewise
  std::optional<std::string> primary{};        // primary_conninfo
  std::optional<std::string> slot_name{};      // asked where WAL comes from
  bool archiver_statistics = false;
  // Whether WAL arrives in the archive, given at most that long.
  std::function<bool(std::chrono::seconds limit, const std::stop_token& stop)> wal_arrives{};
  std::function<BucketAnswers(const std::stop_token& stop)> buckets{};  // throws nothing
};

struct ServerAnswers {
  Answer<ServerFacts> main;
  Answer<postgres::SystemIdentity> streaming;
  Answer<ServerFacts> wal;
  Answer<postgres::SystemIdentity> wal_streaming;
  Answer<ServerFacts> primary;
  Answer<std::optional<Slot>> slot;
  Answer<std::optional<ArchiverStatistics>> archiver;
  Answer<bool> wal_arrives;
  BucketAnswers buckets;

  [[nodiscard]] bool any_late() const;
};

// Asks all at once, does `meanwhile` on this thread, and returns when everything is answered or `limit`
// (zero: none) is over. Throws kCancelled if `stop` is requested.
ServerAnswers ask_servers(const ServerQuestions& questions, postgres::Connector& connector,
                          std::chrono::seconds limit, const std::function<void()>& meanwhile,
                          const std::stop_token& stop);

}  // namespace barman::engine
