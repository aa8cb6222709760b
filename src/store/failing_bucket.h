// A bucket that fails at one of the things that are asked of it: for tests.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/memory_store.h"

namespace barman::store {

// Each request, and each piece that is written to an object, is a step. Step number `fail_at` fails, and with
// `stays_away` all that follow until it is told to clean up.
class FailingBucket final : public Bucket {
 public:
  MemoryStore objects;  // what is in it; touching this is no step
  std::atomic<int> steps = 0;
  int fail_at = -1;
  bool stays_away = false;
  Error failure{ErrorKind::kTransient, "the store is away"};

  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    objects.list("", [&](const ObjectInfo& object) {
      keys.push_back(object.key);
      return true;
    });
    return keys;
  }
  std::string text(const std::string& key) { return read_text(objects, key).value_or("(none)"); }

  std::unique_ptr<stream::Sink> create(std::string_view key, CreateOptions options) override {
    step();
    return std::make_unique<Object>(*this, objects.create(key, std::move(options)));
  }
  bool read(std::string_view key, ByteRange range, stream::Sink& into) override {
    step();
    return objects.read(key, range, into);
  }
  std::optional<ObjectInfo> stat(std::string_view key) override {
    step();
    return objects.stat(key);
  }
  void list(std::string_view prefix, const Visit& visit) override {
    step();
    objects.list(prefix, visit);
  }
  std::vector<std::string> children(std::string_view folder) override {
    step();
    return objects.children(folder);
  }
  bool remove(std::string_view key) override {
    step();
    return objects.remove(key);
  }
  bool exists() override {
    step();
    return true;
  }
  std::vector<NotRemoved> remove_all(const std::vector<std::string>& keys, std::size_t batch) override {
    step();
    return objects.remove_all(keys, batch);
  }
  bool is_locked(std::string_view, Time) override { return false; }
  std::vector<UnfinishedUpload> unfinished_uploads(std::string_view prefix) override {
    step();
    return objects.unfinished_uploads(prefix);
  }
  void withdraw(const UnfinishedUpload& upload) override {
    step();
    objects.withdraw(upload);
  }
  Inspection& inspection() override { return objects.inspection(); }
  void begin_cleaning_up() override { is_cleaning_up_ = true; }

 private:
  class Object final : public stream::Sink {
   public:
    Object(FailingBucket& bucket, std::unique_ptr<stream::Sink> object)
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
    FailingBucket& bucket_;
    std::unique_ptr<stream::Sink> object_;
  };

  void step() {
    const int now = steps++;
    if (fail_at < 0 || is_cleaning_up_) return;
    if (now == fail_at || (stays_away && now > fail_at)) throw failure;
  }

  std::atomic<bool> is_cleaning_up_ = false;
};

}  // namespace barman::store
