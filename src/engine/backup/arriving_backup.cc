#include "engine/backup/arriving_backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "engine/backup/checked_archive.h"
#include "engine/events.h"
#include "os/disk.h"
#include "os/fault_point.h"

namespace barman::engine {

namespace {

using stream::Bytes;

constexpr std::uint64_t kProgressBytes = 1024 * 1024;
constexpr std::size_t kMostWarnings = 100;
constexpr std::size_t kLabelBytes = 64 * 1024;

std::optional<std::uint32_t> parse_oid(std::string_view text) {
  std::uint32_t oid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), oid, 10);
  if (error != std::errc{} || end != text.data() + text.size() || oid == 0) return std::nullopt;
  return oid;
}

}  // namespace

// What one archive holds: the data directory or a tablespace.
class ArrivingBackup::Contents final : public stream::Sink, public codec::TarReceiver {
 public:
  // `entries` gets what is found good, unless it is nothing. `prefix` is what paths of the manifest have in
  // front of those in the archive.
  Contents(ArrivingBackup& backup, std::unique_ptr<codec::TarReceiver> entries, std::string prefix)
      : backup_(backup), entries_(std::move(entries)), prefix_(std::move(prefix)) {}

  void write(Bytes data) override {
    reader_.write(data);
    backup_.progress(data.size());
  }
  void finish() override { reader_.finish(); }

  void begin(const codec::TarEntry& entry) override {
    kind_ = entry.kind;
    is_label_ = prefix_.empty() && entry.path == "backup_label";
    const bool belongs = entry.kind != codec::TarEntry::Kind::kSymlink || is_link_to_tablespace(entry);
    is_kept_ = belongs && entries_;
    if (entry.kind == codec::TarEntry::Kind::kFile) backup_.received_.begin(prefix_ + entry.path);
    if (is_kept_) entries_->begin(entry);
  }
  void data(Bytes bytes) override {
    backup_.received_.data(bytes);
    if (is_label_) keep_label(bytes);
    if (is_kept_) entries_->data(bytes);
  }
  void end() override {
    if (kind_ == codec::TarEntry::Kind::kFile) backup_.received_.end();
    if (is_kept_) entries_->end();
  }

 private:
  void keep_label(Bytes bytes) const {
    std::string& label = backup_.outcome_.label;
    if (label.size() + bytes.size() > kLabelBytes) {
      throw Error(ErrorKind::kCorrupt, "the backup_label that the server sent is too long to be one");
    }
    label += stream::text_of(bytes);
  }

  // The server sends links for tablespaces only. Throws kCorrupt for another one.
  [[nodiscard]] bool is_link_to_tablespace(const codec::TarEntry& entry) const {
    const std::string_view path = entry.path;
    const std::string_view oid = path.substr(std::min(kTablespaceLinks.size(), path.size()));
    if (!prefix_.empty() || !path.starts_with(kTablespaceLinks) || !parse_oid(oid)) {
      throw Error(ErrorKind::kCorrupt, fmt::format("the server sent a link where none belongs: {}", path));
    }
    if (backup_.is_copied(oid)) return true;
    backup_.events_.log(
        LogLevel::kInfo,
        fmt::format("tablespace {} was created after the backup began: recovery will create it", oid));
    return false;
  }

  ArrivingBackup& backup_;
  const std::unique_ptr<codec::TarReceiver> entries_;
  const std::string prefix_;
  codec::TarReader reader_{*this};
  codec::TarEntry::Kind kind_ = codec::TarEntry::Kind::kFile;
  bool is_label_ = false;
  bool is_kept_ = false;
};

// The manifest is kept as it is, and checked line by line.
class ArrivingBackup::Manifest final : public stream::Sink {
 public:
  explicit Manifest(ArrivingBackup& backup) : backup_(backup), kept_(backup.storage_.manifest()) {}

  void write(Bytes data) override {
    reader_.write(stream::text_of(data));
    kept_->write(data);
  }

  void finish() override {
    os::fault_point("backup-manifest");
    const pgformat::ManifestSummary summary = reader_.finish();
    const auto& expected = backup_.copy_.system_identifier;
    if (summary.system_identifier && expected && std::to_string(*summary.system_identifier) != *expected) {
      throw Error(
          ErrorKind::kRefused,
          fmt::format(
              "the streaming connection leads to a cluster with system identifier {}, the other one to {}; "
              "make conninfo and streaming_conninfo name the same server",
              *summary.system_identifier, *expected));
    }
    kept_->finish();
    backup_.has_manifest_ = true;
  }

 private:
  ArrivingBackup& backup_;
  const std::unique_ptr<stream::Sink> kept_;
  pgformat::ManifestReader reader_{
      [this](const pgformat::ManifestFile& file) { backup_.received_.account(file); }};
};

void ArrivingBackup::started(const postgres::BackupPosition& start, std::span<const Tablespace> tablespaces) {
  outcome_.start = start;
  for (const Tablespace& tablespace : tablespaces) {
    if (tablespace.size_bytes) expected_ = expected_.value_or(0) + *tablespace.size_bytes;
    if (tablespace.oid.empty()) continue;
    const auto oid = parse_oid(tablespace.oid);
    if (!oid)
      throw Error(ErrorKind::kCorrupt, "the server names a tablespace that is no oid: " + tablespace.oid);
    if (is_in_place(tablespace)) continue;
    outcome_.tablespaces.push_back({.oid = *oid, .location = tablespace.location});
    storage_.add_tablespace(tablespace);
  }
  require_room();
  progress(0);
}

std::unique_ptr<stream::Sink> ArrivingBackup::archive(const Tablespace& tablespace) {
  const std::string& oid = tablespace.oid;
  if (!oid.empty() && !is_in_place(tablespace) && !is_copied(oid)) {
    throw Error(ErrorKind::kCorrupt, "the server sends a tablespace that it did not announce: " + oid);
  }
  BackupStorage::Archive kept = storage_.archive(tablespace);
  std::unique_ptr<stream::Sink> contents = std::make_unique<Contents>(
      *this, std::move(kept.entries), oid.empty() ? "" : fmt::format("{}{}/", kTablespaceLinks, oid));
  if (copy_.server_compression) {
    contents = codec::decompress(copy_.server_compression->kind)(std::move(contents));
  }
  if (!kept.whole) return contents;
  return checked_archive(std::move(contents), std::move(kept.whole));
}

std::unique_ptr<stream::Sink> ArrivingBackup::manifest() { return std::make_unique<Manifest>(*this); }

void ArrivingBackup::ended(const postgres::BackupPosition& end) {
  outcome_.end = end;
  ended_ = true;
}

void ArrivingBackup::notice(std::string_view severity, std::string_view text) {
  const bool is_warning = severity == "WARNING";
  events_.log(is_warning ? LogLevel::kWarning : LogLevel::kInfo,
              fmt::format("server: {}: {}", severity, text));
  const bool waits =
      text.find("waiting for") != std::string_view::npos && text.find("archived") != std::string_view::npos;
  if (waits && copy_.server_waits_for_wal) return copy_.server_waits_for_wal();
  if (is_warning && warnings_.size() < kMostWarnings) warnings_.emplace_back(text);
}

StreamingOutcome ArrivingBackup::finish() {
  if (!ended_) throw Error(ErrorKind::kCorrupt, "the server ended the backup without saying where");
  if (!has_manifest_) throw Error(ErrorKind::kCorrupt, "the server sent no backup manifest");
  refuse_unlisted();
  outcome_.files = received_.files();
  outcome_.bytes = received_.bytes();
  return outcome_;
}

bool ArrivingBackup::is_copied(std::string_view oid) const {
  const auto number = parse_oid(oid);
  return number && std::ranges::find(outcome_.tablespaces, *number, &CopiedTablespace::oid) !=
                       outcome_.tablespaces.end();
}

void ArrivingBackup::refuse_unlisted() {
  if (!received_.has_unlisted()) return;
  const auto name = storage_.find_unlisted(received_);
  throw Error(ErrorKind::kCorrupt,
              fmt::format("{} arrived but is not in the manifest; the backup is not usable, take another one",
                          name ? "file " + *name : "a file"));
}

void ArrivingBackup::require_room() const {
  // Of an incremental backup the server's estimate is as large as the cluster.
  const auto folder = storage_.folder_to_fill();
  if (!expected_ || copy_.parent_manifest || !folder) return;
  const std::uint64_t room = os::free_bytes(*folder);
  if (room >= *expected_) return;
  throw Error(
      ErrorKind::kFailed,
      fmt::format("the server will send {}, but only {} are free in {}; make room, or delete a backup",
                  pretty_size(static_cast<double>(*expected_)), pretty_size(static_cast<double>(room)),
                  folder->string()));
}

void ArrivingBackup::progress(std::size_t bytes) {
  arrived_ += bytes;
  if (bytes != 0 && arrived_ - shown_ < kProgressBytes) return;
  shown_ = arrived_;
  events_.progress({.phase = "copying", .done = arrived_, .expected = expected_});
}

}  // namespace barman::engine
