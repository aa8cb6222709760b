// Makes connections: the seam at which tests replace the server.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

namespace barman::postgres {

class Session;
class Replication;

struct ConnectOptions {
  std::string application_name = "barman";  // unless the connection string has one
  // Of the attempt to connect, and of each statement on a Session. Zero: no limit.
  std::chrono::milliseconds timeout{0};
  std::stop_token stop{};
};

// Error messages name host, port, user and database, never a password.
class Connector {
 public:
  virtual ~Connector() = default;

  // Throws kTransient if the server cannot be reached, kFailed if it refuses (wrong password, no such role or
  // database).
  virtual std::unique_ptr<Session> session(const std::string& conninfo, const ConnectOptions& options) = 0;
  virtual std::unique_ptr<Replication> replication(const std::string& conninfo,
                                                   const ConnectOptions& options) = 0;
};

// Through libpq.
class LibpqConnector final : public Connector {
 public:
  std::unique_ptr<Session> session(const std::string& conninfo, const ConnectOptions& options) override;
  std::unique_ptr<Replication> replication(const std::string& conninfo,
                                           const ConnectOptions& options) override;
};

// Whether `conninfo` is blank-separated key=value words, or a URI, that libpq can parse.
bool is_valid_conninfo(const std::string& conninfo);

}  // namespace barman::postgres
