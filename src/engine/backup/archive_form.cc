#include "engine/backup/archive_form.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "codec/compress.h"
#include "engine/server/archive_name.h"

namespace barman::engine {

using codec::Compression;

std::string archive_suffix(const BackupFormat& format) {
  return format_archive_name(
      {.stem = "", .compression = format.compression, .encrypted = format.key.has_value()});
}

std::optional<std::string> recorded_compression(const BackupFormat& format) {
  // In a bucket they are always archives: "none" would say nothing, and the original has no word for it
  // there.
  if (!format.is_tar || (format.in_bucket && !format.compression)) return std::nullopt;
  return format.compression ? std::string(codec::name_of(*format.compression)) : "none";
}

std::optional<ServerCompression> server_compression(const BackupFormat& format) {
  if (!format.on_server) return std::nullopt;
  std::vector<std::string> detail;
  if (format.level) detail.push_back(fmt::format("level={}", *format.level));
  if (format.workers.value_or(0) > 0) detail.push_back(fmt::format("workers={}", *format.workers));
  return ServerCompression{.kind = *format.compression, .detail = fmt::format("{}", fmt::join(detail, ","))};
}

namespace {

// By us.
stream::Stage compressing(const BackupFormat& format) {
  const Compression kind = *format.compression;
  // A server before PostgreSQL 15 may have 0 for gzip: the usual level, too.
  const bool usual = !format.level || (kind == Compression::kGzip && format.level == 0);
  const int level = usual ? codec::levels_of(kind).of_backups : *format.level;
  const unsigned workers = format.workers.value_or(codec::default_workers(kind, level));
  // The original's restore from a bucket takes the first frame for all.
  return format.in_bucket ? codec::compress_in_one_frame(kind, level, workers)
                          : codec::compress(kind, level, workers);
}

}  // namespace

std::optional<ArchiveForm> archive_form(const BackupFormat& format, os::ProcessRunner& runner,
                                        const codec::Gpg& gpg) {
  if (!format.is_tar) return std::nullopt;
  ArchiveForm form{.suffix = archive_suffix(format), .is_compressed = format.compression.has_value()};
  if (format.compression && !format.on_server) form.stages.push_back(compressing(format));
  if (format.key) form.stages.push_back(codec::gpg_encrypt(runner, gpg, *format.key));
  return form;
}

TarSeriesForm series_form(const BackupFormat& format, const config::Values& values, os::ProcessRunner& runner,
                          const codec::Gpg& gpg) {
  TarSeriesForm form{
      .encrypted = format.key.has_value(),
      .most_bytes = static_cast<std::uint64_t>(values.number("cloud_upload_max_archive_size"))};
  if (format.is_tar && format.compression) {
    form.compression = format.compression;
    form.stages.push_back(compressing(format));
  }
  if (format.key) form.stages.push_back(codec::gpg_encrypt(runner, gpg, *format.key));
  return form;
}

}  // namespace barman::engine
