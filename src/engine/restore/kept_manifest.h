// A backup's manifest, wherever it is kept: read as a stream, and as often as it is wanted.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "pgformat/manifest.h"
#include "stream/stream.h"

namespace barman::engine {

struct KeptManifest {
  std::string name;                              // where it is, for messages
  std::function<void(stream::Sink& into)> read;  // writes all of it, does not finish `into`
};

// Nothing if there is no such file.
std::optional<KeptManifest> manifest_on_disk(const std::filesystem::path& place);

// Reads a manifest: every file that a restore brings back. Throws kCorrupt, naming the manifest, if it is
// damaged; what `visit` throws passes as it is.
pgformat::ManifestSummary read_manifest(const KeptManifest& manifest,
                                        const std::function<void(const pgformat::ManifestFile&)>& visit);

}  // namespace barman::engine
