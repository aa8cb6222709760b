// A bucket in memory that writes down what is asked of it, and fails when it is told to: for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/memory_store.h"

namespace barman::store {

class WatchedBucket final : public Bucket, private Inspection {
 public:
  MemoryStore objects;                             // what is in it; touching this is no request
  std::vector<UnfinishedUpload> uploads;           // those that nobody finished
  std::set<std::string, std::less<>> locked;       // keys
  std::set<std::string, std::less<>> undeletable;  // keys that remove_all() does not remove
  // Called before each request ("PUT base/x", "LIST base/"); what it throws is the answer.
  std::function<void(const std::string& request)> before;
  // Each request, and each piece that is written to an object, is a step. Step number `fail_at` fails, and
  // with `stays_away` all that follow, until the bucket is told to clean up.
  std::atomic<int> steps = 0;
  int fail_at = -1;
  bool stays_away = false;
  Error failure{ErrorKind::kTransient, "the store is away"};
  bool is_there = true;
  std::atomic<bool> is_cleaning_up = false;
  BucketState bucket_state{};
  Encryption wanted{};
  Encryption encryption{};  // of every object
  Conditional conditional = Conditional::kRefused;

  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void forget_requests() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
  }
  // Of those keys that begin so.
  [[nodiscard]] std::vector<std::string> keys(const std::string& prefix = "") {
    std::vector<std::string> keys;
    objects.list(prefix, [&](const ObjectInfo& object) {
      keys.push_back(object.key);
      return true;
    });
    return keys;
  }
  [[nodiscard]] std::string text(const std::string& key) {
    return read_text(objects, key).value_or("(none)");
  }

  [[nodiscard]] std::unique_ptr<stream::Sink> create(std::string_view key, CreateOptions options) override {
    ask("PUT", key);
    return std::make_unique<Object>(*this, objects.create(key, std::move(options)));
  }
  [[nodiscard]] bool read(std::string_view key, ByteRange range, stream::Sink& into) override {
    ask("GET", key);
    return objects.read(key, range, into);
  }
  [[nodiscard]] std::optional<ObjectInfo> stat(std::string_view key) override {
    ask("HEAD", key);
    return objects.stat(key);
  }
  void list(std::string_view prefix, const Visit& visit) override {
    ask("LIST", prefix);
    objects.list(prefix, visit);
  }
  [[nodiscard]] std::vector<std::string> children(std::string_view folder) override {
    ask("LIST", folder);
    return objects.children(folder);
  }
  bool remove(std::string_view key) override {
    ask("DELETE", key);
    return objects.remove(key);
  }
  [[nodiscard]] bool exists() override {
    ask("HEAD", "");
    return is_there;
  }
  [[nodiscard]] std::vector<NotRemoved> remove_all(const std::vector<std::string>& keys,
                                                   std::size_t batch) override {
    std::vector<NotRemoved> failed;
    for (std::size_t at = 0; at < keys.size(); at += batch) {
      ask("DELETE", std::to_string(std::min(batch, keys.size() - at)));
      for (std::size_t i = at; i < std::min(at + batch, keys.size()); ++i) {
        if (undeletable.contains(keys[i])) {
          failed.push_back({keys[i], "AccessDenied"});
        } else {
          objects.remove(keys[i]);
        }
      }
    }
    return failed;
  }
  [[nodiscard]] bool is_locked(std::string_view key, Time) override {
    ask("HEAD", key);
    return locked.contains(key);
  }
  [[nodiscard]] std::vector<UnfinishedUpload> unfinished_uploads(std::string_view prefix) override {
    ask("UPLOADS", prefix);
    std::vector<UnfinishedUpload> found;
    std::ranges::copy_if(uploads, std::back_inserter(found),
                         [&](const UnfinishedUpload& upload) { return upload.key.starts_with(prefix); });
    std::ranges::copy(objects.unfinished_uploads(prefix), std::back_inserter(found));
    return found;
  }
  void withdraw(const UnfinishedUpload& upload) override {
    ask("WITHDRAW", upload.key);
    std::erase_if(uploads, [&](const UnfinishedUpload& one) { return one.id == upload.id; });
    objects.withdraw(upload);
  }
  void begin_cleaning_up() override { is_cleaning_up = true; }
  [[nodiscard]] Inspection& inspection() override { return *this; }

 private:
  class Object final : public stream::Sink {
   public:
    Object(WatchedBucket& bucket, std::unique_ptr<stream::Sink> object)
        : bucket_(bucket), object_(std::move(object)) {}
    void write(stream::Bytes data) override {
      bucket_.step();
      object_->write(data);
    }
    void finish() override {
      bucket_.step();
      object_->finish();
    }

   private:
    WatchedBucket& bucket_;
    std::unique_ptr<stream::Sink> object_;
  };

  [[nodiscard]] BucketState state() override {
    ask("STATE", "");
    return bucket_state;
  }
  [[nodiscard]] std::optional<Time> time_there() override {
    ask("TIME", "");
    return objects.inspection().time_there();
  }
  [[nodiscard]] Encryption wanted_encryption() const override { return wanted; }
  [[nodiscard]] Encryption encryption_of(std::string_view key) override {
    ask("HEAD", key);
    return encryption;
  }
  [[nodiscard]] Conditional store_if_absent(std::string_view key, std::string_view text) override {
    ask("PUT-IF-ABSENT", key);
    if (conditional == Conditional::kReplaced) write_text(objects, key, text);
    return conditional;
  }
  [[nodiscard]] UnfinishedUpload begin_upload(std::string_view key) override {
    ask("BEGIN", key);
    return objects.inspection().begin_upload(key);
  }
  [[nodiscard]] std::string send_part(const UnfinishedUpload& upload, unsigned number,
                                      stream::Bytes part) override {
    ask("PART", upload.key);
    return objects.inspection().send_part(upload, number, part);
  }
  void complete(const UnfinishedUpload& upload, const std::vector<std::string>& parts) override {
    ask("COMPLETE", upload.key);
    objects.inspection().complete(upload, parts);
  }
  [[nodiscard]] std::optional<std::uint64_t> uploaded_bytes(const UnfinishedUpload& upload) override {
    ask("PARTS", upload.key);
    return objects.inspection().uploaded_bytes(upload);
  }

  void ask(const std::string& method, std::string_view key) {
    const std::string request = method + " " + std::string(key);
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (before) before(request);
    step();
  }

  void step() {
    const int now = steps++;
    if (fail_at < 0 || is_cleaning_up) return;
    if (now == fail_at || (stays_away && now > fail_at)) throw failure;
  }

  mutable std::mutex mutex_;  // guards requests_
  std::vector<std::string> requests_;
};

}  // namespace barman::store
