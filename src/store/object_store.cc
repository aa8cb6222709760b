#include "store/object_store.h"

#include <string>

#include "base/error.h"
#include "store/key.h"
#include "stream/memory.h"

namespace barman::store {

void check_key(std::string_view key) {
  std::string_view rest = key;
  bool more = true;
  while (more) {
    const std::size_t slash = rest.find('/');
    more = slash != std::string_view::npos;
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      throw Error(ErrorKind::kRefused, "not a name for a stored object: \"" + std::string(key) + "\"");
    }
    if (more) rest.remove_prefix(slash + 1);
  }
}

std::optional<std::string> read_text(ObjectStore& store, std::string_view key) {
  std::string text;
  stream::AppendTo sink(text);
  if (!store.read(key, {}, sink)) return std::nullopt;
  return text;
}

void write_text(ObjectStore& store, std::string_view key, std::string_view text) {
  const auto sink = store.create(key);
  sink->write(stream::bytes_of(text));
  sink->finish();
}

}  // namespace barman::store
