#include "store/object_store.h"

#include <algorithm>
#include <string>
#include <vector>

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

void ObjectStore::put(std::string_view key, stream::Content& content, CreateOptions options) {
  constexpr std::size_t kPieceBytes = 256UL * 1024;
  options.expected_bytes = content.size();
  const auto sink = create(key, std::move(options));
  std::vector<std::byte> piece(kPieceBytes);
  for (std::uint64_t at = 0; at < content.size(); at += piece.size()) {
    const auto size = std::min<std::uint64_t>(content.size() - at, piece.size());
    const stream::Buffer into = stream::Buffer(piece).first(static_cast<std::size_t>(size));
    content.read(at, into);
    sink->write(into);
  }
  sink->finish();
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
