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
    store_.objects_[key_] = {std::move(text_), store_.now_.value_or(Time{})};
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
    text = found->second.text;
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
  return ObjectInfo{
      .key = found->first, .size = found->second.text.size(), .modified = found->second.modified};
}

void MemoryStore::list(std::string_view prefix, const Visit& visit) {
  std::vector<ObjectInfo> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, object] : objects_) {
      if (!key.starts_with(prefix)) continue;
      found.push_back({.key = key, .size = object.text.size(), .modified = object.modified});
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
  for (const auto& [key, object] : objects_) {
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

void MemoryStore::set_time(Time now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

std::vector<UnfinishedUpload> MemoryStore::unfinished_uploads(std::string_view prefix) {
  std::vector<UnfinishedUpload> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, one] : uploads_) {
    if (one.upload.key.starts_with(prefix)) found.push_back(one.upload);
  }
  return found;
}

void MemoryStore::withdraw(const UnfinishedUpload& upload) {
  const std::lock_guard lock(mutex_);
  uploads_.erase(upload.id);
}

std::optional<Time> MemoryStore::time_there() {
  const std::lock_guard lock(mutex_);
  return now_;
}

Conditional MemoryStore::store_if_absent(std::string_view key, std::string_view text) {
  try {
    const auto sink = create(key, {.must_be_new = true});
    sink->write(stream::bytes_of(text));
    sink->finish();
    return Conditional::kReplaced;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kRefused) throw;
    return Conditional::kRefused;
  }
}

UnfinishedUpload MemoryStore::begin_upload(std::string_view key) {
  check_key(key);
  const std::lock_guard lock(mutex_);
  UnfinishedUpload upload{.key = std::string(key),
                          .id = "upload-" + std::to_string(++uploads_begun_),
                          .begun = now_.value_or(Time{})};
  uploads_[upload.id].upload = upload;
  return upload;
}

MemoryStore::Upload& MemoryStore::known(const UnfinishedUpload& upload) {
  const auto found = uploads_.find(upload.id);
  if (found == uploads_.end()) throw Error(ErrorKind::kFailed, "there is no upload of " + upload.key);
  return found->second;
}

std::string MemoryStore::send_part(const UnfinishedUpload& upload, unsigned number, stream::Bytes part) {
  const std::lock_guard lock(mutex_);
  known(upload).parts[number] = stream::text_of(part);
  return std::to_string(number);
}

void MemoryStore::complete(const UnfinishedUpload& upload, const std::vector<std::string>& parts) {
  const std::lock_guard lock(mutex_);
  const Upload& all = known(upload);
  std::string text;
  for (const std::string& number : parts) {
    text += all.parts.at(static_cast<unsigned>(std::stoul(number)));
  }
  objects_[upload.key] = {std::move(text), now_.value_or(Time{})};
  uploads_.erase(upload.id);
}

std::optional<std::uint64_t> MemoryStore::uploaded_bytes(const UnfinishedUpload& upload) {
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(upload.id);
  if (found == uploads_.end()) return std::nullopt;
  std::uint64_t bytes = 0;
  for (const auto& [number, text] : found->second.parts) bytes += text.size();
  return bytes;
}

}  // namespace barman::store
