#include "engine/restore/restore.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "base/error.h"
#include "engine/restore/archive_member.h"
#include "engine/restore/chain_writer.h"
#include "engine/restore/combined_manifest.h"
#include "engine/restore/copy_files.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/left_out.h"
#include "engine/restore/pace.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/file_system_sync.h"
#include "os/parallel.h"
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
  if (catalog::backup_type(info) == catalog::BackupType::kSnapshot) refuse("a volume snapshot");
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
  const bool is_full_archive = request.chain.empty() && is_archived(home, request.backup);
  if (request.backup.parent_backup_id.has_value() != has_chain || is_full_archive) {
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

// All that is written to: with the folder of WAL if it has one of its own.
std::vector<RestoreFolder> all_folders(const RestorePlan& plan) {
  std::vector<RestoreFolder> all = plan.folders;
  if (plan.separate_wal) all.push_back({.to = plan.wal_directory, .bytes = plan.wal.bytes});
  return all;
}

std::unique_ptr<ExpectedFiles> expected_files(const RestoreRequest& request, const Home& home,
                                              Events& events) {
  const fs::path manifest = home.data(request.backup.id) / "backup_manifest";
  if (!request.verify) return nullptr;
  if (!fs::exists(manifest)) {
    events.log(LogLevel::kInfo, "the backup has no manifest: its files are copied without a check");
    return nullptr;
  }
  return std::make_unique<ExpectedFiles>(manifest);
}

ChainCopy chain_copy(const Home& home, const RestoreRequest& request, const RestorePlan& plan) {
  return {.home = home,
          .chain = request.chain,
          .plan = *plan.chain,
          .folders = plan.folders,
          .workers = request.jobs,
          .verify = request.verify,
          .mode = request.combine_mode,
          .rewrites = request.delta};
}

void copy_members(const Home& home, const RestoreRequest& request, const RestorePlan& plan, Clock& clock,
                  Events& events, const std::stop_token& stop, RestoreResult& result) {
  const auto report = [&](std::uint64_t done) {
    events.progress({.phase = "copying", .done = done, .expected = plan.bytes});
  };
  if (const auto warning = chain_warning(request.chain)) events.warning(*warning);
  Pace pace(request.bytes_per_second, report, clock, stop);
  result.checked_files = copy_chain(chain_copy(home, request, plan), pace, stop);
}

void copy_base(const RestoreRequest& request, const RestorePlan& plan, const ExpectedFiles* expected,
               Clock& clock, Events& events, const std::stop_token& stop, RestoreResult& result) {
  std::uint64_t before = 0;
  for (const RestoreFolder& folder : plan.folders) {
    const CopyPlan copy{
        .workers = request.jobs,
        .bytes_per_second = request.bytes_per_second,
        .expected = expected,
        .copied =
            [&](std::uint64_t done) {
              events.progress({.phase = "copying", .done = before + done, .expected = plan.bytes});
            },
        .rewrites = request.delta};
    const Copied copied = copy_folder(folder, copy, clock, stop);
    before += copied.bytes;
    result.checked_files += copied.checked_files;
    if (copied.odd_entries > 0) {
      events.warning(
          fmt::format("{} entries of the backup that are neither files nor folders were left out: {}{}",
                      copied.odd_entries, copied.odd.string(), copied.odd_entries > 1 ? " and others" : ""));
    }
    os::fault_point("restore-folder-copied");
  }
}

// Where the backup keeps what its manifest calls `path`.
fs::path kept_place(const std::vector<RestoreFolder>& folders, const std::string& path) {
  for (const RestoreFolder& folder : folders) {
    const std::string prefix = fmt::format("pg_tblspc/{}/", folder.oid);
    if (folder.oid != 0 && path.starts_with(prefix)) return folder.from / path.substr(prefix.size());
  }
  return folders.front().from / path;
}

// Borrows the plan.
HasFile files_of_backup(const RestorePlan& plan) {
  if (plan.chain) return [&](const std::string& path) { return plan.chain->files.place(path).has_value(); };
  return [&](const std::string& path) {
    std::error_code ignored;
    return !is_left_out(path) && fs::is_regular_file(kept_place(plan.folders, path), ignored);
  };
}

// The files found were as the manifest says; now that it lists no others but the control file, which is next.
void require_all_files(const ExpectedFiles& expected, const RestorePlan& plan, const RestoreResult& result) {
  if (result.checked_files + 1 == expected.files()) return;
  const auto is_there = [&](const std::string& path) { return fs::exists(kept_place(plan.folders, path)); };
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("{} is missing: the backup's manifest lists it; restore another backup, or this one with "
                  "--no-verify to save what can be saved",
                  (plan.folders.front().from / expected.find_missing(is_there).value_or("a file")).string()));
}

void link_tablespaces(const RestorePlan& plan, const fs::path& destination, Events& events) {
  for (const RestoreFolder& folder : plan.folders) {
    if (folder.oid == 0) continue;
    const fs::path link = destination / "pg_tblspc" / std::to_string(folder.oid);
    os::make_directories(link.parent_path(), 0700);
    if (::symlink(folder.to.c_str(), link.c_str()) != 0) os::throw_errno("cannot link the tablespace", link);
    events.info(fmt::format("\t{}, {}, {}", folder.oid, folder.tablespace, folder.to.string()));
  }
}

void copy_wal_file(const WalCopy& wal, const fs::path& to, const WalFormat& format,
                   const std::stop_token& stop) {
  const auto name = pgformat::parse_wal_name(wal.from.filename().native());
  const StoredForm form = format.form_of(read_front(wal.from, codec::kDetectBytes), *name);
  if (form != StoredForm{}) return copy_plain(wal.from, format, os::create_file(to, {.sync = false}), stop);
  const std::uint64_t size = os::copy_whole_file(wal.from, to, {.stop = stop});
  if (size != wal.stored_size) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} has {} bytes, but {} are recorded", wal.from.string(),
                                                 size, wal.stored_size));
  }
}

void copy_wal(const RestoreRequest& request, const RestorePlan& plan, const std::stop_token& stop) {
  os::make_directories(plan.wal_directory, 0700);
  os::in_parallel(plan.wal.files.size(), request.jobs, stop, [&](std::size_t i) {
    const WalCopy& wal = plan.wal.files[i];
    copy_wal_file(wal, plan.wal_directory / wal.name, request.wal_format, stop);
  });
}

// Files that say that a segment is archived: the restored server must not archive it again.
void write_archive_status(const RestorePlan& plan, const fs::path& status) {
  for (const WalCopy& wal : plan.wal.files)
    os::write_file(status / (wal.name + ".done"), "", {.sync = false});
}

void edit_file(const fs::path& destination, const std::string& name, RestoreResult& result) {
  const fs::path path = destination / name;
  const auto text = os::read_file(path);
  if (!text) {
    result.missing_files.push_back(name);
    return;
  }
  EditedConfiguration edited = edit_configuration(name, *text);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) os::throw_errno("cannot look at", path);
  const os::FileOptions same_mode{.mode = status.st_mode & 0777U, .sync = false};
  os::write_file(path.string() + ".origin", *text, same_mode);
  os::write_file(path, edited.text, same_mode);
  std::move(edited.changes.begin(), edited.changes.end(), std::back_inserter(result.changes));
  std::move(edited.warnings.begin(), edited.warnings.end(), std::back_inserter(result.warnings));
}

void append_recovery_settings(const RestoreRequest& request, const RestorePlan& plan) {
  const fs::path path = request.destination / request.recovery_file;
  const RecoverySettings settings{.target = request.target,
                                  .standby = request.standby,
                                  .get_wal_command = request.get_wal_command,
                                  .wal_directory = plan.wal_directory.string(),
                                  .timeline = request.standby ? std::nullopt : plan.wal.timeline};
  std::string text = os::read_file(path).value_or("");
  if (!text.empty() && text.back() != '\n') text += '\n';
  os::write_file(path, text + recovery_lines(settings), {.sync = false});
  os::write_file(request.destination / (request.standby ? "standby.signal" : "recovery.signal"), "",
                 {.sync = false});
}

void configure(const RestoreRequest& request, const RestorePlan& plan, Events& events,
               RestoreResult& result) {
  events.info("Identify dangerous settings in destination directory.");
  edit_file(request.destination, "postgresql.conf", result);
  edit_file(request.destination, "postgresql.auto.conf", result);
  for (const char* name : {"pg_hba.conf", "pg_ident.conf"}) {
    if (!fs::exists(request.destination / name)) result.missing_files.emplace_back(name);
  }
  const bool needs_settings = request.target.is_pitr() || request.get_wal_command || request.standby;
  if (needs_settings) append_recovery_settings(request, plan);
}

void write_manifest(const RestoreRequest& request, const RestorePlan& plan, const std::stop_token& stop) {
  write_combined_manifest(
      {.folders = plan.folders,
       .files = plan.chain->files,
       .edited = {"backup_label", "postgresql.conf", "postgresql.auto.conf", request.recovery_file},
       .workers = request.jobs},
      stop);
}

void keep_records(const Home& home, const RestoreRequest& request) {
  os::write_file(request.destination / ".barman-recover.info", catalog::format_backup_info(request.backup),
                 {.sync = false});
  const fs::path manifest = home.data(request.backup.id) / "backup_manifest";
  if (fs::exists(manifest)) {
    os::copy_whole_file(manifest, request.destination / ("backup_manifest." + request.backup.id.text), {});
  }
}

void copy_control_file(const Home& home, const RestoreRequest& request, const ExpectedFiles* expected,
                       RestoreResult& result) {
  const std::string name(kControlFile);
  const fs::path from = home.data(request.backup.id) / name;
  const fs::path under_way = request.destination / kControlUnderWay;
  pgformat::Checksum checksum(expected == nullptr ? pgformat::ChecksumKind::kNone : expected->kind());
  const std::uint64_t size = os::copy_whole_file(
      from, under_way,
      {.see = [&](stream::Bytes data) { checksum.update(data.data(), data.size()); }, .sync = true});
  if (expected != nullptr) {
    if (expected->compare(name, size, checksum.hex()) != ExpectedFiles::Verdict::kSame) {
      throw Error(ErrorKind::kCorrupt, from.string() +
                                           " is damaged: it is not what the backup's manifest says; "
                                           "restore another backup");
    }
    ++result.checked_files;
  }
}

// The last step: from here on the server can be started.
void publish(const RestoreRequest& request, const RestorePlan& plan) {
  os::fault_point("restore-before-control");
  os::move_file(request.destination / kControlUnderWay, request.destination / kControlFile);
  remove_marks(all_folders(plan));
}

}  // namespace

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

RestoreResult execute_restore(const Home& home, const RestoreRequest& request, const RestorePlan& plan,
                              Clock& clock, Events& events, const std::stop_token& stop) {
  RestoreResult result;
  result.started = clock.now();
  const bool copies_wal = !request.get_wal_command;
  const bool is_pitr = request.target.is_pitr();

  const auto expected = plan.chain ? nullptr : expected_files(request, home, events);
  const std::vector<RestoreFolder> folders = all_folders(plan);
  prepare_folders(folders);
  std::vector<os::FileSystemSync> syncs;
  syncs.reserve(folders.size());
  for (const RestoreFolder& folder : folders) syncs.emplace_back(folder.to);
  os::fault_point("restore-prepared");
  if (request.delta) clear_existing(plan.folders, files_of_backup(plan), request.backup);

  events.info("Copying the base backup.");
  if (plan.chain) {
    copy_members(home, request, plan, clock, events, stop, result);
  } else {
    copy_base(request, plan, expected.get(), clock, events, stop, result);
    if (expected) require_all_files(*expected, plan, result);
  }
  link_tablespaces(plan, request.destination, events);
  os::make_directories(request.destination / "pg_wal/archive_status", 0700);
  keep_records(home, request);

  for (const std::string& warning : plan.wal.warnings) events.warning(warning);
  if (copies_wal) {
    events.info("Copying required WAL segments.");
    if (plan.wal.has_partial) events.info("Copying .partial WAL files.");
    copy_wal(request, plan, stop);
    if (!is_pitr) {
      events.info("Generating archive status files");
      write_archive_status(plan, request.destination / "pg_wal/archive_status");
    }
  }
  if (is_pitr || request.get_wal_command || request.standby) events.info("Generating recovery configuration");
  configure(request, plan, events, result);
  if (plan.chain) write_manifest(request, plan, stop);

  events.progress({.phase = "syncing", .done = plan.bytes, .expected = plan.bytes});
  for (os::FileSystemSync& sync : syncs) sync.finish();
  os::fault_point("restore-synced");
  if (!plan.chain) copy_control_file(home, request, expected.get(), result);
  publish(request, plan);
  result.elapsed = clock.now() - result.started;
  return result;
}

}  // namespace barman::engine
