// Puts plain backups of a fixture into a bucket in memory, as Barman's programs would: for tests.
#pragma once

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/compress.h"
#include "codec/tar_writer.h"
#include "engine/restore/chain_fixture.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/wal/fake_gpg.h"
#include "os/tree.h"
#include "store/watched_bucket.h"
#include "stream/memory.h"

namespace barman::engine {

// An archive, put together in memory.
class TarText {
 public:
  TarText& file(const std::string& path, const std::string& content) {
    tar_.begin_file(path, content.size(), {});
    tar_.data(stream::bytes_of(content));
    tar_.end_file();
    return *this;
  }
  TarText& directory(const std::string& path) {
    tar_.directory(path, {.mode = 0700});
    return *this;
  }
  TarText& symlink(const std::string& path, const std::string& target) {
    tar_.symlink(path, target, {});
    return *this;
  }
  std::string finish() {
    tar_.finish();
    return text_;
  }
  [[nodiscard]] const std::string& unfinished() const { return text_; }

 private:
  std::string text_;
  stream::AppendTo sink_{text_};
  codec::TarWriter tar_{sink_};
};

// Where the manifest of a backup in a bucket is.
enum class ManifestIs { kObject, kFile, kFirstMember, kLastMember, kNowhere };

struct BucketForm {
  std::optional<codec::Compression> compression{};
  bool encrypted = false;
  ManifestIs manifest = ManifestIs::kObject;
  bool as_original = false;    // some members twice, folders at the end, names with "./"
  std::size_t entries = 1000;  // of an archive of the data directory, after which another is begun
};

class BucketFixture {
 public:
  explicit BucketFixture(ChainFixture& fixture) : fixture_(fixture) {
    std::signal(SIGPIPE, SIG_IGN);  // gpg need not read everything
    fixture.home.meta = fixture.folder / "meta";
    os::make_directories(fixture.home.meta, 0700);
    fixture.home.backup_bucket = std::make_shared<BucketHome>(
        "s3://bucket/path", "main", [this] { return std::shared_ptr<store::Bucket>(watched); });
  }

  void clear() {
    std::vector<std::string> keys;
    store->list("", [&](const store::ObjectInfo& object) {
      keys.push_back(object.key);
      return true;
    });
    (void)store->remove_all(keys);
    for (const auto& file : std::filesystem::directory_iterator(fixture_.home.meta))
      std::filesystem::remove(file);
  }

  // Takes the plain backup away.
  void upload(std::size_t member, const BucketForm& form = {}) {
    const catalog::BackupInfo& info = fixture_.chain[member];
    upload_data(info, form);
    const auto far = plain(info) / "16384";
    put(info, "16384", 0, form, TarText().file("PG_17/5/9", *os::read_file(far / "PG_17/5/9")).finish());
    const std::string manifest = *os::read_file(plain(info) / "data/backup_manifest");
    if (form.manifest == ManifestIs::kObject) store::write_text(*store, manifest_key(info.id), manifest);
    if (form.manifest == ManifestIs::kFile) os::write_file(fixture_.home.manifest(info.id), manifest);
    os::remove_tree(plain(info));
  }

  // Stores an archive as `form` wants it.
  void put(const catalog::BackupInfo& info, const std::string& stem, unsigned number, const BucketForm& form,
           const std::string& tar) {
    std::string stored;
    std::vector<stream::Stage> stages;
    if (form.compression) {
      stages.push_back(codec::compress(*form.compression, codec::medium_level(*form.compression), 1));
    }
    const auto path = stream::chain(stages, std::make_unique<stream::AppendTo>(stored));
    path->write(stream::bytes_of(tar));
    path->finish();
    store::write_text(*store, key(info, stem, number, form), form.encrypted ? encrypted(stored) : stored);
  }

  static std::string key(const catalog::BackupInfo& info, const std::string& stem, unsigned number = 0,
                         const BucketForm& form = {}) {
    return archive_key(
        info.id,
        {.stem = stem, .number = number, .compression = form.compression, .encrypted = form.encrypted});
  }

  [[nodiscard]] WalFormat format() { return gpg_.format({}, "echo sesame"); }

  std::shared_ptr<store::WatchedBucket> watched = std::make_shared<store::WatchedBucket>();
  store::MemoryStore* const store = &watched->objects;  // touching it is no request

 private:
  struct Entry {
    std::string path;
    std::optional<std::string> content;  // nothing: a folder
  };

  [[nodiscard]] std::filesystem::path plain(const catalog::BackupInfo& info) const {
    return fixture_.folder / "base" / info.id.text;
  }

  static std::string encrypted(std::string text) {
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = c == 'z' ? 'a' : static_cast<char>(c + 1);
    }
    return "\204\005\003kkkk\247" + text;
  }

  [[nodiscard]] std::vector<Entry> entries_of(const catalog::BackupInfo& info, const BucketForm& form) const {
    const auto data = plain(info) / "data";
    std::vector<Entry> files;
    std::vector<Entry> folders;
    os::walk_tree(data, [&](const os::TreeEntry& entry) {
      const std::string path = entry.relative.string();
      if (entry.kind == os::EntryKind::kDirectory) folders.push_back({path + "/", std::nullopt});
      if (entry.kind == os::EntryKind::kFile && path != "backup_manifest" && path != "global/pg_control")
        files.push_back({path, os::read_file(data / path)});
      return true;
    });
    const Entry manifest{"backup_manifest", os::read_file(data / "backup_manifest")};
    const Entry label{"./backup_label", os::read_file(data / "backup_label")};
    if (form.as_original) {
      files.push_back({"./", std::nullopt});
      files.push_back(label);
    } else {
      std::swap(files, folders);
    }
    if (form.manifest == ManifestIs::kFirstMember) files.insert(files.begin(), manifest);
    files.insert(files.end(), folders.begin(), folders.end());
    if (form.manifest == ManifestIs::kLastMember) files.push_back(manifest);
    files.push_back({"global/pg_control", os::read_file(data / "global/pg_control")});
    return files;
  }

  void upload_data(const catalog::BackupInfo& info, const BucketForm& form) {
    const std::vector<Entry> entries = entries_of(info, form);
    unsigned number = 0;
    for (std::size_t first = 0; first < entries.size(); first += form.entries) {
      TarText tar;
      for (std::size_t i = first; i < std::min(entries.size(), first + form.entries); ++i) {
        const auto& [path, content] = entries[i];
        if (content) {
          tar.file(path, *content);
        } else {
          tar.directory(path);
        }
      }
      put(info, "data", number++, form, tar.finish());
    }
  }

  ChainFixture& fixture_;
  FakeGpg gpg_;
};

}  // namespace barman::engine
