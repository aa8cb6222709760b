#include "engine/server/identity.h"

#include "base/error.h"
#include "os/durable_file.h"

namespace barman::engine {

std::optional<catalog::Identity> read_identity(const Home& home) {
  const auto text = os::read_file(home.identity);
  if (!text) return std::nullopt;
  return during("reading " + home.identity.native(), [&] { return catalog::parse_identity(*text); });
}

catalog::Identity establish_identity(const Home& home, const catalog::Identity& identity) {
  if (auto known = read_identity(home)) return *std::move(known);
  os::make_directories(home.identity.parent_path());
  os::write_file(home.identity, catalog::format_identity(identity), {.mode = 0644});
  return identity;
}

}  // namespace barman::engine
