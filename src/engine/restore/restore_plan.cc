#include "engine/restore/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/restore/archives_on_disk.h"
#include "engine/restore/left_out.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

constexpr int kVersionWithSignalFiles = 120000;

void check_kind(const catalog::BackupInfo& info) {
  const auto refuse = [&](std::string_view what) {
    throw Error(ErrorKind::kFailed,
                fmt::format("backup {} is {}, which this build does not restore yet", info.id.text, what));
  };
  if (info.snapshots_info || catalog::backup_type(info) == catalog::BackupType::kSnapshot)
    refuse("a volume snapshot");
  if (info.version.value_or(0) < kVersionWithSignalFiles) {
    throw Error(ErrorKind::kFailed,
                fmt::format("backup {} is of PostgreSQL {}: 12 is the oldest that can be restored",
                            info.id.text, info.version.value_or(0)));
  }
}

void check_kinds(const Home& home, const RestoreRequest& request) {
  check_kind(request.backup);
  for (const catalog::BackupInfo& member : request.chain) check_kind(member);
  const bool has_chain = request.chain.size() > 1;
  const bool lacks_chain = request.chain.empty() && is_read_as_chain(home, request.backup, false);
  if (request.backup.parent_backup_id.has_value() != has_chain || lacks_chain) {
    throw Error(ErrorKind::kFailed,
                fmt::format("the chain of backup {} is not known", request.backup.id.text));
  }
}

void check_tablespace_names(const RestoreRequest& request) {
  const auto& known = request.backup.tablespaces;
  for (const auto& [name, location] : request.tablespaces) {
    const bool found =
        std::any_of(known.begin(), known.end(),
                    [&, wanted = name](const catalog::Tablespace& t) { return t.name == wanted; });
    if (!found) {
      std::vector<std::string> names;
      names.reserve(known.size());
      for (const auto& tablespace : known) names.push_back(tablespace.name);
      throw Error(ErrorKind::kUsage,
                  fmt::format("backup {} has no tablespace '{}'\nHINT: it has {}", request.backup.id.text,
                              name, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
    }
    if (!fs::path(location).is_absolute()) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("the location of tablespace '{}' must be an absolute path, not '{}'", name, location));
    }
  }
}

std::vector<RestoreFolder> plan_folders(const Home& home, const RestoreRequest& request) {
  const auto& info = request.backup;
  std::vector<RestoreFolder> folders;
  folders.push_back({.from = home.data(info.id), .to = request.destination});
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    const auto moved = request.tablespaces.find(tablespace.name);
    const fs::path to = moved == request.tablespaces.end() ? tablespace.location : moved->second;
    if (!to.is_absolute()) continue;  // in place, below the data directory
    folders.push_back({.from = home.backup(info.id) / std::to_string(tablespace.oid),
                       .to = to,
                       .tablespace = tablespace.name,
                       .oid = tablespace.oid});
  }
  if (!request.chain.empty()) return folders;  // its members are looked at one by one
  for (RestoreFolder& folder : folders) {
    if (!fs::is_directory(folder.from)) {
      throw Error(ErrorKind::kCorrupt, fmt::format("the files of backup {} are missing: there is no {}",
                                                   info.id.text, folder.from.string()));
    }
    folder.bytes = os::measure_tree(folder.from).bytes;
  }
  return folders;
}

}  // namespace

bool is_read_as_chain(const Home& home, const catalog::BackupInfo& info, bool delta) {
  if (info.parent_backup_id || home.backup_bucket) return true;
  return (delta && fs::exists(home.manifest(info.id))) || is_archived(home, info);
}

RestorePlan plan_restore(const Home& home, const RestoreRequest& request,
                         const std::vector<catalog::WalEntry>& index, Time now) {
  check_kinds(home, request);
  check_tablespace_names(request);
  if (request.target.action && !request.target.is_pitr()) {
    throw Error(ErrorKind::kUsage, "Can't enable recovery target action when PITR is not required");
  }
  check_reachable(request.target, request.backup, now);

  RestorePlan plan;
  plan.folders = plan_folders(home, request);
  if (!request.chain.empty()) {
    plan.chain = plan_chain(home, request.chain, request.verify, plan.folders, request.wal_format);
  }
  if (request.delta) plan.leftovers = plan_existing(plan.folders, files_of_backup(plan), request.backup);
  plan.knows_leftovers = !plan.chain || plan.chain->files;
  for (const RestoreFolder& folder : plan.folders) plan.bytes += folder.bytes;
  if (plan.chain) plan.bytes = plan.chain->bytes;
  const fs::path default_wal = request.destination / (request.target.is_pitr() ? "barman_wal" : "pg_wal");
  plan.separate_wal = request.target.is_pitr() && request.wal_directory && !request.get_wal_command;
  plan.wal_directory = plan.separate_wal ? *request.wal_directory : default_wal;
  plan.wal = plan_wal(home, request.backup, request.target,
                      {.partial = request.partial_wal, .fetched = request.get_wal_command.has_value()}, index,
                      request.wal_format);

  std::vector<RestoreFolder> needs = all_folders(plan);
  if (!plan.separate_wal) needs.front().bytes += plan.wal.bytes;
  check_folders(needs);
  return plan;
}

std::vector<RestoreFolder> all_folders(const RestorePlan& plan) {
  std::vector<RestoreFolder> all = plan.folders;
  if (plan.separate_wal) all.push_back({.to = plan.wal_directory, .bytes = plan.wal.bytes});
  return all;
}

HasFile files_of_backup(const RestorePlan& plan) {
  if (plan.chain && !plan.chain->files) return [](const std::string& path) { return !is_left_out(path); };
  if (plan.chain) return [&](const std::string& path) { return plan.chain->files->place(path).has_value(); };
  return [&](const std::string& path) {
    std::error_code ignored;
    return !is_left_out(path) && fs::is_regular_file(kept_place(plan.folders, path), ignored);
  };
}

fs::path kept_place(const std::vector<RestoreFolder>& folders, const std::string& path) {
  for (const RestoreFolder& folder : folders) {
    const std::string prefix = fmt::format("pg_tblspc/{}/", folder.oid);
    if (folder.oid != 0 && path.starts_with(prefix)) return folder.from / path.substr(prefix.size());
  }
  return folders.front().from / path;
}

}  // namespace barman::engine
