// Talking SQL to a server. Only this module includes libpq.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pgformat/lsn.h"

namespace barman::postgres {

using Row = std::vector<std::optional<std::string>>;

// One SQL connection. Belongs to one thread.
class Session {
 public:
  virtual ~Session() = default;

  [[nodiscard]] virtual int server_version() const = 0;               // as in server_version_num: 150020
  [[nodiscard]] virtual std::string server_version_text() const = 0;  // "15.18"

  // Runs one statement with $1… parameters. Throws kTransient when the connection is lost or the time
  // is over, kFailed with the server's text otherwise.
  virtual std::vector<Row> query(std::string_view sql, std::span<const std::string> parameters = {}) = 0;
};

}  // namespace barman::postgres
