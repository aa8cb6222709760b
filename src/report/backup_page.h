// What is told of a backup on the console, in blocks of rows: the parts that all programs show alike.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/backup_info.h"

namespace barman::report {

class BackupPage {
 public:
  // Takes the lines, without their ends.
  using Line = std::function<void(const std::string&)>;
  explicit BackupPage(Line line) : line_(std::move(line)) {}

  void row(std::string_view key, std::string_view value);
  void header(std::string_view text);
  void nested(std::string_view key, std::string_view value);
  template <class Value>
  void nested_if(std::string_view key, const std::optional<Value>& value) {
    if (value) nested(key, fmt::format("{}", *value));
  }
  void end_block();

  // The block that begins the page, and that of the server's settings.
  void head(const catalog::BackupInfo& info, std::string_view server);
  void tablespaces(const catalog::BackupInfo& info);

 private:
  Line line_;
};

}  // namespace barman::report
