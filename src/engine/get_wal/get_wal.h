// get-wal: finds one WAL file, wherever it has got to, and hands it out plain or compressed.
//
// It takes no lock: what it found stays open, so that the archiver may move or remove it meanwhile.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "codec/detect.h"
#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/wal/stored_wal.h"
#include "engine/wal/wal_archive.h"
#include "os/fd.h"
#include "stream/stream.h"

namespace barman::engine {

// A WAL file that was found: open for reading, or an object in a bucket.
struct FoundWal {
  std::filesystem::path path;  // the object's is its name
  os::Fd file;
  StoredForm form;
  bool partial = false;  // never transformed, unless the archive holds it compressed or encrypted
  std::optional<WalFile> object{};

  [[nodiscard]] std::string name() const { return path.filename(); }
};

// The file of exactly this name: of the archive, else just arrived; with `partial` also "<name>.partial". A
// file that has only just arrived and is not whole, or is of another cluster, is passed over with a warning
// in the log. Nothing if there is none.
std::optional<FoundWal> find_wal(const Home& home, const std::string& name, bool partial,
                                 const WalFormat& format, Events& events);

// How the file is wanted.
struct WalForm {
  bool as_stored = false;                           // --keep-compression; decrypted all the same
  std::optional<codec::Compression> compression{};  // else plain
};

// Whether the stored bytes are what is wanted, and in a file that is open.
bool can_be_sent_so(const FoundWal& wal, const WalForm& form);

// Writes it to `to`, and finishes `to`. Throws kFailed if it cannot be read as it is stored: a key or a
// filter is missing; kCorrupt if its bytes are damaged.
void deliver_wal(const Home& home, const FoundWal& wal, const WalForm& wanted, const WalFormat& format,
                 std::unique_ptr<stream::Sink> to, const std::stop_token& stop);

// Up to `count` names of files that are there, starting with `name` and going on while there is no gap. A
// name that is not that of a segment is alone. Throws kFailed if it cannot be told whether a file is there.
std::vector<std::string> peek_wal(const Home& home, const std::string& name, std::size_t count);

}  // namespace barman::engine
