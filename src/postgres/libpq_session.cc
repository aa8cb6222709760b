#include "postgres/libpq_session.h"

namespace barman::postgres {

namespace {

// The server ends a slow statement itself and says so; we give it a moment for that before we hang up.
constexpr std::chrono::milliseconds kGrace{1000};

std::chrono::milliseconds with_grace(std::chrono::milliseconds timeout) {
  return timeout.count() > 0 ? timeout + kGrace : timeout;
}

}  // namespace

LibpqSession::LibpqSession(const Parameters& parameters, const ConnectOptions& options)
    : timeout_(options.timeout),
      stop_(options.stop),
      connection_(parameters, ConnectionUse::kSql, options.stop, connect_limit(parameters, options)) {}

// "15.18 (Debian 15.18-0+deb12u1)" without the packager's part.
std::string LibpqSession::server_version_text() const {
  const std::string text = connection_.parameter("server_version");
  return text.substr(0, text.find(' '));
}

std::vector<Row> LibpqSession::query(std::string_view sql, std::span<const std::string> parameters) {
  SocketWait wait(stop_, with_grace(timeout_));
  const Result result = connection_.execute("query failed", std::string(sql), parameters, wait);
  std::vector<Row> rows;
  if (result == nullptr) return rows;
  rows.reserve(static_cast<std::size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    Row fields;
    fields.reserve(static_cast<std::size_t>(PQnfields(result.get())));
    for (int column = 0; column < PQnfields(result.get()); ++column)
      fields.push_back(field(result, row, column));
    rows.push_back(std::move(fields));
  }
  return rows;
}

}  // namespace barman::postgres
