#include "engine/restore/expected_files.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/error.h"
#include "os/durable_file.h"

namespace barman::engine {

namespace {

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

std::uint64_t hash_of_contents(std::uint64_t size, std::string_view checksum) {
  return hash_of(std::to_string(size) + " " + std::string(checksum));
}

}  // namespace

ExpectedFiles::ExpectedFiles(const std::filesystem::path& manifest) {
  during("reading " + manifest.string(), [&] {
    pgformat::ManifestReader reader([&](const pgformat::ManifestFile& file) {
      if (!files_.empty() && file.kind != kind_) {
        throw Error(ErrorKind::kCorrupt, "its files have checksums of different kinds");
      }
      kind_ = file.kind;
      files_.push_back({.path = hash_of(file.path), .contents = hash_of_contents(file.size, file.checksum)});
    });
    const auto source = os::open_file(manifest);
    std::array<std::byte, 65536> buffer{};
    while (const std::size_t got = source->read(buffer)) {
      reader.write(stream::text_of(stream::Bytes(buffer).first(got)));
    }
    (void)reader.finish();
  });
  std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) { return a.path < b.path; });
}

ExpectedFiles::Verdict ExpectedFiles::compare(std::string_view path, std::uint64_t size,
                                              std::string_view checksum) const {
  const std::uint64_t hash = hash_of(path);
  const auto found =
      std::lower_bound(files_.begin(), files_.end(), hash,
                       [](const File& file, std::uint64_t wanted) { return file.path < wanted; });
  if (found == files_.end() || found->path != hash) return Verdict::kUnknown;
  return found->contents == hash_of_contents(size, checksum) ? Verdict::kSame : Verdict::kDifferent;
}

}  // namespace barman::engine
