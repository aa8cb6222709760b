#include "store/prefixed_store.h"

#include <utility>

#include "store/key.h"

namespace barman::store {

std::string PrefixedStore::full(std::string_view key) const {
  check_key(key);
  return prefix_ + std::string(key);
}

std::unique_ptr<stream::Sink> PrefixedStore::create(std::string_view key, CreateOptions options) {
  return store_().create(full(key), std::move(options));
}

void PrefixedStore::put(std::string_view key, stream::Content& content, CreateOptions options) {
  store_().put(full(key), content, std::move(options));
}

bool PrefixedStore::read(std::string_view key, ByteRange range, stream::Sink& into) {
  return store_().read(full(key), range, into);
}

std::optional<ObjectInfo> PrefixedStore::stat(std::string_view key) {
  auto info = store_().stat(full(key));
  if (info) info->key = std::string(key);
  return info;
}

void PrefixedStore::list(std::string_view prefix, const Visit& visit) {
  store_().list(prefix_ + std::string(prefix), [&](const ObjectInfo& object) {
    ObjectInfo ours = object;
    ours.key.erase(0, prefix_.size());
    return visit(ours);
  });
}

std::vector<std::string> PrefixedStore::children(std::string_view folder) {
  return store_().children(folder.empty() ? std::string_view(prefix_).substr(0, prefix_.size() - 1)
                                          : std::string_view(full(folder)));
}

bool PrefixedStore::remove(std::string_view key) { return store_().remove(full(key)); }

}  // namespace barman::store
