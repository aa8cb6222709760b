#include "engine/restore/copy_plain.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "engine/restore/copy_files.h"
#include "engine/server/control_under_way.h"
#include "os/copy.h"
#include "os/fault_point.h"
#include "pgformat/control_file.h"

namespace barman::engine {

namespace {

std::unique_ptr<ExpectedFiles> expected_files(const Home& home, const RestoreRequest& request,
                                              Events& events) {
  if (!request.verify) return nullptr;
  if (auto manifest = manifest_on_disk(home.manifest(request.backup.id)))
    return std::make_unique<ExpectedFiles>(*std::move(manifest));
  tell_that_nothing_is_checked(events);
  return nullptr;
}

}  // namespace

void tell_that_nothing_is_checked(Events& events) {
  events.log(LogLevel::kInfo, "the backup has no manifest: its files are copied without a check");
}

PlainCopy::PlainCopy(const Home& home, const RestoreRequest& request, const RestorePlan& plan, Events& events)
    : home_(home),
      request_(request),
      plan_(plan),
      events_(events),
      expected_(expected_files(home, request, events)) {}

void PlainCopy::copy_files(Clock& clock, const std::stop_token& stop) {
  std::uint64_t done = 0;
  for (const RestoreFolder& folder : plan_.folders) {
    done += copy_folder_of(folder, done, clock, stop);
    os::fault_point("restore-folder-copied");
  }
  require_all_files();
}

// Returns the number of bytes.
std::uint64_t PlainCopy::copy_folder_of(const RestoreFolder& folder, std::uint64_t before, Clock& clock,
                                        const std::stop_token& stop) {
  const auto report = [&](std::uint64_t done) {
    events_.progress({.phase = "copying", .done = before + done, .expected = plan_.bytes});
  };
  const Copied copied = copy_folder(folder,
                                    {.workers = request_.jobs,
                                     .bytes_per_second = request_.bytes_per_second,
                                     .expected = expected_.get(),
                                     .copied = report,
                                     .rewrites = request_.delta},
                                    clock, stop);
  checked_files_ += copied.checked_files;
  if (copied.odd_entries > 0) {
    events_.warning(
        fmt::format("{} entries of the backup that are neither files nor folders were left out: {}{}",
                    copied.odd_entries, copied.odd.string(), copied.odd_entries > 1 ? " and others" : ""));
  }
  return copied.bytes;
}

// The files found were as the manifest says; now that it lists no others but the control file, which is next.
void PlainCopy::require_all_files() const {
  if (!expected_ || checked_files_ + 1 == expected_->files()) return;
  const auto is_there = [&](const std::string& path) {
    return std::filesystem::exists(kept_place(plan_.folders, path));
  };
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format(
          "{} is missing: the backup's manifest lists it; restore another backup, or this one with "
          "--no-verify to save what can be saved",
          (plan_.folders.front().from / expected_->find_missing(is_there).value_or("a file")).string()));
}

void PlainCopy::copy_control_file() {
  const std::string name(pgformat::kControlFile);
  const std::filesystem::path from = home_.data(request_.backup.id) / name;
  pgformat::Checksum checksum(expected_ ? expected_->kind() : pgformat::ChecksumKind::kNone);
  const std::uint64_t size = os::copy_whole_file(
      from, request_.destination / kControlUnderWay,
      {.see = [&](stream::Bytes data) { checksum.update(data.data(), data.size()); }, .sync = true});
  if (!expected_) return;
  if (expected_->compare(name, size, checksum.hex()) != ExpectedFiles::Verdict::kSame) {
    throw Error(ErrorKind::kCorrupt, from.string() +
                                         " is damaged: it is not what the backup's manifest says; "
                                         "restore another backup");
  }
  ++checked_files_;
}

}  // namespace barman::engine
