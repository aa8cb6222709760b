// HTTP by libcurl.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "store/http/http.h"

namespace barman::store {

struct HttpOptions {
  std::string ca_bundle{};  // file of certificates to trust; empty: the system's
  std::chrono::seconds connect_timeout{60};
  std::chrono::seconds read_timeout{60};  // without a byte in either direction
};

// Keeps a connection for each request that it had under way at a time, and uses it again. Proxies are those
// of the environment.
class CurlTransport final : public HttpTransport {
 public:
  explicit CurlTransport(HttpOptions options, std::stop_token stop = {});
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  using HttpTransport::send;
  HttpAnswer send(const HttpRequest& request, BodyReceiver* into) override;

 private:
  class Connection;
  class Lease;

  const HttpOptions options_;
  const std::stop_token stop_;
  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<Connection>> idle_;
  std::jthread loading_;  // libcurl, while whoever wants to send something prepares it
};

}  // namespace barman::store
