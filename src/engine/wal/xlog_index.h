// The file <server>-xlog.db on disk: every access takes .<server>-xlogdb.lock, as the Python Barman does.
//
// The index says what the archive holds, and can always be made anew from it. Appending is one write at the
// end; anything else writes a new file and renames it into place. An inactive server whose archive is in a
// bucket has no index: what it would tell is read from the bucket.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/xlogdb.h"
#include "engine/events.h"
#include "engine/server/home.h"

namespace barman::engine {

class WalFormat;

class XlogIndex {
 public:
  // With the server's format, which outlives it, an index that is made anew names the custom compression too.
  XlogIndex(const Home& home, Events& events, const WalFormat* format = nullptr)
      : home_(home), events_(events), format_(format) {}

  // All entries in file order. Lines that cannot be read are reported by number as a warning, and skipped.
  // A missing file is rebuilt from the archive first.
  [[nodiscard]] std::vector<catalog::WalEntry> read() const;

  // The same, one after the other; the fields are borrowed for the call. For those who only count.
  using Visit = std::function<void(const catalog::WalLine&)>;
  void visit(const Visit& visit) const;

  // Makes a missing file, or an empty one of an archive in a bucket, from the archive as it is now. Before
  // files are stored: else a reader might make it between the storing of a file and its line, which would
  // stand there twice.
  void require();

  // Appends and syncs. A torn last line, left by a crash, is repaired first. If that, or a missing file,
  // needed a rebuild, entries that it found are not written twice.
  void append(std::span<const catalog::WalEntry> entries);

  // Appends those that are not there yet, and returns how many these were. Reads the whole file.
  std::size_t append_missing(std::span<const catalog::WalEntry> entries);

  // Removes the entries that `gone` says are gone, by writing a new file: atomic.
  // An index that is missing, or empty although the archive is in a bucket, may have been lost: it is made
  // anew from the archive first, and that is said if there was something. Runs `before` under the lock with
  // the entries that are to go, if there are any (it removes the files). Lines that cannot be read stay.
  using Choose = std::function<bool(const catalog::WalEntry&)>;
  using Remove = std::function<void(std::span<const catalog::WalEntry>)>;
  void remove(const Choose& gone, const Remove& before);

  struct Rebuilt {
    std::uint64_t histories = 0;
    std::uint64_t backup_labels = 0;
    std::uint64_t segments = 0;  // whole and partial
    bool operator==(const Rebuilt&) const = default;
  };

  // Writes the index anew from the files of the archive; atomic. Files that are none of WAL are named in
  // warnings, and left alone.
  Rebuilt rebuild();

 private:
  [[nodiscard]] bool is_elsewhere() const;
  void visit_archive(const Visit& visit) const;
  // All below require the lock.
  [[nodiscard]] bool require_file() const;  // makes it if it is missing; false if there is no archive
  [[nodiscard]] std::string text() const;
  // `known` entries tell more than the files do: how an encrypted one was compressed.
  bool repair_or_rebuild(std::span<const catalog::WalEntry> known = {});  // whether it was rebuilt
  Rebuilt write_anew(std::span<const catalog::WalEntry> known = {}) const;
  // That the index of a bucket was made anew, if more than `known` files were found.
  void tell_of_rebuild(std::string_view why, const Rebuilt& rebuilt, std::size_t known) const;
  std::size_t append_missing_locked(std::span<const catalog::WalEntry> entries);

  const Home& home_;
  Events& events_;
  const WalFormat* format_;
};

}  // namespace barman::engine
