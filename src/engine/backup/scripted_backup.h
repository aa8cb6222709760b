// A server that sends the base backup that a test wrote down: for tests.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgformat/manifest.h"
#include "postgres/connector.h"
#include "postgres/replication.h"
#include "postgres/session.h"
#include "stream/memory.h"

namespace barman::engine {

// A header of the ustar format for an entry.
inline std::string tar_header(const std::string& name, char type, std::size_t size,
                              const std::string& target = {}) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000600");
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", 1'700'000'000));
  block[156] = type;
  put(157, target);
  put(257, std::string("ustar\00000", 8));
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

inline std::string tar_file(const std::string& name, const std::string& text) {
  std::string entry = tar_header(name, '0', text.size()) + text;
  entry.resize((entry.size() + 511) / 512 * 512);
  return entry;
}

// What the server sends. The members may be changed to send something wrong.
struct ScriptedBackup {
  struct Archive {
    postgres::BaseBackupReceiver::Tablespace tablespace;
    std::string tar;
  };
  std::vector<Archive> archives{};
  std::string manifest_files{};  // the lines of its list
  postgres::BackupPosition start{.lsn = {0x2000028}, .timeline = 1};
  postgres::BackupPosition end{.lsn = {0x2000100}, .timeline = 1};
  std::vector<std::string> warnings{};
  std::size_t chunk = 8192;

  // Adds a file to the last archive and to the manifest.
  void add(const std::string& name, const std::string& text) {
    Archive& archive = archives.back();
    archive.tar += tar_file(name, text);
    const std::string& oid = archive.tablespace.oid;
    list(oid.empty() ? name : "pg_tblspc/" + oid + "/" + name, text);
  }

  void list(const std::string& path, const std::string& text) {
    pgformat::Checksum checksum(pgformat::ChecksumKind::kCrc32c);
    checksum.update(reinterpret_cast<const std::byte*>(text.data()), text.size());
    if (!manifest_files.empty()) manifest_files += ",\n";
    manifest_files += fmt::format(
        R"({{ "Path": "{}", "Size": {}, "Last-Modified": "x", "Checksum-Algorithm": "CRC32C", "Checksum": "{}" }})",
        path, text.size(), checksum.hex());
  }

  [[nodiscard]] std::string manifest() const {
    std::string body =
        "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": "
        "7711322697705067425,\n\"Files\": [\n" +
        manifest_files + "\n],\n\"WAL-Ranges\": [\n],\n";
    pgformat::Checksum checksum(pgformat::ChecksumKind::kSha256);
    checksum.update(reinterpret_cast<const std::byte*>(body.data()), body.size());
    return body + "\"Manifest-Checksum\": \"" + checksum.hex() + "\"}\n";
  }
};

// Every piece that it sends is a step; before the step numbered `fail_at` it throws `failure` instead.
class ScriptedReplication final : public postgres::Replication {
 public:
  ScriptedReplication(const ScriptedBackup& backup, int fail_at, Error failure)
      : backup_(backup), fail_at_(fail_at), failure_(std::move(failure)) {}

  [[nodiscard]] int server_version() const override { return 170000; }
  postgres::SystemIdentity identify_system() override { return {}; }
  pgformat::SegmentSize wal_segment_size() override { return pgformat::kDefaultSegmentSize; }
  std::string timeline_history(pgformat::Timeline) override { return {}; }
  void stream_wal(const postgres::StreamOptions&, postgres::WalReceiver&, const std::stop_token&) override {}
  void create_slot(const std::string&, bool) override {}
  void drop_slot(const std::string&) override {}
  std::optional<postgres::SlotInfo> read_slot(const std::string&) override { return std::nullopt; }

  void base_backup(const postgres::BaseBackupOptions& options, postgres::BaseBackupReceiver& receiver,
                   const std::stop_token& stop) override {
    asked = options;
    read_parent(options.parent_manifest);
    std::vector<postgres::BaseBackupReceiver::Tablespace> tablespaces;
    for (const auto& archive : backup_.archives) tablespaces.push_back(archive.tablespace);
    step(stop);
    receiver.started(backup_.start, tablespaces);
    for (const auto& archive : backup_.archives) {
      send(*receiver.archive(archive.tablespace), archive.tar, stop);
    }
    for (const std::string& warning : backup_.warnings) receiver.notice("WARNING", warning);
    send(*receiver.manifest(), backup_.manifest(), stop);
    step(stop);
    receiver.ended(backup_.end);
    step(stop);
  }

  int steps = 0;
  postgres::BaseBackupOptions asked;
  std::vector<std::string>* parents = nullptr;  // gets the manifest of each parent

 private:
  void read_parent(stream::Source* manifest) const {
    if (manifest == nullptr || parents == nullptr) return;
    stream::AppendTo text(parents->emplace_back());
    stream::pump(*manifest, text);
  }

  void step(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    if (steps++ == fail_at_) throw failure_;
  }

  void send(stream::Sink& sink, std::string_view text, const std::stop_token& stop) {
    while (!text.empty()) {
      step(stop);
      const std::string_view part = text.substr(0, backup_.chunk);
      sink.write(stream::bytes_of(part));
      text.remove_prefix(part.size());
    }
    sink.finish();
  }

  const ScriptedBackup& backup_;
  int fail_at_;
  Error failure_;
};

// Hands out one replication connection after the other; only the first ones fail.
class ScriptedConnector final : public postgres::Connector {
 public:
  explicit ScriptedConnector(const ScriptedBackup& backup) : backup_(backup) {}

  std::unique_ptr<postgres::Session> session(const std::string&, const postgres::ConnectOptions&) override {
    throw Error(ErrorKind::kTransient, "no SQL here");
  }
  std::unique_ptr<postgres::Replication> replication(const std::string&,
                                                     const postgres::ConnectOptions&) override {
    const bool fails = attempts++ < failing_attempts;
    auto replication = std::make_unique<ScriptedReplication>(backup_, fails ? fail_at : -1, failure);
    replication->parents = &parents;
    return replication;
  }

  int fail_at = -1;
  int failing_attempts = 1;
  Error failure{ErrorKind::kTransient, "connection lost"};
  int attempts = 0;
  std::vector<std::string> parents;  // the manifests that incremental backups were asked on top of

 private:
  const ScriptedBackup& backup_;
};

}  // namespace barman::engine
