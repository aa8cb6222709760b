#include "engine/wal/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <span>

#include "base/error.h"
#include "engine/server/support.h"
#include "engine/wal/examine.h"
#include "engine/wal/incoming.h"
#include "engine/wal/quarantine.h"
#include "engine/wal/store_wal.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/lock_file.h"
#include "os/parallel.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

// So many files share the syncs of folders and index.
constexpr std::size_t kGroup = 64;

// At a time into a bucket, which is far.
constexpr unsigned kUploads = 4;

// A file that has arrived and is for the archive.
struct Waiting {
  std::string name;
  fs::path source;
  std::uint64_t size = 0;
  StoredForm form;
  std::optional<WalFile> found{};            // the same WAL, which is there already
  Likeness likeness = Likeness::kSame;       // of that
  std::optional<catalog::WalEntry> entry{};  // when it is stored
  bool is_late = false;                      // somebody else stored this name while we were at it
};

class ArchiveRun {
 public:
  ArchiveRun(const Home& home, const ArchiveSettings& settings, ArchiveTalk talk, Clock& clock,
             Events& events)
      : home_(home),
        settings_(settings),
        talk_(talk),
        clock_(clock),
        events_(events),
        index_(home, events, &settings.format),
        archive_(wal_archive(home)),
        system_identifier_(known_system_identifier(home)) {}

  void run(Archiver archiver, const std::stop_token& stop) {
    const Batch batch = next_batch(folder_of(archiver), archiver, limit_of(archiver));
    announce(archiver, batch);
    if (!batch.files.empty()) index_.require();
    for (std::span<const IncomingFile> rest = batch.files; !rest.empty();) {
      if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "archiving was stopped on request");
      const auto group = rest.first(std::min(kGroup, rest.size()));
      archive_group(folder_of(archiver), group, stop);
      rest = rest.subspan(group.size());
    }
    put_aside_unknown(folder_of(archiver), batch.unknown);
  }

  [[nodiscard]] ArchiveResult take_result() { return std::move(result_); }

 private:
  [[nodiscard]] const fs::path& folder_of(Archiver archiver) const {
    return archiver == Archiver::kStreaming ? home_.streaming : home_.incoming;
  }
  [[nodiscard]] std::size_t limit_of(Archiver archiver) const {
    return archiver == Archiver::kStreaming ? settings_.streaming_batch_size : settings_.file_batch_size;
  }

  void announce(Archiver archiver, const Batch& batch) const {
    const std::size_t count = batch.files.size();
    if (talk_ == ArchiveTalk::kAlways || count != 0) {
      const bool some = count != 0 && count < batch.present;
      events_.info(fmt::format("Processing xlog segments from {} for {}{}", name_of(archiver), home_.server,
                               some ? fmt::format(" (batch size: {})", count) : ""));
    }
    if (talk_ == ArchiveTalk::kAlways && count == 0) events_.info("\tno file found");
    if (count != 0 && settings_.format.is_custom()) {
      events_.log(LogLevel::kWarning,
                  "compression = custom is deprecated: name one of the built-in methods, such as zstd; what "
                  "the custom filter compressed stays readable while custom_decompression_filter and "
                  "custom_compression_magic are set");
    }
  }

  // Stores the files, several at a time, then makes them durable together. When one fails, those that were
  // stored are completed all the same.
  void archive_group(const fs::path& folder, std::span<const IncomingFile> files,
                     const std::stop_token& stop) {
    std::vector<Waiting> waiting;
    std::exception_ptr failure;
    const auto keep_failure = [&failure](auto&& body) {
      try {
        body();
      } catch (const Error&) {
        if (!failure) failure = std::current_exception();
      }
    };
    keep_failure([&] { look_at_all(folder, files, waiting); });
    keep_failure([&] { store_all(waiting, stop); });
    keep_failure([&] { look_again(waiting); });
    std::erase_if(waiting, [](const Waiting& file) { return !file.entry; });
    complete(folder, waiting);
    if (failure) std::rethrow_exception(failure);
  }

  void look_at_all(const fs::path& folder, std::span<const IncomingFile> files,
                   std::vector<Waiting>& waiting) {
    std::vector<std::string> names;
    for (const IncomingFile& file : files) names.push_back(file.name);
    auto found = archive_->find(names);
    for (std::size_t i = 0; i < files.size(); ++i) {
      look_at(folder / files[i].name, files[i], std::move(found[i]), waiting);
    }
  }

  // Decides what becomes of a file that has arrived; what is for the archive is `waiting` then.
  void look_at(const fs::path& source, const IncomingFile& file, std::optional<WalFile> found,
               std::vector<Waiting>& waiting) {
    const auto arrived = describe_file(source);
    if (!arrived) return;  // somebody took it away
    const StoredForm form = settings_.format.form_of(read_front(source, codec::kDetectBytes), file.parsed);
    const auto examination = examine_file(source, file.parsed, arrived->size, form, system_identifier_);
    if (examination.verdict == WalVerdict::kIncomplete) return report_incomplete(source, examination.reason);
    events_.info("\t" + file.name);
    if (examination.verdict != WalVerdict::kGood) return refuse(source, examination);

    Waiting arrival{.name = file.name, .source = source, .size = arrived->size, .form = form};
    if (found && !is_the_same(arrival, *std::move(found))) return put_aside_conflict(arrival);
    waiting.push_back(std::move(arrival));
  }

  // Compares with the file that is there; notes it either way.
  bool is_the_same(Waiting& file, WalFile found) {
    file.likeness = archive_->compare(file.source, found, settings_.format);
    file.found = std::move(found);
    return file.likeness != Likeness::kOther;
  }

  void store_all(std::vector<Waiting>& waiting, const std::stop_token& stop) const {
    const unsigned workers = settings_.format.workers(home_.wal_bucket ? kUploads : 1);
    // Threads that have no file of their own may help with the others.
    const auto files = static_cast<unsigned>(std::clamp<std::size_t>(waiting.size(), 1, workers));
    // Several threads make several frames, and who reads buckets may take the first for all.
    const unsigned threads = home_.wal_bucket ? 1 : workers / files;
    os::in_parallel(waiting.size(), workers, stop, [&](std::size_t i) {
      Waiting& file = waiting[i];
      if (file.found) {
        file.entry = entry_of_found(file);
        return;
      }
      file.entry =
          archive_->store(file.source, settings_.format.storing(file.form, file.size, threads), stop);
      file.is_late = !file.entry;
    });
  }

  // Files whose name was free when we looked, and then was not: by another program, or by ourselves, when the
  // answer of the store was lost.
  void look_again(std::vector<Waiting>& waiting) {
    for (Waiting& file : waiting) {
      if (!file.is_late) continue;
      auto found = find_archived(*archive_, file.name);
      if (!found) {
        throw Error(ErrorKind::kFailed,
                    fmt::format("{} was in the archive for a moment, and is not now; try again", file.name));
      }
      if (is_the_same(file, *std::move(found))) {
        file.entry = entry_of_found(file);
      } else {
        put_aside_conflict(file);
      }
    }
  }

  [[nodiscard]] catalog::WalEntry entry_of_found(const Waiting& file) const {
    auto entry = archive_->describe(*file.found, settings_.format);
    if (entry) return *std::move(entry);
    throw Error(ErrorKind::kFailed,
                fmt::format("{} vanished while it was archived", archive_->place(*file.found)));
  }

  void complete(const fs::path& folder, std::span<const Waiting> stored) {
    if (stored.empty()) return;
    settle(stored);
    os::fault_point("archive-stored");

    std::vector<catalog::WalEntry> fresh;
    std::vector<catalog::WalEntry> known;  // the index may have its line already
    for (const Waiting& file : stored) (file.found ? known : fresh).push_back(*file.entry);
    index_.append(fresh);
    index_.append_missing(known);
    os::fault_point("archive-indexed");

    for (const Waiting& file : stored) {
      const bool is_duplicate = file.found && file.likeness == Likeness::kSame;
      (is_duplicate ? result_.duplicates : result_.archived).push_back(file.name);
      remove_source(file.source);
    }
    os::sync_directory(folder);
    os::fault_point("archive-removed");
  }

  void settle(std::span<const Waiting> stored) const {
    std::vector<std::string> fresh;
    std::vector<std::string> found;
    for (const Waiting& file : stored) (file.found ? found : fresh).push_back(file.name);
    archive_->settle(fresh, found);
  }

  void report_incomplete(const fs::path& source, const std::string& reason) {
    result_.incomplete.push_back(source.filename());
    const std::string line =
        fmt::format("{} {}: it is not archived until it is complete", source.native(), reason);
    if (talk_ == ArchiveTalk::kAlways) {
      events_.warning(line);
    } else {
      events_.log(LogLevel::kWarning, line);
    }
  }

  void refuse(const fs::path& source, const Examination& examination) {
    const auto suffix = examination.verdict == WalVerdict::kForeign ? kForeign : kMisplaced;
    const fs::path to = quarantine(home_, source, suffix, clock_, events_);
    result_.refused.push_back(source.filename());
    events_.error(fmt::format(
        "{} {} and was not archived; it was moved to {}: find out which server sends its WAL here",
        source.filename().native(), examination.reason, to.native()));
  }

  // The run that stored the archived file may have been killed before the index knew of it.
  void put_aside_conflict(const Waiting& file) {
    archive_->settle({}, {&file.name, 1});
    if (const auto entry = archive_->describe(*file.found, settings_.format))
      index_.append_missing({&*entry, 1});
    quarantine(home_, file.source, kDuplicate, clock_, events_);
    result_.conflicts.push_back(file.name);
    events_.info(fmt::format("\tError: {} is already present in server {}. File moved to errors directory.",
                             file.name, home_.server));
  }

  void put_aside_unknown(const fs::path& folder, const std::vector<std::string>& names) {
    if (names.empty()) return;
    events_.info(fmt::format(
        "Some unknown objects have been found while processing xlog segments for {}. Objects moved "
        "to errors directory:",
        home_.server));
    for (const std::string& name : names) {
      events_.info("\t" + name);
      quarantine(home_, folder / name, kUnknown, clock_, events_);
      result_.unknown.push_back(name);
    }
  }

  const Home& home_;
  const ArchiveSettings& settings_;
  ArchiveTalk talk_;
  Clock& clock_;
  Events& events_;
  XlogIndex index_;
  const std::unique_ptr<WalArchive> archive_;
  std::optional<std::uint64_t> system_identifier_;
  ArchiveResult result_;
};

}  // namespace

std::string_view name_of(Archiver archiver) {
  return archiver == Archiver::kStreaming ? "streaming" : "file archival";
}

WalFormat storing_format(const config::Server& server, os::ProcessRunner& runner) {
  WalFormat format(server, runner);
  auto problem = format.problem();
  if (!problem && format.is_custom() && is_bucket_url(server.values.text("wals_directory"))) {
    problem =
        "compression = custom cannot be used where WAL is in a bucket, as the names of objects tell how they "
        "are compressed; name one of the built-in methods, such as zstd";
  }
  if (problem) throw Error(ErrorKind::kUsage, fmt::format("server {}: {}", server.name, *problem));
  return format;
}

ArchiveSettings archive_settings(const config::Server& server, os::ProcessRunner& runner) {
  require_supported(server, Verb::kArchiveWal);
  WalFormat format = storing_format(server, runner);
  const auto batch_size = [&server](std::string_view option) {
    return static_cast<std::size_t>(
        std::max<std::int64_t>(server.values.optional_number(option).value_or(0), 0));
  };
  return {.streaming = server.values.flag("streaming_archiver"),
          .file = server.values.flag("archiver"),
          .streaming_batch_size = batch_size("streaming_archiver_batch_size"),
          .file_batch_size = batch_size("archiver_batch_size"),
          .format = std::move(format)};
}

ArchiveResult archive_wal(const Home& home, const ArchiveSettings& settings, ArchiveTalk talk, Clock& clock,
                          Events& events, const std::stop_token& stop) {
  const auto lock = os::LockFile::try_acquire(home.archive_lock());
  if (!lock) {
    events.info(fmt::format(
        "Another archive-wal process is already running on server {}. Skipping to the next server",
        home.server));
    return {.busy = true};
  }
  ArchiveRun run(home, settings, talk, clock, events);
  if (settings.streaming) run.run(Archiver::kStreaming, stop);
  if (settings.file) run.run(Archiver::kFile, stop);
  return run.take_result();
}

}  // namespace barman::engine
