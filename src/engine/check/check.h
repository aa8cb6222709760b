// check: whether a server is in order, and whether backups of it can be trusted.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "config/settings.h"
#include "engine/check/report.h"
#include "engine/server/home.h"

namespace barman {
class Clock;
namespace postgres {
class Connector;
}
}  // namespace barman

namespace barman::engine {

struct CheckRequest {
  const config::Server& server;
  const Home& home;
  // The same home, whose buckets give up when they are told to. Called on a thread of its own, if it has any.
  std::function<Home(const std::stop_token& stop)> open_home{};
  // Instead of the server's check_timeout. Zero: no limit.
  std::optional<std::chrono::seconds> timeout{};
  // Archives what lies about; if that is nothing, has the server close a segment and waits at most `limit`
  // for one to be archived. Whether something was. Called when nothing is archived yet,
  // on a thread of its own.
  std::function<bool(std::chrono::seconds limit, const std::stop_token& stop)> wal_arrives{};
  // Encrypts something as the server is configured to; throws if that fails. Called if encryption is on and
  // its options fit together.
  std::function<void(const std::stop_token& stop)> try_encryption{};
};

class Checker {
 public:
  Checker(postgres::Connector& connector, const Clock& clock, Events& events)
      : connector_(connector), clock_(clock), events_(events) {}

  // Every check. Returns soon after the time limit, whatever the servers do. Throws kCancelled only.
  [[nodiscard]] CheckReport check(const CheckRequest& request, const std::stop_token& stop);

 private:
  postgres::Connector& connector_;
  const Clock& clock_;
  Events& events_;
};

}  // namespace barman::engine
