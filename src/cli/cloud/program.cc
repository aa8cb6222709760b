#include "cli/cloud/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/redact.h"
#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/catalogue.h"
#include "engine/server/cloud_keys.h"
#include "os/process.h"
#include "os/signals.h"

namespace barman::cli {
namespace {

constexpr CloudProgram kPrograms[] = {
    {"barman-cloud-backup", "Backs up the server on this machine into a bucket.", add_cloud_backup,
     "Barman cloud backup exception"},
    {"barman-cloud-backup-delete", "Deletes backups from a bucket.", add_cloud_backup_delete,
     "Barman cloud backup delete exception"},
    {"barman-cloud-backup-keep", "Keeps a backup in a bucket, whatever the retention policy says.",
     add_cloud_backup_keep, "Barman cloud keep exception"},
    {"barman-cloud-backup-list", "Lists the backups in a bucket.", add_cloud_backup_list,
     "Barman cloud backup list exception"},
    {"barman-cloud-backup-show", "Shows what is known about a backup in a bucket.", add_cloud_backup_show,
     "Barman cloud backup show exception"},
    {"barman-cloud-check-wal-archive",
     "Tells whether the WAL archive in a bucket may be used by a new server.", add_cloud_check_wal_archive,
     "Barman cloud WAL archive check exception"},
    {"barman-cloud-restore", "Restores a backup from a bucket.", add_cloud_restore,
     "Barman cloud restore exception"},
    {"barman-cloud-wal-archive", "Stores a WAL file in a bucket: an archive_command.", add_cloud_wal_archive,
     "Barman cloud WAL archiver exception"},
    {"barman-cloud-wal-restore", "Fetches a WAL file from a bucket: a restore_command.",
     add_cloud_wal_restore, "Barman cloud WAL restore exception"},
};

constexpr int kEndedBySignal = 128;  // as shells say it
constexpr const char* kLogger = "barman.cloud";

const CloudProgram* find_program(std::string_view name) {
  const auto* const found = std::ranges::find(kPrograms, name, &CloudProgram::name);
  return found == std::end(kPrograms) ? nullptr : found;
}

void add_common_options(CLI::App& app, CloudOptions& options, bool& version) {
  app.set_help_flag("--help", "show this help and exit");
  app.add_flag("-V,--version", version, "show the version and exit");
  CLI::Option* verbose = app.add_flag("-v,--verbose", options.verbose, "say more; -vv even more");
  CLI::Option* quiet = app.add_flag("-q,--quiet", options.quiet, "say less");
  exclude_each_other({verbose, quiet});
  app.add_flag("-t,--test", options.test, "only test whether the provider and the bucket can be reached");
  app.add_option("--cloud-provider", options.provider, "where the bucket is")
      ->type_name("PROVIDER")
      ->check(one_of({"aws-s3", "azure-blob-storage", "google-cloud-storage"}));
  app.add_option("--endpoint-url", options.s3.endpoint, "the S3 server, instead of Amazon's")
      ->type_name("URL");
  app.add_option("-P,--aws-profile,--profile", options.s3.profile,
                 "profile of the AWS files with keys and settings")
      ->type_name("NAME");
  app.add_option_function<int>(
         "--read-timeout",
         [&options](int seconds) { options.s3.read_timeout = std::chrono::seconds(seconds); },
         "seconds that the server may be silent; 60 if not set")
      ->type_name("SECONDS")
      ->check(positive);
  app.add_option_function<std::string>(
         "--addressing-style",
         [&options](const std::string& word) {
           options.s3.addressing = word == "path"      ? store::Addressing::kPath
                                   : word == "virtual" ? store::Addressing::kVirtual
                                                       : store::Addressing::kAuto;
         },
         "whether the bucket's name is in the host (virtual) or the path")
      ->type_name("STYLE")
      ->check(one_of({"auto", "virtual", "path"}));
  app.add_option("--azure-credential,--credential,--default", "for Azure; taken and ignored")
      ->type_name("KIND")
      ->check(one_of({"azure-cli", "managed-identity", "default"}));
  for (CLI::Option* option : app.get_options()) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void set_counts(CLI::App& app) {
  // -v and -q count, others say it last.
  for (const char* name : {"--verbose", "--quiet"}) {
    app.get_option(name)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  }
}

int level_of_options(const CloudOptions& options) {
  return std::max(kLogDebug, kLogWarning - 10 * (options.verbose - options.quiet));
}

int say_usage(const CLI::App& app, const std::string& name, const std::string& text) {
  std::fputs((usage_line(app, name) + name + ": error: " + text + "\n").c_str(), stderr);
  return kCloudUsage;
}

int run_body(const CloudProgram& program, const CloudOptions& options, const CloudBody& body) {
  SystemClock clock;
  Log log(
      {.level = level_of_options(options), .format = "%(asctime)s [%(process)s] %(levelname)s: %(message)s"},
      clock);
  const std::stop_source stop;
  const os::StopOnSignal signals(stop);
  os::LocalRunner runner;
  CloudParts parts{
      .options = options, .log = log, .clock = clock, .runner = runner, .stop = stop.get_token()};
  try {
    if (options.provider != "aws-s3") {
      parts.error(fmt::format("this build does not speak to {} yet; it has aws-s3", options.provider));
      return kCloudUsage;
    }
    return body(parts);
  } catch (const std::exception& error) {
    parts.error(fmt::format("{}: {}", program.failure, error.what()));
    // A server that is shut down must not take this for WAL that is not there.
    return signals.received() != 0 ? kEndedBySignal + signals.received() : kCloudFailed;
  }
}

int run_program(const CloudProgram& program, const std::vector<std::string>& arguments) {
  const std::string name(program.name);
  CloudOptions options;
  CloudBody body;
  bool version = false;
  CLI::App app(std::string(program.summary), name);
  add_common_options(app, options, version);
  set_counts(app);
  program.add(app, options, body);
  app.formatter(std::make_shared<HelpFormat>(name));
  try {
    std::vector<std::string> words;
    complete_options(app, arguments, 0, false, words);
    parse(app, std::move(words));
  } catch (const CLI::CallForHelp&) {
    return print_result(app.help());
  } catch (const CLI::ParseError& error) {
    if (version) return print_result(name + " 3.20.1 Barman (native) " BARMAN_VERSION "\n");
    return say_usage(app, name, usage_text(app, error));
  } catch (const UsageError& error) {
    return say_usage(app, name, error.text);
  }
  if (version) return print_result(name + " 3.20.1 Barman (native) " BARMAN_VERSION "\n");
  return run_body(program, options, body);
}

}  // namespace

void CloudParts::error(std::string_view message) const { log.write(kLogError, kLogger, redact(message)); }
void CloudParts::warning(std::string_view message) const { log.write(kLogWarning, kLogger, redact(message)); }
void CloudParts::info(std::string_view message) const { log.write(kLogInfo, kLogger, redact(message)); }

std::span<const CloudProgram> cloud_programs() { return kPrograms; }

std::optional<int> run_cloud(std::string_view name, const std::vector<std::string>& arguments) noexcept {
  try {
    const CloudProgram* program = find_program(name);
    if (program == nullptr) return std::nullopt;
    return run_program(*program, arguments);
  } catch (...) {
    std::fputs("ERROR: out of memory\n", stderr);
    return kCloudFailed;
  }
}

std::unique_ptr<store::S3Bucket> open_cloud_bucket(const CloudParts& parts, std::size_t part_size,
                                                   unsigned workers) {
  const CloudOptions& options = parts.options;
  if (options.server.empty() || options.server.find('/') != std::string::npos || options.server == "." ||
      options.server == "..") {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' cannot be the name of a server", options.server));
  }
  store::S3Form form{.encryption = options.encryption,
                     .kms_key = options.kms_key,
                     .part_size = part_size,
                     .workers = workers};
  if (!options.sse_customer_key.empty()) {
    if (!form.encryption.empty() || !form.kms_key.empty()) {
      throw Error(ErrorKind::kUsage,
                  "--sse-customer-key cannot be used together with --encryption or --sse-kms-key-id");
    }
    form.customer_key = store::read_customer_key(options.sse_customer_key);
  }
  if (store::provider_of(options.url) != store::Provider::kS3) {
    throw Error(ErrorKind::kUsage, "Invalid s3 URL address: " + options.url);
  }
  return std::make_unique<store::S3Bucket>(
      options.url, options.server, options.s3, form,
      store::BucketParts{.runner = parts.runner, .clock = parts.clock, .stop = parts.stop});
}

std::optional<int> missing_bucket(const CloudParts& parts, store::S3Bucket& bucket, bool may_be_absent) {
  try {
    if (bucket.store().exists() || may_be_absent) return std::nullopt;
  } catch (const store::Unreachable& error) {
    parts.error(fmt::format("Can't connect to cloud provider: {}", error.what()));
    return kCloudUnreachable;
  }
  parts.error(fmt::format("Bucket {} does not exist", bucket.name()));
  return kCloudRefused;
}

void add_customer_key_option(CLI::App& app, CloudOptions& options) {
  app.add_option("--sse-customer-key", options.sse_customer_key,
                 "file:// URL of a file with the key, in base64, that S3 encrypts with and forgets")
      ->type_name("URL");
}

void add_encryption_options(CLI::App& app, CloudOptions& options) {
  app.add_option("-e,--encryption", options.encryption, "how S3 encrypts what it stores: AES256 or aws:kms")
      ->type_name("METHOD")
      ->check(one_of({"AES256", "aws:kms"}));
  app.add_option("--sse-kms-key-id", options.kms_key, "the key that aws:kms takes")->type_name("KEY");
  add_customer_key_option(app, options);
  app.add_option("--encryption-scope", "for Azure; taken and ignored")->type_name("SCOPE");
  app.add_option("--kms-key-name", "for Google; taken and ignored")->type_name("KEY");
}

int print_result(const std::string& text) {
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? kCloudDone : kCloudRefused;
}

std::optional<catalog::BackupInfo> find_cloud_backup(const CloudParts& parts, store::ObjectStore& store,
                                                     const std::string& word) {
  engine::CloudCatalogue catalogue(store);
  if (catalog::is_backup_id(word)) {
    return during(engine::backup_info_key({word}), [&] { return catalogue->find({word}); });
  }
  const catalog::Listing listing = catalogue->list();
  const auto id = engine::resolve_cloud_backup(listing.backups, word, parts.options.server);
  if (!id) return std::nullopt;
  return *std::ranges::find(listing.backups, *id, &catalog::BackupInfo::id);
}

void require_one_of(CLI::App& app, const std::vector<CLI::Option*>& options, const std::string& text) {
  exclude_each_other(options);
  app.final_callback([options, text] {
    if (std::ranges::none_of(options, [](const CLI::Option* option) { return option->count() > 0; })) {
      throw UsageError{text};
    }
  });
}

void exclude_each_other(const std::vector<CLI::Option*>& options) {
  for (CLI::Option* one : options) {
    for (CLI::Option* other : options) {
      if (one != other) one->excludes(other);
    }
  }
}

}  // namespace barman::cli
