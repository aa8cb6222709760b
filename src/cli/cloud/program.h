// The programs barman-cloud-*, which know buckets and no configuration file. All are this program under
// another name. Exit status: 0 done; 1 refused, or not there; 2 the provider cannot be reached; 3 the command
// line or an argument is wrong; 4 anything else.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "store/s3/bucket.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI
namespace barman {
class Log;
}

namespace barman::cli {

enum CloudStatus {
  kCloudDone = 0,
  kCloudRefused = 1,
  kCloudUnreachable = 2,
  kCloudUsage = 3,
  kCloudFailed = 4,
};

// What all of them take.
struct CloudOptions {
  std::string url;
  std::string server;
  int verbose = 0;
  int quiet = 0;
  bool test = false;
  std::string provider = "aws-s3";
  store::S3Choices s3{};
  std::string sse_customer_key{};
  std::string encryption{};
  std::string kms_key{};
};

struct CloudParts {
  const CloudOptions& options;
  Log& log;
  Clock& clock;
  os::ProcessRunner& runner;
  std::stop_token stop;

  void error(std::string_view message) const;
  void warning(std::string_view message) const;
  void info(std::string_view message) const;
};

// Returns the exit status.
using CloudBody = std::function<int(CloudParts&)>;

struct CloudProgram {
  std::string_view name;
  std::string_view summary;
  void (*add)(CLI::App& app, CloudOptions& options, CloudBody& body);
  std::string_view failure;  // what an unexpected failure's line begins with
};
std::span<const CloudProgram> cloud_programs();

// Runs the program of this name, if it is one. Throws nothing.
std::optional<int> run_cloud(std::string_view name, const std::vector<std::string>& arguments) noexcept;

// The bucket of the options, below the server's folder. Throws kUsage.
std::unique_ptr<store::S3Bucket> open_cloud_bucket(const CloudParts& parts,
                                                   std::size_t part_size = store::S3Form{}.part_size,
                                                   unsigned workers = 1);

// For --test, and before work that needs the bucket: whether it is there. Says it if not. Nothing if it is.
std::optional<int> missing_bucket(const CloudParts& parts, store::S3Bucket& bucket,
                                  bool may_be_absent = false);

// Prints a result on standard output. Returns the exit status: it may not have been taken.
int print_result(const std::string& text);

// What a person wrote for a backup; nothing if there is none with this id. Throws kUsage for an unknown name.
std::optional<catalog::BackupInfo> find_cloud_backup(const CloudParts& parts, store::ObjectStore& store,
                                                     const std::string& word);

// Options that several have.
void add_encryption_options(CLI::App& app, CloudOptions& options);
void add_customer_key_option(CLI::App& app, CloudOptions& options);
// None of them can be given together with another.
void exclude_each_other(const std::vector<CLI::Option*>& options);

// Exactly one of them must be given; `text` says so if none is.
void require_one_of(CLI::App& app, const std::vector<CLI::Option*>& options, const std::string& text);

// "key,value", as a line of CSV. Nothing if it is none, or not what providers take.
std::optional<std::pair<std::string, std::string>> parse_tag(std::string_view text);
using Tags = std::vector<std::pair<std::string, std::string>>;
// "--tags A,B C,D" and "--tag A,B".
void add_tag_options(CLI::App& app, const std::string& list, const std::string& single, Tags& tags);

}  // namespace barman::cli
