#include "postgres/connection.h"

#include <time.h>

#include <fmt/format.h>

#include <utility>

namespace barman::postgres {

namespace {

constexpr std::size_t kNoticesKept = 1000;

std::string text_of_field(const PGresult* result, int code) {
  const char* const text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

ServerMessage message_of(const PGresult* result) {
  ServerMessage message{.severity = text_of_field(result, PG_DIAG_SEVERITY_NONLOCALIZED),
                        .sqlstate = text_of_field(result, PG_DIAG_SQLSTATE),
                        .text = text_of_field(result, PG_DIAG_MESSAGE_PRIMARY),
                        .detail = text_of_field(result, PG_DIAG_MESSAGE_DETAIL),
                        .hint = text_of_field(result, PG_DIAG_MESSAGE_HINT)};
  if (message.text.empty()) message.text = PQresultErrorMessage(result);
  return message;
}

void keep_notice(void* notices, const PGresult* result) noexcept {
  try {
    auto& kept = *static_cast<std::vector<ServerMessage>*>(notices);
    if (kept.size() < kNoticesKept) kept.push_back(message_of(result));
  } catch (...) {  // out of memory inside a C library: a lost notice is the least of the troubles
  }
}

bool is_error(const Result& result) {
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

constexpr std::string_view kUnreachable =
    "Check that the server is running, and host and port in the connection string";
constexpr std::string_view kNoPassword =
    "Put it into the .pgpass file (mode 0600) of the user that runs barman";

[[noreturn]] void throw_not_connected(PGconn* handle, const Parameters& parameters, ConnectionUse use) {
  const std::string doing = fmt::format("cannot connect to PostgreSQL ({})", describe(parameters));
  if (handle == nullptr) throw Error(ErrorKind::kFailed, doing + ": out of memory");
  const ServerMessage message = parse_connect_failure(PQerrorMessage(handle));
  if (!message.sqlstate.empty()) throw server_error(doing, message, use);
  if (PQconnectionNeedsPassword(handle) != 0) {
    throw Error(ErrorKind::kFailed, fmt::format("{}: the server wants a password. {}", doing, kNoPassword));
  }
  throw Error(ErrorKind::kTransient, fmt::format("{}: {}. {}", doing, message.text, kUnreachable));
}

// A server sends 8 kB at a time. Who is woken for each of them spends more on waking and going to sleep again
// than on the data.
void gather() {
  constexpr timespec kShort{.tv_sec = 0, .tv_nsec = 20'000};
  ::nanosleep(&kShort, nullptr);
}

}  // namespace

std::optional<std::string> field(const Result& result, int row, int column) {
  if (row >= PQntuples(result.get()) || column >= PQnfields(result.get())) return std::nullopt;
  if (PQgetisnull(result.get(), row, column) != 0) return std::nullopt;
  return std::string(PQgetvalue(result.get(), row, column),
                     static_cast<std::size_t>(PQgetlength(result.get(), row, column)));
}

Connection::Connection(const Parameters& parameters, ConnectionUse use, const std::stop_token& stop,
                       std::chrono::milliseconds limit)
    : use_(use) {
  SocketWait wait(stop, limit);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  handle_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (handle_ == nullptr || PQstatus(handle_.get()) == CONNECTION_BAD) {
    throw_not_connected(handle_.get(), parameters, use);
  }
  PQsetErrorVerbosity(handle_.get(), PQERRORS_VERBOSE);  // the only way to the SQLSTATE of a refusal
  PQsetNoticeReceiver(handle_.get(), &keep_notice, &notices_);
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(handle_.get())) {
    if (next == PGRES_POLLING_FAILED) throw_not_connected(handle_.get(), parameters, use);
    during(fmt::format("connecting to PostgreSQL ({})", describe(parameters)), [&] {
      wait.wait(PQsocket(handle_.get()),
                next == PGRES_POLLING_READING ? SocketWait::For::kReading : SocketWait::For::kWriting);
    });
  }
  PQsetErrorVerbosity(handle_.get(), PQERRORS_DEFAULT);
  PQsetnonblocking(handle_.get(), 1);
}

std::string Connection::parameter(const char* name) const {
  const char* const value = PQparameterStatus(handle_.get(), name);
  return value == nullptr ? std::string() : std::string(value);
}

Result Connection::execute(std::string_view doing, const std::string& sql, SocketWait& wait) {
  send(doing, sql, wait);
  return last_result(doing, wait);
}

Result Connection::execute(std::string_view doing, const std::string& sql,
                           std::span<const std::string> parameters, SocketWait& wait) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(handle_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) == 0) {
    throw_lost();
  }
  flush(wait);
  return last_result(doing, wait);
}

void Connection::send(std::string_view /*doing*/, const std::string& command, SocketWait& wait) {
  if (PQsendQuery(handle_.get(), command.c_str()) == 0) throw_lost();
  flush(wait);
}

Result Connection::last_result(std::string_view doing, SocketWait& wait) {
  Result last;
  std::optional<ServerError> failure;
  for (;;) {
    try {
      Result next = next_result(doing, wait);
      if (next == nullptr) break;
      last = std::move(next);
    } catch (const ServerError& e) {
      // Read on to the end of the answer, so that the connection can be used again.
      if (PQstatus(handle_.get()) == CONNECTION_BAD) throw;
      failure = e;
    }
  }
  if (failure) throw ServerError(*failure);
  return last;
}

Result Connection::next_result(std::string_view doing, SocketWait& wait,
                               const BeforeWaiting& before_waiting) {
  while (PQisBusy(handle_.get()) != 0) {
    if (before_waiting) before_waiting();
    during(doing, [&] { wait.wait(PQsocket(handle_.get()), SocketWait::For::kReading); });
    consume_input();
  }
  Result result(PQgetResult(handle_.get()));
  if (result == nullptr || !is_error(result)) return result;
  throw server_error(doing, message_of(result.get()), use_);
}

std::optional<CopyData> Connection::copy_data(SocketWait& wait, const BeforeWaiting& before_waiting) {
  for (;;) {
    bool ended = false;
    if (auto data = copy_data_at_hand(ended)) return data;
    if (ended) return std::nullopt;
    if (before_waiting) before_waiting();
    gather();
    wait.wait(PQsocket(handle_.get()), SocketWait::For::kReading);
  }
}

std::optional<CopyData> Connection::copy_data_at_hand(bool& ended) {
  ended = false;
  for (const bool consumed : {false, true}) {
    // Asking the socket before waiting for it saves a system call for each message when data flows.
    if (consumed) consume_input();
    char* bytes = nullptr;
    const int size = PQgetCopyData(handle_.get(), &bytes, 1);
    if (size > 0) return CopyData(bytes, size);
    if (size == -1) {
      ended = true;
      return std::nullopt;
    }
    if (size == -2) throw_lost();
  }
  return std::nullopt;
}

void Connection::wait_for_copy_data(SocketWait& wait, SocketWait::Clock::time_point until) {
  wait.wait_until(PQsocket(handle_.get()), SocketWait::For::kReading, until);
}

void Connection::put_copy_data(stream::Bytes message, SocketWait& wait) {
  if (PQputCopyData(handle_.get(), reinterpret_cast<const char*>(message.data()),
                    static_cast<int>(message.size())) != 1) {
    throw_lost();
  }
  flush(wait);
}

void Connection::end_copy(SocketWait& wait) {
  if (PQputCopyEnd(handle_.get(), nullptr) != 1) throw_lost();
  flush(wait);
}

std::vector<ServerMessage> Connection::take_notices() { return std::exchange(notices_, {}); }

void Connection::consume_input() {
  if (PQconsumeInput(handle_.get()) == 0) throw_lost();
}

// A server may be too busy sending to read what we send: then its data is taken in first.
void Connection::flush(SocketWait& wait) {
  for (;;) {
    const int left = PQflush(handle_.get());
    if (left == 0) return;
    if (left < 0) throw_lost();
    wait.wait(PQsocket(handle_.get()), SocketWait::For::kBoth);
    consume_input();
  }
}

// The server's last words, if there were any ("terminating connection due to administrator command"), say
// more than libpq's.
void Connection::throw_lost() {
  const std::string libpq_text = PQerrorMessage(handle_.get());
  if (PQstatus(handle_.get()) == CONNECTION_BAD) {
    while (const Result result{PQgetResult(handle_.get())}) {
      if (!is_error(result)) break;  // a COPY that the connection's end left open never ends
      const ServerMessage message = message_of(result.get());
      if (!message.sqlstate.empty())
        throw server_error("the connection to PostgreSQL was lost", message, use_);
    }
  }
  throw server_error("the connection to PostgreSQL was lost", ServerMessage{.text = libpq_text}, use_);
}

}  // namespace barman::postgres
