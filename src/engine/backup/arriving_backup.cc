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
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

using stream::Bytes;

constexpr std::uint64_t kProgressBytes = 1024 * 1024;
constexpr std::size_t kMostWarnings = 100;
constexpr std::size_t kLabelBytes = 64 * 1024;
constexpr std::string_view kTablespaceLinks = "pg_tblspc/";

std::optional<std::uint32_t> parse_oid(std::string_view text) {
  std::uint32_t oid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), oid, 10);
  if (error != std::errc{} || end != text.data() + text.size() || oid == 0) return std::nullopt;
  return oid;
}

// An in-place tablespace (a test feature of the server) is a folder inside the data directory.
bool is_in_place(const postgres::BaseBackupReceiver::Tablespace& tablespace) {
  return !tablespace.location.starts_with('/');
}

}  // namespace

// What one archive holds: the data directory or a tablespace.
class ArrivingBackup::Contents final : public stream::Sink, public codec::TarReceiver {
 public:
  // Its files are written below `root`; without one they are only looked at. `prefix` is what paths of the
  // manifest have in front of those in the archive.
  Contents(ArrivingBackup& backup, std::optional<std::filesystem::path> root, std::string prefix)
      : backup_(backup), root_(std::move(root)), prefix_(std::move(prefix)) {}

  void write(Bytes data) override {
    reader_.write(data);
    backup_.progress(data.size());
  }
  void finish() override { reader_.finish(); }

  void begin(const codec::TarEntry& entry) override {
    kind_ = entry.kind;
    is_label_ = prefix_.empty() && entry.path == "backup_label";
    switch (entry.kind) {
      case codec::TarEntry::Kind::kDirectory:
        if (root_) backup_.writer_.make_directory(*root_ / entry.path, entry.mode);
        return;
      case codec::TarEntry::Kind::kSymlink:
        return link_tablespace(entry);
      case codec::TarEntry::Kind::kFile:
        backup_.received_.begin(prefix_ + entry.path);
        if (root_) backup_.writer_.begin_file(*root_ / entry.path, entry.mode, entry.size);
        return;
    }
  }
  void data(Bytes bytes) override {
    backup_.received_.data(bytes);
    if (is_label_) keep_label(bytes);
    if (root_) backup_.writer_.write(bytes);
  }
  void end() override {
    if (kind_ != codec::TarEntry::Kind::kFile) return;
    backup_.received_.end();
    if (root_) backup_.writer_.end_file();
  }

 private:
  void keep_label(Bytes bytes) const {
    std::string& label = backup_.outcome_.label;
    if (label.size() + bytes.size() > kLabelBytes) {
      throw Error(ErrorKind::kCorrupt, "the backup_label that the server sent is too long to be one");
    }
    label += stream::text_of(bytes);
  }

  // The server sends links for tablespaces only. Ours lead to the folder beside the data.
  void link_tablespace(const codec::TarEntry& entry) {
    const std::string_view path = entry.path;
    const std::string_view oid = path.substr(std::min(kTablespaceLinks.size(), path.size()));
    if (!prefix_.empty() || !path.starts_with(kTablespaceLinks) || !parse_oid(oid)) {
      throw Error(ErrorKind::kCorrupt, fmt::format("the server sent a link where none belongs: {}", path));
    }
    if (!backup_.is_copied(oid)) {
      backup_.events_.log(
          LogLevel::kInfo,
          fmt::format("tablespace {} was created after the backup began: recovery will create it", oid));
      return;
    }
    if (root_) backup_.writer_.make_symlink(*root_ / entry.path, backup_.copy_.tablespaces / oid);
  }

  ArrivingBackup& backup_;
  std::optional<std::filesystem::path> root_;
  std::string prefix_;
  codec::TarReader reader_{*this};
  codec::TarEntry::Kind kind_ = codec::TarEntry::Kind::kFile;
  bool is_label_ = false;
};

// The manifest is kept as it is, and checked line by line.
class ArrivingBackup::Manifest final : public stream::Sink {
 public:
  explicit Manifest(ArrivingBackup& backup) : backup_(backup) {
    backup_.writer_.begin_file(backup_.copy_.data / "backup_manifest", 0600, 0);
  }

  void write(Bytes data) override {
    reader_.write(stream::text_of(data));
    backup_.writer_.write(data);
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
    backup_.writer_.end_file();
    backup_.has_manifest_ = true;
  }

 private:
  ArrivingBackup& backup_;
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
    writer_.make_directory(copy_.tablespaces / tablespace.oid, 0700);
  }
  require_room();
  progress(0);
}

std::unique_ptr<stream::Sink> ArrivingBackup::archive(const Tablespace& tablespace) {
  const std::string& oid = tablespace.oid;
  if (!oid.empty() && !is_in_place(tablespace) && !is_copied(oid)) {
    throw Error(ErrorKind::kCorrupt, "the server sends a tablespace that it did not announce: " + oid);
  }
  std::optional<std::filesystem::path> root;
  if (!copy_.archives) root = unpacked(tablespace);
  std::unique_ptr<stream::Sink> contents = std::make_unique<Contents>(
      *this, std::move(root), oid.empty() ? "" : fmt::format("{}{}/", kTablespaceLinks, oid));
  if (copy_.server_compression) {
    contents = codec::decompress(copy_.server_compression->kind)(std::move(contents));
  }
  if (!copy_.archives) return contents;
  const auto path = copy_.data / ((oid.empty() ? "base" : oid) + copy_.archives->suffix);
  auto file = os::create_file(path, {.must_be_new = true, .is_large = true});
  return checked_archive(std::move(contents), stream::chain(copy_.archives->stages, std::move(file)));
}

std::filesystem::path ArrivingBackup::unpacked(const Tablespace& tablespace) const {
  if (tablespace.oid.empty()) return copy_.data;
  if (is_in_place(tablespace)) return copy_.data / kTablespaceLinks / tablespace.oid;
  return copy_.tablespaces / tablespace.oid;
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

// Archives do not tell the name again.
void ArrivingBackup::refuse_unlisted() {
  if (!received_.has_unlisted()) return;
  const std::string which =
      copy_.archives ? "a file"
                     : "file " + received_.find_unlisted(copy_.data).value_or("(its name is lost)");
  throw Error(ErrorKind::kCorrupt,
              fmt::format("{} arrived but is not in the manifest; the backup is not usable, take another one",
                          which));
}

void ArrivingBackup::require_room() const {
  // Of an incremental backup the server's estimate is as large as the cluster, and nobody knows what
  // compression will make of it.
  if (!expected_ || copy_.parent_manifest || (copy_.archives && copy_.archives->is_compressed)) return;
  const std::uint64_t room = os::free_bytes(copy_.data);
  if (room >= *expected_) return;
  throw Error(
      ErrorKind::kFailed,
      fmt::format("the server will send {}, but only {} are free in {}; make room, or delete a backup",
                  pretty_size(static_cast<double>(*expected_)), pretty_size(static_cast<double>(room)),
                  copy_.data.string()));
}

void ArrivingBackup::progress(std::size_t bytes) {
  arrived_ += bytes;
  if (bytes != 0 && arrived_ - shown_ < kProgressBytes) return;
  shown_ = arrived_;
  events_.progress({.phase = "copying", .done = arrived_, .expected = expected_});
}

}  // namespace barman::engine
