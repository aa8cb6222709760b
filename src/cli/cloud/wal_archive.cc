// barman-cloud-wal-archive: one WAL file into a bucket.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "codec/codec.h"
#include "engine/cloud/archive_wal.h"
#include "pgformat/wal_name.h"

namespace barman::cli {
namespace {

using codec::Compression;

struct ArchiveOptions {
  std::string path;
  std::optional<Compression> compression{};
  std::string level{};
  Tags tags{};
  Tags history_tags{};
};

std::string level_problem(const std::string& text) {
  try {
    (void)codec::level_of(Compression::kGzip, text);
    return {};
  } catch (const Error&) {
    return "invalid parse_compression_level value: '" + text + "'";
  }
}

void add_compression_options(CLI::App& app, ArchiveOptions& options) {
  const std::pair<const char*, Compression> kinds[] = {
      {"-z,--gzip", Compression::kGzip},  {"-j,--bzip2", Compression::kBzip2}, {"--xz", Compression::kXz},
      {"--snappy", Compression::kSnappy}, {"--zstd", Compression::kZstd},      {"--lz4", Compression::kLz4},
  };
  std::vector<CLI::Option*> flags;
  for (const auto& [names, kind] : kinds) {
    flags.push_back(app.add_flag_callback(
        names, [&options, kind = kind] { options.compression = kind; },
        fmt::format("compress with {}", codec::name_of(kind))));
  }
  exclude_each_other(flags);
  app.add_option("--compression-level", options.level, "low, medium, high or a number that the method knows")
      ->type_name("LEVEL")
      ->check(level_problem);
}

// The file that a hook of a Barman server is about, if this is one.
std::optional<std::string> path_of_hook() {
  const auto variable = store::process_environment;
  const std::string hook = variable("BARMAN_HOOK").value_or("");
  if (hook != "archive_script" && hook != "archive_retry_script") return std::nullopt;
  if (variable("BARMAN_PHASE") != "pre") return std::nullopt;
  return variable("BARMAN_FILE");
}

int archive(const CloudParts& parts, const ArchiveOptions& options) {
  std::string path = options.path;
  if (path.empty()) path = path_of_hook().value_or("");
  if (path.empty()) {
    parts.error("the following arguments are required: wal_path");
    return kCloudRefused;
  }
  const auto parsed = pgformat::parse_wal_name(std::filesystem::path(path).filename().native());
  if (!parsed) {
    parts.error(path + " is an invalid name for a WAL file");
    return kCloudUsage;
  }
  const auto bucket = open_cloud_bucket(parts);
  if (parts.options.test) return missing_bucket(parts, *bucket).value_or(kCloudDone);
  const bool has_own_tags = parsed->kind == pgformat::WalKind::kHistory && !options.history_tags.empty();
  engine::CloudWalForm form{.compression = options.compression,
                            .tags = has_own_tags ? options.history_tags : options.tags};
  if (form.compression) form.level = codec::level_of(*form.compression, options.level);
  engine::archive_cloud_wal(bucket->store(), path, form, parts.stop);
  return kCloudDone;
}

}  // namespace

void add_cloud_wal_archive(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<ArchiveOptions>();
  add_compression_options(app, *own);
  add_tag_options(app, "--tags", "--tag", own->tags);
  add_tag_options(app, "--history-tags", "--history-tag", own->history_tags);
  add_encryption_options(app, options);
  for (const char* name : {"--max-block-size", "--max-concurrency", "--max-single-put-size"}) {
    app.add_option(name, "for Azure; taken and ignored")->type_name("N");
  }
  app.add_option("destination_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  app.add_option("wal_path", own->path, "the WAL file: %p of archive_command");
  body = [own](CloudParts& parts) { return archive(parts, *own); };
}

}  // namespace barman::cli
