#include "engine/check/local_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <ranges>

#include "base/error.h"
#include "catalog/wal_sizes.h"
#include "config/option.h"
#include "engine/server/home_catalog.h"
#include "engine/server/identity.h"
#include "engine/wal/xlog_index.h"
#include "os/durable_file.h"
#include "os/lock_file.h"
#include "pgformat/wal_name.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

std::string make_directories(const config::Server& server) {
  for (const config::Option& option : config::all_options()) {
    if (!option.scope.server || !option.name.ends_with("_directory") || !server.values.has(option.name))
      continue;
    if (option.name == "cloud_staging_directory") continue;  // made by those who stage
    if (is_bucket_url(server.values.text(option.name))) continue;
    const fs::path path = server.path(option.name);
    try {
      os::make_directories(path);
    } catch (const Error& error) {
      const std::string message = error.what();
      const std::size_t at = message.find(path.string());
      return at == std::string::npos ? message : message.substr(at);
    }
  }
  return "";
}

std::size_t waiting_files(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return 0;
  if (error) throw Error(ErrorKind::kFailed, fmt::format("{}: {}", folder.string(), error.message()));
  return static_cast<std::size_t>(std::ranges::count_if(entries, [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename();
    return !name.ends_with(".tmp") && !name.ends_with(pgformat::kPartialSuffix);
  }));
}

ArchivedWal archived_wal(const Home& home, const catalog::BackupInfo* newest, Events& events) {
  ArchivedWal result;
  catalog::WalSizes sizes;
  XlogIndex(home, events).visit([&](const catalog::WalLine& line) {
    result.empty = false;
    if (newest == nullptr) return;
    sizes.add(line);
    const bool belongs =
        newest->begin_wal && pgformat::parse_segment(line.name) && line.name >= *newest->begin_wal;
    if (belongs && (!result.newest_time || line.time > *result.newest_time)) result.newest_time = line.time;
  });
  if (newest != nullptr) result.bytes_after = sizes.of(*newest, nullptr).until_next.bytes;
  return result;
}

std::map<std::string, std::size_t> count_errors(const fs::path& folder) {
  std::map<std::string, std::size_t> result;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return result;
  if (error) throw Error(ErrorKind::kFailed, fmt::format("{}: {}", folder.string(), error.message()));
  for (const fs::directory_entry& entry : entries) {
    const std::string suffix = entry.path().extension();
    ++result[suffix == ".duplicate" ? "duplicates"
             : suffix == ".unknown" ? "unknown"
             : suffix == ".error"   ? "not relevant"
                                    : "unknown failure"];
  }
  return result;
}

}  // namespace

const catalog::BackupInfo* newest_available(const std::vector<catalog::BackupInfo>& backups) {
  const auto found = std::find_if(backups.rbegin(), backups.rend(), catalog::is_available);
  return found == backups.rend() ? nullptr : &*found;
}

LocalFacts observe(const config::Server& server, const Home& home) {
  LocalFacts facts;
  if (!server.disabled()) facts.directories = answer_of([&] { return make_directories(server); });
  facts.incoming = answer_of([&] { return waiting_files(home.incoming); });
  facts.streaming = answer_of([&] { return waiting_files(home.streaming); });
  if (!home.backup_bucket) facts.backups = answer_of([&] { return HomeCatalog(home)->list(); });
  facts.identity = answer_of([&] { return read_identity(home); });
  facts.errors = answer_of([&] { return count_errors(home.errors); });
  facts.receiver_running = answer_of([&] { return os::lock_owner(home.receive_lock()).has_value(); });
  return facts;
}

void observe_wal(LocalFacts& facts, const Home& home, Events& events) {
  const catalog::BackupInfo* newest =
      facts.backups.ok() ? newest_available(facts.backups.value->backups) : nullptr;
  facts.wal = answer_of([&] { return archived_wal(home, newest, events); });
}

}  // namespace barman::engine
