// barman-cloud-backup: a backup of the server on this machine into a bucket.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "codec/compress.h"
#include "engine/cloud/backup.h"
#include "engine/server/open_bucket.h"
#include "postgres/connector.h"
#include "postgres/session.h"

namespace barman::cli {
namespace {

constexpr int kDoNotRetry = 63;
constexpr std::uint64_t kLargestArchive = 1ULL << 40U;
constexpr std::size_t kMostTags = 10;

struct CloudBackupOptions {
  engine::CloudBackupRequest request{};
  std::string host{};
  std::string port{};
  std::string user{};
  std::string database = "postgres";
  std::string name{};
  std::uint64_t largest = 100ULL * 1024 * 1024 * 1024;
  std::uint64_t smallest_part = 0;
  std::uint64_t bandwidth = 0;
  bool snapshots = false;
};

// A number, or one with a unit. KB is 1024 and KiB 1000, as the original has it. Nothing for any other text.
std::optional<std::uint64_t> parse_cloud_size(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string unit = text.substr(digits);
  unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, number);
  if (failure != std::errc() || end != text.data() + digits) return std::nullopt;
  if (unit.empty() && text.find('.') != std::string::npos) return std::nullopt;
  double factor = 1;
  if (!unit.empty() && unit != "B") {
    const std::size_t power = std::string_view("KMGTPEZY").find(unit[0]);
    const bool swapped = unit.substr(1) == "IB";
    if (power == std::string_view::npos || (unit.substr(1) != "B" && !swapped)) return std::nullopt;
    for (std::size_t i = 0; i <= power; ++i) factor *= swapped ? 1000 : 1024;
  }
  const double size = number * factor;
  constexpr double kMost = 9e18;
  if (size < 1 || size > kMost) return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

void add_size_option(CLI::App& app, const std::string& name, std::uint64_t& size, const std::string& help) {
  app.add_option_function<std::string>(
         name, [&size](const std::string& text) { size = parse_cloud_size(text).value_or(size); }, help)
      ->type_name("SIZE")
      ->check([](const std::string& text) {
        return parse_cloud_size(text) ? std::string() : "invalid check_size value: '" + text + "'";
      });
}

std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

// libpq's own rules for what -d means.
std::string conninfo_of(const CloudBackupOptions& options) {
  const bool is_uri = options.database.find("://") != std::string::npos;
  if (is_uri) return options.database;
  std::string text = options.database.find('=') != std::string::npos ? options.database
                                                                     : "dbname=" + quoted(options.database);
  if (!options.host.empty()) text += " host=" + quoted(options.host);
  if (!options.port.empty()) text += " port=" + quoted(options.port);
  if (!options.user.empty()) text += " user=" + quoted(options.user);
  return text;
}

std::optional<std::string> tag_mistake(const Tags& tags) {
  std::set<std::string> keys;
  for (const auto& [key, value] : tags) {
    if (!keys.insert(key).second) return fmt::format("the tag {} is given twice", key);
  }
  if (tags.size() > kMostTags)
    return fmt::format("there are {} tags, an object can have {}", tags.size(), kMostTags);
  return std::nullopt;
}

bool is_hook() { return store::process_environment("BARMAN_HOOK").has_value(); }

// The finished backup that a hook of a Barman server is about.
int upload_as_hook(const CloudParts& parts, const CloudBackupOptions& options, store::S3Bucket& bucket) {
  const auto variable = [](const char* name) { return store::process_environment(name).value_or(""); };
  const std::string hook = variable("BARMAN_HOOK");
  if ((hook != "backup_script" && hook != "backup_retry_script") || variable("BARMAN_PHASE") != "post") {
    throw Error(ErrorKind::kUsage, fmt::format("barman-cloud-backup is a post_backup_script, not a {} {}",
                                               variable("BARMAN_PHASE"), hook));
  }
  if (!options.name.empty())
    throw Error(ErrorKind::kUsage, "--name cannot be used in a hook: the backup has its name");
  if (variable("BARMAN_STATUS") != "DONE") {
    parts.error(fmt::format("backup {} has status {}, only one that is DONE is uploaded",
                            variable("BARMAN_BACKUP_ID"), variable("BARMAN_STATUS")));
    return kDoNotRetry;
  }
  const std::string id = variable("BARMAN_BACKUP_ID");
  if (!catalog::is_backup_id(id) || variable("BARMAN_BACKUP_INFO_PATH").empty()) {
    throw Error(ErrorKind::kUsage, "BARMAN_BACKUP_ID and BARMAN_BACKUP_INFO_PATH must be set");
  }
  engine::upload_local_backup(bucket.store(), {id}, variable("BARMAN_BACKUP_DIR"),
                              variable("BARMAN_BACKUP_INFO_PATH"), options.request.form, parts.stop);
  return kCloudDone;
}

int backup_running_server(const CloudParts& parts, const CloudBackupOptions& options,
                          store::S3Bucket& bucket) {
  postgres::LibpqConnector connector;
  std::unique_ptr<postgres::Session> session;
  try {
    session = connector.session(conninfo_of(options),
                                {.application_name = "barman_cloud_backup", .stop = parts.stop});
  } catch (const Error& error) {
    parts.error(fmt::format("Cannot connect to postgres: {}", error.what()));
    return kCloudRefused;
  }
  try {
    engine::take_cloud_backup(bucket.store(), *session, options.request, parts.clock, parts.stop);
    return kCloudDone;
  } catch (const Error& error) {
    parts.error(fmt::format("Backup failed: {}", error.what()));
    return kCloudRefused;
  }
}

void complete_form(const CloudParts& parts, CloudBackupOptions& options) {
  engine::TarSeriesForm& archives = options.request.form.archives;
  archives.most_bytes = options.largest;
  if (archives.compression) {
    const int level = codec::levels_of(*archives.compression).of_backups;
    archives.stages.push_back(
        codec::compress_in_one_frame(*archives.compression, level, options.request.form.workers));
  }
  if (options.bandwidth > 0) {
    archives.stages.push_back(stream::throttle(options.bandwidth, parts.clock, parts.stop));
  }
}

int back_up(const CloudParts& parts, CloudBackupOptions& options) {
  if (options.snapshots) {
    throw Error(ErrorKind::kUsage,
                "this build does not take snapshots of volumes yet; leave --snapshot-* out");
  }
  if (const auto mistake = tag_mistake(options.request.form.archives.objects.tags))
    throw Error(ErrorKind::kUsage, *mistake);
  if (options.largest > kLargestArchive) {
    parts.warning("--max-archive-size is more than S3 can hold; 1TB is taken");
    options.largest = kLargestArchive;
  }
  const std::size_t part = engine::upload_part_size(options.largest, options.smallest_part);
  const auto bucket = open_cloud_bucket(parts, part, options.request.form.workers);
  if (const auto status = missing_bucket(parts, *bucket)) return *status;
  if (parts.options.test) return kCloudDone;
  if (!options.name.empty()) options.request.name = options.name;
  complete_form(parts, options);
  return is_hook() ? upload_as_hook(parts, options, *bucket) : backup_running_server(parts, options, *bucket);
}

void add_compressions(CLI::App& app, CloudBackupOptions& options) {
  using codec::Compression;
  const std::pair<const char*, Compression> kinds[] = {
      {"-z,--gzip", Compression::kGzip},  {"-j,--bzip2", Compression::kBzip2},
      {"--snappy", Compression::kSnappy}, {"--zstd", Compression::kZstd},
      {"--lz4", Compression::kLz4},
  };
  std::vector<CLI::Option*> flags;
  for (const auto& [names, kind] : kinds) {
    flags.push_back(app.add_flag_callback(
        names, [&options, kind = kind] { options.request.form.archives.compression = kind; },
        fmt::format("compress with {}", codec::name_of(kind))));
  }
  exclude_each_other(flags);
}

void add_snapshot_options(CLI::App& app, CloudBackupOptions& options) {
  for (const char* name :
       {"--snapshot-instance", "--snapshot-disk", "--snapshot-zone,--gcp-zone",
        "--snapshot-gcp-project,--gcp-project", "--azure-subscription-id", "--azure-resource-group",
        "--aws-snapshot-lock-mode", "--aws-snapshot-lock-cool-off-period", "--aws-snapshot-lock-duration",
        "--aws-snapshot-lock-expiration-date"}) {
    app.add_option_function<std::vector<std::string>>(
           name, [&options](const std::vector<std::string>&) { options.snapshots = true; },
           "not in this build")
        ->type_name("TEXT")
        ->allow_extra_args(false);
  }
  app.add_option("--aws-region", "for snapshots; taken and ignored")->type_name("REGION");
  app.add_option("--aws-await-snapshots-timeout", "for snapshots; taken and ignored")->type_name("SECONDS");
}

}  // namespace

void add_cloud_backup(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<CloudBackupOptions>();
  add_compressions(app, *own);
  app.add_option("-h,--host", own->host, "host or socket folder of the server")->type_name("HOST");
  app.add_option("-p,--port", own->port, "its port")->type_name("PORT");
  app.add_option("-U,--user", own->user, "the role")->type_name("USER");
  app.add_option("-d,--dbname", own->database, "the database, or a connection string")->type_name("NAME");
  app.add_option("-n,--name", own->name, "a name for the backup")->type_name("NAME")->check(backup_name);
  app.add_flag("--immediate-checkpoint", own->request.fast_checkpoint, "begin with a fast checkpoint");
  app.add_option("-J,--jobs", own->request.form.workers, "parts that are uploaded at a time; 2 if not set")
      ->type_name("COUNT")
      ->check(positive);
  add_size_option(app, "-S,--max-archive-size", own->largest,
                  "begin another archive after so many bytes; 100GB if not set");
  add_size_option(app, "--min-chunk-size", own->smallest_part,
                  "parts of an upload have at least so many bytes");
  add_size_option(app, "--max-bandwidth", own->bandwidth, "bytes a second at most");
  app.add_option_function<unsigned>(
         "--keepalive-interval",
         [own](unsigned seconds) { own->request.keep_alive = std::chrono::seconds(seconds); },
         "seconds after which the idle connection is used; 60 if not set, 0 is never")
      ->type_name("SECONDS")
      ->check(non_negative);
  add_tag_options(app, "--tags", "--tag", own->request.form.archives.objects.tags);
  add_encryption_options(app, options);
  add_snapshot_options(app, *own);
  app.add_option("destination_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  body = [own](CloudParts& parts) { return back_up(parts, *own); };
}

}  // namespace barman::cli
