#include "pgformat/manifest_writer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pgformat/hex.h"

namespace barman::pgformat {

namespace {

using nlohmann::json;

// A path that is no text is written as the digits of its bytes.
std::string path_field(const std::string& path) {
  try {
    return fmt::format("\"Path\": {}", json(path).dump());
  } catch (const json::type_error&) {
    return fmt::format("\"Encoded-Path\": \"{}\"", format_hex(std::as_bytes(std::span(path))));
  }
}

std::string_view checksum_name(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kCrc32c:
      return "CRC32C";
    case ChecksumKind::kSha224:
      return "SHA224";
    case ChecksumKind::kSha256:
      return "SHA256";
    case ChecksumKind::kSha384:
      return "SHA384";
    case ChecksumKind::kSha512:
      return "SHA512";
    case ChecksumKind::kNone:
      break;
  }
  return {};
}

}  // namespace

ManifestWriter::ManifestWriter(Write write, std::optional<std::uint64_t> system_identifier)
    : write_(std::move(write)) {
  put(fmt::format("{{ \"PostgreSQL-Backup-Manifest-Version\": {},\n", system_identifier ? 2 : 1));
  if (system_identifier) put(fmt::format("\"System-Identifier\": {},\n", *system_identifier));
  put("\"Files\": [");
}

void ManifestWriter::file(const ManifestFile& file) {
  std::string line = fmt::format("{}\n{{ {}, \"Size\": {}, \"Last-Modified\": {}", first_ ? "" : ",",
                                 path_field(file.path), file.size, json(file.last_modified).dump());
  if (file.kind != ChecksumKind::kNone) {
    line += fmt::format(R"(, "Checksum-Algorithm": "{}", "Checksum": "{}")", checksum_name(file.kind),
                        file.checksum);
  }
  first_ = false;
  put(line + " }");
}

void ManifestWriter::finish(const std::vector<ManifestWalRange>& ranges) {
  std::string text = "\n],\n\"WAL-Ranges\": [";
  std::string_view separator = "\n";
  for (const ManifestWalRange& range : ranges) {
    text += fmt::format(R"({}{{ "Timeline": {}, "Start-LSN": "{}", "End-LSN": "{}" }})", separator,
                        range.timeline, format_lsn(range.start), format_lsn(range.end));
    separator = ",\n";
  }
  put(text + "\n],\n");
  write_(fmt::format("\"Manifest-Checksum\": \"{}\"}}\n", checksum_.hex()));
}

void ManifestWriter::put(std::string_view text) {
  checksum_.update(reinterpret_cast<const std::byte*>(text.data()), text.size());
  write_(text);
}

std::string format_manifest_time(std::chrono::sys_seconds time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} GMT", time);
}

}  // namespace barman::pgformat
