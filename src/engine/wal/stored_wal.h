// A WAL file on disk as the index describes it: its size and time, and how it was stored.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "catalog/xlogdb.h"
#include "codec/detect.h"

namespace barman::engine {

class WalFormat;

struct StoredForm {
  std::optional<codec::Compression> compression{};  // nothing if encrypted: it cannot be seen
  bool encrypted = false;
  bool custom = false;  // compressed by the server's custom filter
  bool operator==(const StoredForm&) const = default;
};

// By the first bytes. A custom filter's output cannot be told: see WalFormat::form_of.
StoredForm stored_form(stream::Bytes front);

// At most `size` bytes of the front of a file. Throws kFailed if it cannot be read.
std::vector<std::byte> read_front(const std::filesystem::path& path, std::size_t size);

// The entry of the file that is stored under this name; nothing if it vanished. Only with the server's format
// is it known what its custom filter made. Throws kFailed if it cannot be read.
std::optional<catalog::WalEntry> describe_stored_wal(const std::filesystem::path& path,
                                                     const WalFormat* format);

// The entry with size and time of the file, as os.stat() of Python gives them.
std::optional<catalog::WalEntry> describe_file(const std::filesystem::path& path);

}  // namespace barman::engine
