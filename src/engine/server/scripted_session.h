// A server for tests: what it answers is a table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "postgres/session.h"

namespace barman::engine {

// Answers the first query that contains a given text; keeps all queries.
class ScriptedSession final : public postgres::Session {
 public:
  explicit ScriptedSession(int version) : version_(version) {}

  [[nodiscard]] int server_version() const override { return version_; }
  [[nodiscard]] std::string server_version_text() const override { return "x.y"; }
  std::vector<postgres::Row> query(std::string_view sql, std::span<const std::string> parameters) override {
    asked.emplace_back(sql);
    for (const std::string& parameter : parameters) asked.back() += " <- " + parameter;
    for (const auto& [text, rows] : answers) {
      if (sql.find(text) != std::string_view::npos) return rows;
    }
    return {};
  }

  std::map<std::string, std::vector<postgres::Row>> answers;
  std::vector<std::string> asked;

 private:
  int version_;
};

}  // namespace barman::engine
