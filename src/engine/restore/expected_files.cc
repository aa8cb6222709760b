#include "engine/restore/expected_files.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace barman::engine {

namespace {

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

std::uint64_t hash_of_contents(std::uint64_t size, std::string_view checksum) {
  return hash_of(std::to_string(size) + " " + std::string(checksum));
}

}  // namespace

ExpectedFiles::ExpectedFiles(KeptManifest manifest) : manifest_(std::move(manifest)) {
  (void)read_manifest(manifest_, [&](const pgformat::ManifestFile& file) {
    if (!files_.empty() && file.kind != kind_) {
      throw Error(ErrorKind::kCorrupt,
                  "reading " + manifest_.name + ": its files have checksums of different kinds");
    }
    kind_ = file.kind;
    files_.push_back({.path = hash_of(file.path), .contents = hash_of_contents(file.size, file.checksum)});
  });
  std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) { return a.path < b.path; });
}

ExpectedFiles::Verdict ExpectedFiles::compare(std::string_view path, std::uint64_t size,
                                              std::string_view checksum) const {
  const auto found = place(path);
  if (!found) return Verdict::kUnknown;
  return files_[*found].contents == hash_of_contents(size, checksum) ? Verdict::kSame : Verdict::kDifferent;
}

std::optional<std::size_t> ExpectedFiles::place(std::string_view path) const {
  const std::uint64_t hash = hash_of(path);
  const auto found = std::ranges::lower_bound(files_, hash, {}, &File::path);
  if (found == files_.end() || found->path != hash) return std::nullopt;
  return static_cast<std::size_t>(found - files_.begin());
}

void ExpectedFiles::visit(const std::function<void(const std::string& path)>& visit) const {
  (void)read_manifest(manifest_, [&](const pgformat::ManifestFile& file) { visit(file.path); });
}

std::optional<std::string> ExpectedFiles::find_missing(
    const std::function<bool(const std::string& path)>& is_there) const {
  std::optional<std::string> missing;
  (void)read_manifest(manifest_, [&](const pgformat::ManifestFile& file) {
    if (!missing && !is_there(file.path)) missing = file.path;
  });
  return missing;
}

}  // namespace barman::engine
