// One client's connection: requests with their bodies, answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory_s3/blob.h"

namespace barman::bench {

struct Request {
  std::string method;
  std::string path;                            // decoded, "/bucket/key"
  std::map<std::string, std::string> query{};  // decoded
  std::map<std::string, std::string> headers{};
  SharedBlob body{};

  [[nodiscard]] bool asks(const std::string& name) const { return query.contains(name); }
  // Empty if there is none.
  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] std::string parameter(const std::string& name) const;
  [[nodiscard]] std::string_view text() const;
};

// Some bytes of a blob.
struct Piece {
  SharedBlob blob;
  std::size_t offset = 0;
  std::size_t size = 0;
};

struct Answer {
  int status = 200;
  std::string text{};           // the body, or
  std::vector<Piece> pieces{};  // these
  std::map<std::string, std::string> headers{};
};

class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for the next one. Nothing if the client is gone, or sends what is no request.
  [[nodiscard]] std::optional<Request> next();
  // Returns whether the client took it.
  bool answer(const Request& request, const Answer& answer);

 private:
  [[nodiscard]] std::optional<std::string> head();
  bool read_body(Request& request);
  [[nodiscard]] SharedBlob plain_body(std::size_t size);
  // In chunks as Amazon has them, without the signatures and sums.
  [[nodiscard]] SharedBlob amazons_chunks(std::size_t size);
  [[nodiscard]] std::optional<std::string> line();
  bool fill();
  bool read_exactly(std::span<std::byte> into);
  bool send_all(std::string_view text);

  const int socket_;
  std::string buffer_;  // received, not yet used
};

}  // namespace barman::bench
