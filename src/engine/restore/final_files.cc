#include "engine/restore/final_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pgformat/incremental.h"

namespace barman::engine {

namespace {

std::uint64_t final_hash(std::string_view path) { return std::hash<std::string_view>{}(path); }

}  // namespace

FinalFiles::FinalFiles(std::vector<KeptManifest> manifests, std::vector<std::string> names)
    : manifests_(std::move(manifests)), names_(std::move(names)) {
  add_last();
  for (std::size_t member = manifests_.size() - 1; member > 0 && has_open(); --member) follow_to(member - 1);
  if (!has_open()) return;
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("backup {} is no full backup: its manifest lists incremental files", names_.front()));
}

void FinalFiles::add_last() {
  last_summary_ = read_manifest(manifests_[last()], [&](const pgformat::ManifestFile& file) {
    const auto whole = pgformat::name_without_increment(file.path);
    files_.push_back({.path = final_hash(whole.value_or(file.path)),
                      .whole = static_cast<std::uint32_t>(last()),
                      .is_resolved = !whole});
  });
  std::ranges::sort(files_, {}, &File::path);
}

// Every file that is not whole yet has to be in the manifest of the member, whole or not.
void FinalFiles::follow_to(std::size_t member) {
  const auto here = static_cast<std::uint32_t>(member);
  (void)read_manifest(manifests_[member], [&](const pgformat::ManifestFile& listed) {
    const auto whole = pgformat::name_without_increment(listed.path);
    auto* file = const_cast<File*>(find(whole.value_or(listed.path)));
    if (file == nullptr || file->is_resolved) return;
    file->whole = here;
    file->is_resolved = !whole;
  });
  const bool fits =
      std::ranges::all_of(files_, [&](const File& file) { return file.is_resolved || file.whole == here; });
  if (fits) return;
  (void)read_manifest(manifests_[member + 1], [&](const pgformat::ManifestFile& listed) {
    const auto whole = pgformat::name_without_increment(listed.path);
    const File* file = whole ? find(*whole) : nullptr;
    if (file == nullptr || file->is_resolved || file->whole == here) return;
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("backup {} has {}, but backup {} has no {} that it could change: they do not belong "
                    "together; choose another backup",
                    names_[member + 1], listed.path, names_[member], *whole));
  });
}

FinalFiles::Use FinalFiles::use(std::size_t member, std::string_view path) const {
  const auto whole = pgformat::name_without_increment(path);
  const File* file = find(whole ? *whole : path);
  if (file == nullptr || file->whole > member) return Use::kNone;
  if (file->whole == member) return whole ? Use::kNone : Use::kWhole;
  return whole ? Use::kChange : Use::kNone;
}

std::optional<std::size_t> FinalFiles::place(std::string_view path) const {
  const auto whole = pgformat::name_without_increment(path);
  const File* file = find(whole ? *whole : path);
  if (file == nullptr) return std::nullopt;
  return static_cast<std::size_t>(file - files_.data());
}

pgformat::ManifestSummary FinalFiles::visit(std::size_t member, const VisitUsed& visit) const {
  return read_manifest(manifests_[member], [&](const pgformat::ManifestFile& file) {
    const Use how = use(member, file.path);
    if (how != Use::kNone) visit(file, how);
  });
}

const FinalFiles::File* FinalFiles::find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(files_, final_hash(path), {}, &File::path);
  return found != files_.end() && found->path == final_hash(path) ? &*found : nullptr;
}

bool FinalFiles::has_open() const {
  return std::ranges::any_of(files_, [](const File& file) { return !file.is_resolved; });
}

}  // namespace barman::engine
