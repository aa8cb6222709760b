// Named, immutable objects: a directory on disk, an S3 bucket, a map in memory.
//
// What holds for every store (object_store_contract.h checks it on each):
//  - an object appears whole, when its sink is finished, or not at all;
//  - create() over an existing key replaces it in the same way;
//  - what was finished can be read and listed at once;
//  - a key is a relative path with "/" between parts; one that would leave the root ("..", "/x", "a//b") is
//    refused with kRefused;
//  - stores may be used from several threads, a single sink from one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "stream/content.h"
#include "stream/stream.h"

namespace barman::store {

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  Time modified;
};

struct CreateOptions {
  bool must_be_new = false;  // finish() throws kRefused if the key is taken by then
  // With it: also by the very same bytes. Else a store may take these for ours, as an answer may get lost.
  bool same_is_taken = false;
  std::vector<std::pair<std::string, std::string>> tags{};  // for stores that keep some beside objects
  std::uint64_t expected_bytes =
      0;  // how long it will hardly be longer than, so that small ones are sent at once
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length{};  // none: to the end
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Begins a new object. It exists once the sink is finished.
  [[nodiscard]] virtual std::unique_ptr<stream::Sink> create(std::string_view key,
                                                             CreateOptions options = {}) = 0;

  // A whole object at once, as create() and finish() do. What is small is sent as it is read, several times
  // if need be, and takes no memory.
  virtual void put(std::string_view key, stream::Content& content, CreateOptions options = {});

  // Writes the bytes of `range` to `into`, without finishing it. Returns false, having written
  // nothing, if there is no such object. Throws kCorrupt if the object is shorter than the range.
  [[nodiscard]] virtual bool read(std::string_view key, ByteRange range, stream::Sink& into) = 0;

  [[nodiscard]] virtual std::optional<ObjectInfo> stat(std::string_view key) = 0;

  // Calls `visit` once for each object whose key starts with `prefix`, in ascending order of keys,
  // on the calling thread, until it returns false.
  using Visit = std::function<bool(const ObjectInfo&)>;
  virtual void list(std::string_view prefix, const Visit& visit) = 0;

  // The names one level below `folder` ("" is the root, "a/b" a folder), ascending; those that are folders
  // themselves end with "/". Empty if there is no such folder. Never walks deeper.
  [[nodiscard]] virtual std::vector<std::string> children(std::string_view folder) = 0;

  // Returns whether there was such an object.
  virtual bool remove(std::string_view key) = 0;
};

// The whole of a small object.
std::optional<std::string> read_text(ObjectStore& store, std::string_view key);
void write_text(ObjectStore& store, std::string_view key, std::string_view text);

}  // namespace barman::store
