// identity.json: which PostgreSQL cluster a server's backups and WAL belong to. Format page:
// docs/formats/identity.md.
#pragma once

#include <string>
#include <string_view>

namespace barman::catalog {

struct Identity {
  std::string systemid;  // decimal
  std::string version;   // the major version, "15"

  bool operator==(const Identity&) const = default;
};

// Throws kCorrupt if it is no JSON object with both texts.
Identity parse_identity(std::string_view text);
std::string format_identity(const Identity& identity);

}  // namespace barman::catalog
