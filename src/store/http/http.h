// HTTP as far as object stores need it: one request, one answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "stream/content.h"
#include "stream/stream.h"

namespace barman::store {

using Header = std::pair<std::string, std::string>;

struct HttpRequest {
  std::string method;                  // GET, HEAD, PUT, POST, DELETE
  std::string url;                     // percent-encoded; sent as it is
  std::vector<Header> headers{};       // names in lower case
  stream::Bytes body{};                // borrowed
  stream::Content* content = nullptr;  // borrowed; instead of `body`
  bool direct = false;                 // never through a proxy: services of the machine itself
  bool cleaning_up = false;            // goes out although a stop is requested
  bool is_sent_once = false;           // for certain: no connection that turns out to be dead is tried first
  std::optional<std::chrono::seconds>
      limit{};  // for all of it; none: a generous one that grows with the body

  [[nodiscard]] std::uint64_t size() const { return content != nullptr ? content->size() : body.size(); }
};

struct HttpAnswer {
  int status = 0;
  std::vector<Header> headers{};  // names in lower case
  std::string body{};
  int attempts = 1;  // that it took: more if somebody sent the request again

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  // Empty if there is no such header.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Hears the body of a good answer while it arrives.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;

  // Before the first data(): status and headers. Not called for an answer without body.
  virtual void begin(const HttpAnswer& head) = 0;
  virtual void data(stream::Bytes bytes) = 0;
};

// Nobody listens there, or there is no such host.
class Unreachable final : public Error {
 public:
  explicit Unreachable(const std::string& message) : Error(ErrorKind::kTransient, message) {}
};

// May be used from several threads.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // Sends the request once and returns the answer, whatever its status. The body of an answer that is ok()
  // goes to `into` if there is one; every other body is kept, as far as it is small.
  // Throws Unreachable, kTransient if the connection or the patience ends before the answer does, kFailed if
  // the server's certificate is not good, kCancelled; and what `into` and the content throw.
  virtual HttpAnswer send(const HttpRequest& request, BodyReceiver* into) = 0;
  HttpAnswer send(const HttpRequest& request) { return send(request, nullptr); }
};

}  // namespace barman::store
