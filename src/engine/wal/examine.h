// Whether a file is the WAL that its name says. Pure but for reading the file's front.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/server/home.h"
#include "engine/wal/stored_wal.h"
#include "pgformat/wal_name.h"
#include "pgformat/wal_page.h"

namespace barman::engine {

enum class WalVerdict {
  kGood,
  kIncomplete,  // shorter than it says it is: still being written, or cut
  kForeign,     // of another cluster
  kMisplaced,   // of this cluster or an unknown one, but not what its name says
};

struct Examination {
  WalVerdict verdict = WalVerdict::kGood;
  std::string reason{};  // unless good: "belongs to system 7123, this server is 7124"
};

// Judges by the header, if the file has one. `size` is that of the plain data, nothing if it is not known.
Examination examine_header(const pgformat::WalName& name, const std::optional<pgformat::WalHeader>& header,
                           std::optional<std::uint64_t> size, std::optional<std::uint64_t> system_identifier);

// The same for a file as it arrived, plain or compressed. What is encrypted, or compressed in a way that this
// build cannot read, is taken as it is.
Examination examine_file(const std::filesystem::path& path, const pgformat::WalName& name, std::uint64_t size,
                         const StoredForm& form, std::optional<std::uint64_t> system_identifier);

// Which cluster the server is, by its identity.json; nothing if there is none yet. Throws kCorrupt if it is
// damaged.
std::optional<std::uint64_t> known_system_identifier(const Home& home);

}  // namespace barman::engine
