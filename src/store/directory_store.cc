#include "store/directory_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/tree.h"
#include "store/key.h"

namespace barman::store {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBuffered = 128 * 1024;

bool is_under_way(std::string_view name) { return name.starts_with('.') && name.ends_with(".tmp"); }

Time modified_at(const struct stat& status) {
  return Time(std::chrono::seconds(status.st_mtim.tv_sec) +
              std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

// The part of a prefix that names folders.
std::string_view folder_of(std::string_view prefix) {
  const std::size_t slash = prefix.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : prefix.substr(0, slash);
}

// `expected` bytes are there, as far as one can know beforehand.
bool passes_on(stream::Source& source, std::uint64_t expected, ByteRange range, stream::Sink& into,
               std::string_view key) {
  std::vector<std::byte> buffer(std::clamp<std::uint64_t>(expected, 1, kMostBuffered));
  std::uint64_t left = range.length.value_or(UINT64_MAX);
  while (left > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left));
    const std::size_t got = source.read(stream::Buffer(buffer).first(size));
    if (got == 0) {
      if (!range.length) break;
      throw Error(ErrorKind::kCorrupt, std::string(key) + " is shorter than expected");
    }
    into.write(stream::Bytes(buffer).first(got));
    left -= got;
  }
  return true;
}

}  // namespace

std::unique_ptr<stream::Sink> DirectoryStore::create(std::string_view key, CreateOptions options) {
  check_key(key);
  const fs::path path = root_ / key;
  os::make_directories(path.parent_path());
  return os::create_file(path, {.mode = 0644, .must_be_new = options.must_be_new});
}

bool DirectoryStore::read(std::string_view key, ByteRange range, stream::Sink& into) {
  const auto info = stat(key);
  if (!info) return false;
  if (range.offset > info->size)
    throw Error(ErrorKind::kCorrupt, std::string(key) + " is shorter than expected");
  return passes_on(*os::open_file(root_ / key, range.offset), info->size - range.offset, range, into, key);
}

std::optional<ObjectInfo> DirectoryStore::stat(std::string_view key) {
  check_key(key);
  struct stat status {};
  if (::stat((root_ / key).c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    os::throw_errno("cannot look at", root_ / key);
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return ObjectInfo{.key = std::string(key),
                    .size = static_cast<std::uint64_t>(status.st_size),
                    .modified = modified_at(status)};
}

void DirectoryStore::list(std::string_view prefix, const Visit& visit) {
  const std::string_view folder = folder_of(prefix);
  if (!folder.empty()) check_key(folder);
  if (!fs::is_directory(root_ / folder)) return;
  std::vector<std::string> keys;
  os::walk_tree(root_ / folder, [&](const os::TreeEntry& entry) {
    const std::string key = (fs::path(folder) / entry.relative).string();
    if (entry.kind == os::EntryKind::kFile && key.starts_with(prefix) &&
        !is_under_way(entry.relative.filename().string())) {
      keys.push_back(key);
    }
    return true;
  });
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    const auto info = stat(key);
    if (info && !visit(*info)) return;
  }
}

std::vector<std::string> DirectoryStore::children(std::string_view folder) {
  if (!folder.empty()) check_key(folder);
  std::vector<std::string> names;
  if (!fs::is_directory(root_ / folder)) return names;
  os::walk_tree(root_ / folder, [&](const os::TreeEntry& entry) {
    std::string name = entry.relative.string();
    if (!is_under_way(name)) {
      names.push_back(entry.kind == os::EntryKind::kDirectory ? name + "/" : std::move(name));
    }
    return false;
  });
  std::sort(names.begin(), names.end());
  return names;
}

bool DirectoryStore::remove(std::string_view key) {
  check_key(key);
  return os::remove_file(root_ / key);
}

}  // namespace barman::store
