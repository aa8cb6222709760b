// The file <server>-xlog.db on disk: every access takes .<server>-xlogdb.lock, as the Python Barman does.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "catalog/xlogdb.h"
#include "engine/events.h"
#include "engine/server/home.h"

namespace barman::engine {

class XlogIndex {
 public:
  XlogIndex(const Home& home, Events& events) : home_(home), events_(events) {}

  // All entries in file order. Lines that cannot be read are reported by number as a warning, and skipped.
  // A missing file is rebuilt from the archive first.
  [[nodiscard]] std::vector<catalog::WalEntry> read() const;

  // Appends and syncs. A torn last line, left by a crash, is repaired first.
  void append(std::span<const catalog::WalEntry> entries);

  // Removes the entries that `gone` says are gone, by writing a new file: atomic.
  // Runs `before` under the lock with the entries that are to go (it removes the files).
  using Choose = std::function<bool(const catalog::WalEntry&)>;
  using Remove = std::function<void(std::span<const catalog::WalEntry>)>;
  void remove(const Choose& gone, const Remove& before);

  // Writes the index anew from the files of the archive; atomic.
  void rebuild();

 private:
  const Home& home_;
  Events& events_;
};

}  // namespace barman::engine
