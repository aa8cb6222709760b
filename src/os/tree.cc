#include "os/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/fd.h"
#include "os/parallel.h"

namespace barman::os {

namespace {

namespace fs = std::filesystem;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Names in little memory: a folder may hold a million of them.
class Names {
 public:
  void add(const char* name) {
    starts_.push_back(text_.size());
    text_.append(name).push_back('\0');
  }
  void sort() {
    std::sort(starts_.begin(), starts_.end(),
              [&](std::size_t a, std::size_t b) { return std::strcmp(&text_[a], &text_[b]) < 0; });
  }
  [[nodiscard]] std::size_t size() const { return starts_.size(); }
  [[nodiscard]] const char* operator[](std::size_t index) const { return &text_[starts_[index]]; }

 private:
  std::string text_;
  std::vector<std::size_t> starts_;
};

// Names in a folder, in byte order; nothing if it vanished.
Names names_in(const fs::path& folder, bool must_exist) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(folder.c_str()));
  if (!directory) {
    if (errno == ENOENT && !must_exist) return {};
    throw_errno("cannot read the directory", folder);
  }
  Names names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.add(entry->d_name);
    errno = 0;
  }
  if (errno != 0) throw_errno("cannot read the directory", folder);
  names.sort();
  return names;
}

EntryKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::kFile;
  if (S_ISDIR(mode)) return EntryKind::kDirectory;
  if (S_ISLNK(mode)) return EntryKind::kSymlink;
  return EntryKind::kOther;
}

void walk(const fs::path& root, const fs::path& relative,
          const std::function<bool(const TreeEntry&)>& visit) {
  const Names names = names_in(root / relative, relative.empty());
  for (std::size_t i = 0; i < names.size(); ++i) {
    struct stat status {};
    const fs::path below = relative / names[i];
    if (::lstat((root / below).c_str(), &status) != 0) {
      if (errno == ENOENT) continue;
      throw_errno("cannot look at", root / below);
    }
    const TreeEntry entry{.relative = below,
                          .kind = kind_of(status.st_mode),
                          .size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0,
                          .links = status.st_nlink,
                          .mode = status.st_mode & 07777U,
                          .modified = status.st_mtim.tv_sec};
    if (visit(entry) && entry.kind == EntryKind::kDirectory) walk(root, below, visit);
  }
}

}  // namespace

void walk_tree(const fs::path& root, const std::function<bool(const TreeEntry&)>& visit) {
  walk(root, {}, visit);
}

TreeSize measure_tree(const fs::path& root) {
  TreeSize size;
  walk_tree(root, [&](const TreeEntry& entry) {
    if (entry.kind == EntryKind::kFile) {
      size.bytes += entry.size;
      if (entry.links == 1) size.unique_bytes += entry.size;
      ++size.files;
    }
    return true;
  });
  return size;
}

bool remove_tree(const fs::path& root) {
  std::error_code error;
  const auto removed = fs::remove_all(root, error);
  if (error) throw Error(ErrorKind::kFailed, "cannot remove " + root.string() + ": " + error.message());
  if (removed == 0) return false;
  const fs::path above = root.parent_path();
  if (!above.empty() && fs::exists(above)) sync_directory(above);
  return true;
}

void sync_tree(const fs::path& root, unsigned workers, const std::stop_token& stop) {
  // A batch at a time, so that memory does not grow with the number of files.
  constexpr std::size_t kBatch = 4096;
  std::vector<fs::path> batch;
  const auto sync_batch = [&] {
    in_parallel(batch.size(), workers, stop, [&](std::size_t i) { sync_file(batch[i]); });
    batch.clear();
  };
  walk_tree(root, [&](const TreeEntry& entry) {
    if (entry.kind == EntryKind::kFile) batch.push_back(root / entry.relative);
    if (batch.size() == kBatch) sync_batch();
    return true;
  });
  sync_batch();
  walk_tree(root, [&](const TreeEntry& entry) {
    if (entry.kind == EntryKind::kDirectory) batch.push_back(root / entry.relative);
    if (batch.size() == kBatch) {
      in_parallel(batch.size(), workers, stop, [&](std::size_t i) { sync_directory(batch[i]); });
      batch.clear();
    }
    return true;
  });
  in_parallel(batch.size(), workers, stop, [&](std::size_t i) { sync_directory(batch[i]); });
  sync_directory(root);
}

}  // namespace barman::os
