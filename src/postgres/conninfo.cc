#include "postgres/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "base/error.h"

namespace barman::postgres {

namespace {

// libpq's own words about a bad string may quote a piece of the password, so they are not passed on.
Parameters parse_or_throw(const std::string& conninfo) {
  if (auto parameters = parse_conninfo(conninfo)) return *std::move(parameters);
  throw Error(
      ErrorKind::kUsage,
      "a connection string cannot be parsed. Write it as key=value words or as a postgresql:// URI, and "
      "quote values with blanks in single quotes");
}

}  // namespace

std::optional<Parameters> parse_conninfo(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
  if (parsed == nullptr) return std::nullopt;
  Parameters parameters;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters.emplace(option->keyword, option->val);
  }
  return parameters;
}

bool is_valid_conninfo(const std::string& conninfo) { return parse_conninfo(conninfo).has_value(); }

Parameters sql_parameters(const std::string& conninfo, const ConnectOptions& options) {
  Parameters parameters = parse_or_throw(conninfo);
  parameters.emplace("application_name", options.application_name);
  std::string settings = "-csearch_path=";
  if (options.timeout.count() > 0)
    settings += fmt::format(" -cstatement_timeout={}", options.timeout.count());
  parameters.emplace("options", settings);
  return parameters;
}

Parameters replication_parameters(const std::string& conninfo, const ConnectOptions& options) {
  Parameters parameters = parse_or_throw(conninfo);
  parameters.emplace("application_name", options.application_name);
  parameters.insert_or_assign("replication", "true");
  parameters.insert_or_assign("dbname", "replication");
  std::string& settings = parameters["options"];
  settings += settings.empty() ? "-cdatestyle=iso" : " -cdatestyle=iso";
  parameters.emplace("keepalives_idle", "60");
  parameters.emplace("keepalives_interval", "10");
  parameters.emplace("keepalives_count", "6");
  return parameters;
}

std::string describe(const Parameters& parameters) {
  struct Part {
    const char* keyword;
    const char* word;
  };
  constexpr std::array kParts = {Part{"service", "service"},  Part{"host", "host"},
                                 Part{"hostaddr", "address"}, Part{"port", "port"},
                                 Part{"user", "user"},        Part{"dbname", "database"}};
  std::string text;
  for (const Part& part : kParts) {
    const auto found = parameters.find(part.keyword);
    if (found == parameters.end() || found->second.empty()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", part.word, found->second);
  }
  return text.empty() ? "libpq's defaults" : text;
}

std::chrono::milliseconds connect_limit(const Parameters& parameters, const ConnectOptions& options) {
  const auto found = parameters.find("connect_timeout");
  if (found == parameters.end()) return options.timeout;
  int seconds = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [stopped, error] = std::from_chars(found->second.data(), end, seconds);
  if (error != std::errc{} || stopped != end || seconds <= 0) return options.timeout;
  const std::chrono::milliseconds own = std::chrono::seconds(seconds);
  return options.timeout.count() > 0 ? std::min(own, options.timeout) : own;
}

}  // namespace barman::postgres
