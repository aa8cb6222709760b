#include "catalog/identity.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace barman::catalog {

Identity parse_identity(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto has_text = [&](const char* key) { return json.contains(key) && json[key].is_string(); };
  if (!json.is_object() || !has_text("systemid") || !has_text("version")) {
    throw Error(ErrorKind::kCorrupt,
                "identity.json is not a JSON object with the texts systemid and version");
  }
  return {.systemid = json["systemid"].get<std::string>(), .version = json["version"].get<std::string>()};
}

std::string format_identity(const Identity& identity) {
  const nlohmann::json json = {{"systemid", identity.systemid}, {"version", identity.version}};
  return json.dump(4) + "\n";
}

}  // namespace barman::catalog
