#include "store/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "store/key.h"

namespace barman::store {

class MemoryStore::Pending final : public stream::Sink {
 public:
  Pending(MemoryStore& store, std::string key, CreateOptions options)
      : store_(store), key_(std::move(key)), options_(std::move(options)) {}

  void write(stream::Bytes data) override { text_ += stream::text_of(data); }

  void finish() override {
    const std::lock_guard lock(store_.mutex_);
    if (options_.must_be_new && store_.objects_.contains(key_)) {
      throw Error(ErrorKind::kRefused, key_ + " exists already");
    }
    store_.objects_[key_] = std::move(text_);
  }

 private:
  MemoryStore& store_;
  std::string key_;
  CreateOptions options_;
  std::string text_;
};

std::unique_ptr<stream::Sink> MemoryStore::create(std::string_view key, CreateOptions options) {
  check_key(key);
  return std::make_unique<Pending>(*this, std::string(key), options);
}

bool MemoryStore::read(std::string_view key, ByteRange range, stream::Sink& into) {
  check_key(key);
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return false;
    text = found->second;
  }
  const std::uint64_t end = range.length ? range.offset + *range.length : text.size();
  if (range.offset > text.size() || end > text.size()) {
    throw Error(ErrorKind::kCorrupt, std::string(key) + " is shorter than expected");
  }
  into.write(stream::bytes_of(std::string_view(text).substr(range.offset, end - range.offset)));
  return true;
}

std::optional<ObjectInfo> MemoryStore::stat(std::string_view key) {
  check_key(key);
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return std::nullopt;
  return ObjectInfo{.key = found->first, .size = found->second.size(), .modified = {}};
}

void MemoryStore::list(std::string_view prefix, const Visit& visit) {
  std::vector<ObjectInfo> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, text] : objects_) {
      if (key.starts_with(prefix)) found.push_back({.key = key, .size = text.size(), .modified = {}});
    }
  }
  for (const ObjectInfo& info : found) {
    if (!visit(info)) return;
  }
}

std::vector<std::string> MemoryStore::children(std::string_view folder) {
  if (!folder.empty()) check_key(folder);
  const std::string prefix = folder.empty() ? "" : std::string(folder) + "/";
  std::vector<std::string> names;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, text] : objects_) {
    if (!key.starts_with(prefix)) continue;
    const std::string below = key.substr(prefix.size());
    const std::size_t slash = below.find('/');
    names.push_back(slash == std::string::npos ? below : below.substr(0, slash + 1));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool MemoryStore::remove(std::string_view key) {
  check_key(key);
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return false;
  objects_.erase(found);
  return true;
}

std::vector<NotRemoved> MemoryStore::remove_all(const std::vector<std::string>& keys, std::size_t) {
  for (const std::string& key : keys) remove(key);
  return {};
}

}  // namespace barman::store
