// One libpq connection, driven without blocking: every wait can be stopped and limited.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/conninfo.h"
#include "postgres/server_error.h"
#include "postgres/socket_wait.h"
#include "stream/stream.h"

namespace barman::postgres {

struct ResultCloser {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultCloser>;

// The text of a field; nothing for NULL.
std::optional<std::string> field(const Result& result, int row, int column);

// A message of a COPY, in libpq's own buffer.
class CopyData {
 public:
  CopyData(char* bytes, int size) : bytes_(bytes), size_(static_cast<std::size_t>(size)) {}

  [[nodiscard]] stream::Bytes bytes() const {
    return {reinterpret_cast<const std::byte*>(bytes_.get()), size_};
  }

 private:
  struct Closer {
    void operator()(char* bytes) const noexcept { PQfreemem(bytes); }
  };
  std::unique_ptr<char, Closer> bytes_;
  std::size_t size_;
};

// Belongs to one thread. After an exception out of any member the connection is only good for being
// destroyed, except after a ServerError of execute().
class Connection {
 public:
  // Throws kTransient if the server cannot be reached within `limit` (zero: none), kFailed if it refuses,
  // kCancelled on `stop`. Looking up a host's name is the one thing that cannot be interrupted.
  Connection(const Parameters& parameters, ConnectionUse use, const std::stop_token& stop,
             std::chrono::milliseconds limit);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() = default;

  [[nodiscard]] int server_version() const { return PQserverVersion(handle_.get()); }
  [[nodiscard]] std::string parameter(const char* name) const;  // "server_version"; empty if not reported

  // Runs one statement to its end and returns its (last) result. `doing` begins the messages of errors.
  Result execute(std::string_view doing, const std::string& sql, SocketWait& wait);
  Result execute(std::string_view doing, const std::string& sql, std::span<const std::string> parameters,
                 SocketWait& wait);

  // Step by step, for commands that answer with several results or a COPY. next_result() returns null after
  // the last one, and throws what the server answers with an error. `before_waiting` is called each time
  // before it waits for the server: the place to take notices that tell why the answer is late.
  using BeforeWaiting = std::function<void()>;
  void send(std::string_view doing, const std::string& command, SocketWait& wait);
  Result next_result(std::string_view doing, SocketWait& wait, const BeforeWaiting& before_waiting = {});

  // The next message of the COPY that is under way; nothing at its end.
  std::optional<CopyData> copy_data(SocketWait& wait, const BeforeWaiting& before_waiting = {});
  // The same if it is at hand or already in the socket: never waits. `ended` is set at the end of the COPY.
  std::optional<CopyData> copy_data_at_hand(bool& ended);
  void wait_for_copy_data(SocketWait& wait, SocketWait::Clock::time_point until);
  // Sends a message of a COPY in our direction, and its end.
  void put_copy_data(stream::Bytes message, SocketWait& wait);
  void end_copy(SocketWait& wait);

  // NOTICEs and WARNINGs since the last call.
  std::vector<ServerMessage> take_notices();

 private:
  struct Closer {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };

  void consume_input();
  void flush(SocketWait& wait);
  Result last_result(std::string_view doing, SocketWait& wait);
  [[noreturn]] void throw_lost();

  std::vector<ServerMessage> notices_;  // before handle_, which writes to it until it is closed
  ConnectionUse use_;
  std::unique_ptr<PGconn, Closer> handle_;
};

}  // namespace barman::postgres
