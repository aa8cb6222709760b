// A Session over libpq.
#pragma once

#include "postgres/connection.h"
#include "postgres/session.h"

namespace barman::postgres {

class LibpqSession final : public Session {
 public:
  LibpqSession(const Parameters& parameters, const ConnectOptions& options);

  [[nodiscard]] int server_version() const override { return connection_.server_version(); }
  [[nodiscard]] std::string server_version_text() const override;
  std::vector<Row> query(std::string_view sql, std::span<const std::string> parameters) override;

 private:
  std::chrono::milliseconds timeout_;
  std::stop_token stop_;
  Connection connection_;
};

}  // namespace barman::postgres
