#include "engine/wal/archive_scan.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "engine/wal/stored_wal.h"
#include "os/durable_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

struct Children {
  std::vector<fs::path> folders;
  std::vector<fs::path> files;
};

Children children_of(const fs::path& folder) {
  Children children;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  if (error == std::errc::no_such_file_or_directory) return children;
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (at->path().filename().native().front() == '.') continue;
    std::error_code ignored;
    (at->is_directory(ignored) ? children.folders : children.files).push_back(at->path());
  }
  if (error) {
    errno = error.value();
    os::throw_errno("cannot read", folder);
  }
  std::ranges::sort(children.folders);
  std::ranges::sort(children.files);
  return children;
}

bool is_regular(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

void visit_file(const fs::path& path, const std::string& folder, const WalFormat* format,
                const ArchiveVisitor& visitor) {
  const auto name = pgformat::parse_wal_name(path.filename().native());
  if (!name || pgformat::hash_directory(*name) != folder || !is_regular(path)) {
    visitor.foreign(path.native());
    return;
  }
  if (const auto entry = describe_stored_wal(path, format)) visitor.wal(*name, *entry);
}

}  // namespace

void scan_archive(const fs::path& wals, const std::string& index_name, const WalFormat* format,
                  const ArchiveVisitor& visitor) {
  const Children top = children_of(wals);
  for (const fs::path& folder : top.folders) {
    const Children inside = children_of(folder);
    for (const fs::path& nested : inside.folders) visitor.foreign(nested.native());
    for (const fs::path& file : inside.files) visit_file(file, folder.filename().native(), format, visitor);
  }
  for (const fs::path& file : top.files) {
    // Also "<index>.old" and the like, that somebody put aside.
    if (!file.filename().native().starts_with(index_name)) visit_file(file, "", format, visitor);
  }
}

}  // namespace barman::engine
