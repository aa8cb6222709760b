// What a server said, and what follows from it: whether another attempt may help, and what a person can do.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace barman::postgres {

// An ErrorResponse or NoticeResponse. Empty fields were not sent.
struct ServerMessage {
  std::string severity{};
  std::string sqlstate{};  // five characters
  std::string text{};
  std::string detail{};
  std::string hint{};
};

// A server's "no". The SQLSTATE is for the few callers that act on one (WAL already removed, no such slot).
class ServerError final : public Error {
 public:
  ServerError(ErrorKind kind, const std::string& message, std::string sqlstate)
      : Error(kind, message), sqlstate_(std::move(sqlstate)) {}

  [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }

 private:
  std::string sqlstate_;
};

namespace sqlstate {
inline constexpr std::string_view kUndefinedFile = "58P01";    // WAL segment already removed
inline constexpr std::string_view kUndefinedObject = "42704";  // no such slot
inline constexpr std::string_view kDuplicateObject = "42710";  // slot exists
inline constexpr std::string_view kObjectInUse = "55006";      // slot is active
inline constexpr std::string_view kDataCorrupted = "XX001";    // page checksums
}  // namespace sqlstate

// What to do about a failure.
struct Diagnosis {
  ErrorKind kind = ErrorKind::kFailed;
  std::string advice{};  // a sentence; empty if we know of none
};

enum class ConnectionUse { kSql, kReplication };

// Decides by the SQLSTATE, and by words that servers do not translate. An empty SQLSTATE is a connection that
// failed or broke.
Diagnosis diagnose(const ServerMessage& message, ConnectionUse use);

// "<doing>: <text> (<detail>). <advice>" as an error.
ServerError server_error(std::string_view doing, const ServerMessage& message, ConnectionUse use);

// libpq's text about a failed attempt to connect, asked for with verbosity VERBOSE: finds the SQLSTATE of the
// last attempt in it, and leaves out the codes and the lines about the server's source.
ServerMessage parse_connect_failure(std::string_view libpq_text);

}  // namespace barman::postgres
