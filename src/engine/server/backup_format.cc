#include "engine/server/backup_format.h"

#include <fmt/format.h>

#include "base/error.h"
#include "codec/codec.h"
#include "engine/server/encryption.h"
#include "engine/server/home.h"

namespace barman::engine {

namespace {

using codec::Compression;

constexpr int kFirstServerCompression = 150000;

bool servers_make(Compression compression) {
  return compression == Compression::kGzip || compression == Compression::kLz4 ||
         compression == Compression::kZstd;
}

// -1 is gzip's word for the usual level.
std::optional<int> level_asked_for(const config::Values& values, std::optional<Compression> compression) {
  const auto level = values.optional_number("backup_compression_level");
  if (!level || !compression || (compression == Compression::kGzip && *level < 0)) return std::nullopt;
  return static_cast<int>(*level);
}

BackupFormat format_without_encryption(const config::Values& values) {
  BackupFormat format{.in_bucket = is_bucket_url(values.text("basebackups_directory"))};
  const std::string name = values.text("backup_compression");
  if (name.empty()) return format;
  format.compression = codec::compression_named(name);
  format.on_server = format.compression && values.text("backup_compression_location") == "server";
  format.is_tar = values.text("backup_compression_format") != "plain";
  format.level = level_asked_for(values, format.compression);
  if (const auto workers = values.optional_number("backup_compression_workers")) {
    format.workers = static_cast<unsigned>(*workers);
  }
  return format;
}

[[noreturn]] void refuse_format(const config::Server& server, std::string_view reason) {
  throw Error(ErrorKind::kUsage, fmt::format("server {}: {}", server.name, reason));
}

}  // namespace

BackupFormat backup_format(const config::Server& server) {
  BackupFormat format = format_without_encryption(server.values);
  format.key = encryption_key(server);
  if (format.key && !format.is_tar && !format.in_bucket) {
    refuse_format(server,
                  "only backups in tar format can be encrypted; set backup_compression (also to none) and "
                  "backup_compression_format = tar");
  }
  if (format.on_server && !servers_make(*format.compression)) {
    refuse_format(server,
                  fmt::format("PostgreSQL does not compress with {}; set backup_compression_location = "
                              "client",
                              codec::name_of(*format.compression)));
  }
  if (!format.is_tar && format.compression && !format.on_server) {
    refuse_format(server,
                  "backup_compression_format plain requires backup_compression_location to be server");
  }
  return format;
}

std::optional<std::string> format_problem(const config::Server& server, int version) {
  const BackupFormat format = format_without_encryption(server.values);
  const bool is_old = version < kFirstServerCompression;
  if (format.on_server && is_old) {
    return fmt::format(
        "backup_compression_location = server needs PostgreSQL 15 or later, the server runs {}; set it to "
        "client",
        version / 10000);
  }
  if (format.compression == Compression::kGzip && format.level == 0 && !is_old) {
    return "backup_compression_level = 0 means the usual level of gzip only before PostgreSQL 15; leave it "
           "out, or set backup_compression = none for archives that are not compressed";
  }
  return std::nullopt;
}

}  // namespace barman::engine
