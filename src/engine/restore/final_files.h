// Which files a chain of backups makes, and which of its members each is made of: read from the manifests, in
// sixteen bytes a file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/restore/kept_manifest.h"
#include "pgformat/manifest.h"

namespace barman::engine {

class FinalFiles {
 public:
  // The manifests from the full backup's to the last one's. Throws kCorrupt if one is damaged, or if the
  // members do not fit: an incremental file without one that it changes in the member before. `names` are for
  // messages.
  FinalFiles(std::vector<KeptManifest> manifests, std::vector<std::string> names);

  // What the restore does with the file that member `member`'s manifest calls `path`.
  enum class Use {
    kNone,    // a later member brings the file whole, or it does not exist at the end
    kWhole,   // the file begins with this copy
    kChange,  // an incremental file: it changes what the members before brought
  };
  [[nodiscard]] Use use(std::size_t member, std::string_view path) const;

  // Where the file is among all, for those that are counted by their place.
  [[nodiscard]] std::optional<std::size_t> place(std::string_view path) const;
  [[nodiscard]] std::size_t count() const { return files_.size(); }

  // The number of the last member, and what its manifest says around the list of files.
  [[nodiscard]] std::size_t last() const { return manifests_.size() - 1; }
  [[nodiscard]] const pgformat::ManifestSummary& last_summary() const { return last_summary_; }

  // Reads the manifest of a member again: every file that a restore uses of it.
  using VisitUsed = std::function<void(const pgformat::ManifestFile&, Use)>;
  pgformat::ManifestSummary visit(std::size_t member, const VisitUsed& visit) const;

 private:
  struct File {
    std::uint64_t path = 0;   // a hash, of the name without "INCREMENTAL."
    std::uint32_t whole = 0;  // the member whose copy is whole; while it is not known, the last one seen
    bool is_resolved = false;
  };

  void add_last();
  void follow_to(std::size_t member);
  [[nodiscard]] const File* find(std::string_view path) const;
  [[nodiscard]] bool has_open() const;

  std::vector<KeptManifest> manifests_;
  std::vector<std::string> names_;
  std::vector<File> files_;  // ascending by path
  pgformat::ManifestSummary last_summary_;
};

}  // namespace barman::engine
