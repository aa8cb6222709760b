#include "engine/restore/generate_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "engine/restore/left_out.h"
#include "engine/restore/member.h"
#include "engine/restore/pace.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "os/durable_file.h"
#include "pgformat/manifest_writer.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using pgformat::ManifestFile;

constexpr auto kGeneratedKind = pgformat::ChecksumKind::kSha256;
constexpr int kSystemIdentifierSince = 170000;  // version 2 of the format, which older programs refuse

// Takes a member's files, keeps nothing of them, and lists each.
class ListingReceiver final : public MemberReceiver {
 public:
  explicit ListingReceiver(pgformat::ManifestWriter& writer) : writer_(writer) {}

  void directory(const std::string& /*path*/, unsigned /*mode*/) override {}
  std::unique_ptr<stream::Sink> file(const MemberFile& file) override {
    return std::make_unique<ListedFile>(*this, file);
  }

  [[nodiscard]] std::uint64_t files() const { return contents_.size(); }

 private:
  class ListedFile final : public stream::Sink {
   public:
    ListedFile(ListingReceiver& owner, const MemberFile& file) : owner_(owner) {
      listed_.path = file.path;
      listed_.kind = kGeneratedKind;
      listed_.last_modified =
          pgformat::format_manifest_time(std::chrono::sys_seconds(std::chrono::seconds(file.modified)));
    }

    void write(stream::Bytes data) override {
      checksum_.update(data.data(), data.size());
      listed_.size += data.size();
    }
    void finish() override {
      listed_.checksum = checksum_.hex();
      owner_.add(listed_);
    }

   private:
    ListingReceiver& owner_;
    ManifestFile listed_;
    pgformat::Checksum checksum_{kGeneratedKind};
  };

  // The original's archives have some files twice.
  void add(const ManifestFile& file) {
    const std::hash<std::string> hash;
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = contents_.emplace(hash(file.path), hash(file.checksum));
    if (is_new) return writer_.file(file);
    if (known->second == hash(file.checksum)) return;
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} comes twice in the backup, and not the same: no manifest "
                            "can say which one is meant; take another backup",
                            file.path));
  }

  pgformat::ManifestWriter& writer_;
  std::mutex mutex_;                                       // guards all below, and the writer
  std::unordered_map<std::size_t, std::size_t> contents_;  // hashes: of the path, of the checksum
};

std::optional<std::uint64_t> listed_system_identifier(const catalog::BackupInfo& info) {
  if (!info.systemid || info.version.value_or(0) < kSystemIdentifierSince) return std::nullopt;
  std::uint64_t number = 0;
  const char* last = info.systemid->data() + info.systemid->size();
  const auto [end, error] = std::from_chars(info.systemid->data(), last, number);
  return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

std::vector<pgformat::ManifestWalRange> wal_ranges(const catalog::BackupInfo& info) {
  if (!info.timeline || !info.begin_xlog || !info.end_xlog) return {};
  return {{.timeline = *info.timeline, .start = *info.begin_xlog, .end = *info.end_xlog}};
}

// Throws kRefused.
void require_whole(const catalog::BackupInfo& info) {
  if (!catalog::is_available(info)) {
    throw Error(ErrorKind::kRefused, fmt::format("a manifest of backup {} would describe half a backup: its "
                                                 "status is {}",
                                                 info.id.text, catalog::format_status(info.status)));
  }
}

// Where a manifest is written. On disk not among the files of the data directory: what a killed run leaves
// there would be taken for one of them.
fs::path made_beside(const Home& home, const catalog::BackupInfo& info) {
  return home.backup(info.id) / "backup_manifest";
}

std::unique_ptr<stream::Sink> new_manifest(const Home& home, const catalog::BackupInfo& info) {
  if (home.backup_bucket) return home.backup_bucket->bucket().create(manifest_key(info.id));
  return os::create_file(made_beside(home, info));
}

}  // namespace

std::uint64_t generate_manifest(const Home& home, const ManifestRequest& request, Clock& clock,
                                Events& events, const std::stop_token& stop) {
  const catalog::BackupInfo& info = request.backup;
  require_whole(info);
  const OpenMember member = open_member(home, info, request.format);
  if (member.manifest) {
    throw Error(ErrorKind::kRefused,
                fmt::format("File {} already exists. Move it away first if you want another one",
                            member.manifest->name));
  }
  const std::uint64_t expected = info.size.value_or(0);
  const auto report = [&](std::uint64_t done) {
    events.progress({.phase = "reading", .done = done, .expected = std::max(done, expected)});
  };
  Pace pace(std::nullopt, report, clock, stop);
  const auto sink = new_manifest(home, info);
  pgformat::ManifestWriter writer([&](std::string_view text) { sink->write(stream::bytes_of(text)); },
                                  listed_system_identifier(info));
  ListingReceiver receiver(writer);
  member.files->read(receiver,
                     {.workers = request.jobs, .pace = pace, .stop = stop, .passes_over = is_unlisted});
  writer.finish(wal_ranges(info));
  sink->finish();
  if (!home.backup_bucket) os::move_file(made_beside(home, info), home.manifest(info.id));
  return receiver.files();
}

}  // namespace barman::engine
