// Chains of backups of a cluster that has nothing but the files that a test names: for tests.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/server/home.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "pgformat/incremental.h"
#include "pgformat/manifest_writer.h"

namespace barman::engine {

// Blocks of one letter each: "ab" is a segment of two.
inline std::string relation_blocks(std::string_view letters) {
  std::string text;
  for (const char letter : letters) text += std::string(pgformat::kBlockSize, letter);
  return text;
}

// An incremental file with blocks of one letter each.
inline std::string increment_of(std::uint32_t truncation,
                                const std::vector<std::pair<std::uint32_t, char>>& blocks) {
  std::string text;
  const auto put = [&](std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift & 0xFF);
  };
  put(pgformat::kIncrementalMagic);
  put(static_cast<std::uint32_t>(blocks.size()));
  put(truncation);
  for (const auto& [number, letter] : blocks) put(number);
  if (!blocks.empty())
    text.resize((text.size() + pgformat::kBlockSize - 1) / pgformat::kBlockSize * pgformat::kBlockSize);
  for (const auto& [number, letter] : blocks) text += std::string(pgformat::kBlockSize, letter);
  return text;
}

// A home with a chain of plain backups, each given by its files: paths as in manifests, and contents.
class ChainFixture {
 public:
  using Files = std::map<std::string, std::string>;

  ChainFixture() {
    home.server = "main";
    home.base = folder / "base";
    home.wals = folder / "wals";
    home.streaming = folder / "streaming";
  }

  // Adds a member, with what each backup has.
  void add(Files files) {
    const std::size_t number = chain.size();
    catalog::BackupInfo info{.id = {fmt::format("2026010{}T000000", number + 1)}};
    info.mode = "postgres";
    info.status = catalog::BackupStatus::kDone;
    info.version = 170006;
    info.systemid = "7711";
    info.timeline = 1;
    info.begin_wal = info.end_wal = fmt::format("00000001{:016X}", number + 2);
    info.end_xlog = pgformat::Lsn{(number + 2) * 0x1000000 + 0x100};
    info.begin_xlog = pgformat::Lsn{(number + 2) * 0x1000000 + 0x28};
    info.end_time = catalog::Timestamp{.instant = Time(std::chrono::seconds(1000))};
    info.tablespaces = {{.name = "far", .oid = 16384, .location = (folder / "far").string()}};
    if (number > 0) info.parent_backup_id = chain.back().id;
    files.emplace("global/pg_control", fmt::format("control {}", number));
    files.emplace("PG_VERSION", "17\n");
    files.emplace("backup_label", label(info));
    for (const auto& [path, text] : files) put(info, path, text);
    os::make_directories(home.data(info.id) / "pg_notify", 0700);
    os::make_directories(home.backup(info.id) / "16384", 0700);
    chain.push_back(info);
    write_manifest(files);
  }

  [[nodiscard]] std::filesystem::path place(const catalog::BackupInfo& info, const std::string& path) const {
    const std::string prefix = "pg_tblspc/16384/";
    return path.starts_with(prefix) ? home.backup(info.id) / "16384" / path.substr(prefix.size())
                                    : home.data(info.id) / path;
  }
  void put(const catalog::BackupInfo& info, const std::string& path, const std::string& text) const {
    os::make_directories(place(info, path).parent_path(), 0700);
    os::write_file(place(info, path), text);
  }

  os::TestFolder folder;
  Home home;
  std::vector<catalog::BackupInfo> chain;

 private:
  [[nodiscard]] std::string label(const catalog::BackupInfo& info) const {
    std::string text = fmt::format("START WAL LOCATION: {} (file {})\nLABEL: x\n",
                                   pgformat::format_lsn(*info.begin_xlog), *info.begin_wal);
    if (!chain.empty())
      text += fmt::format("INCREMENTAL FROM LSN: {}\n", pgformat::format_lsn(*chain.back().begin_xlog));
    return text;
  }

  // Of the last member.
  void write_manifest(const Files& files) const {
    std::string text;
    pgformat::ManifestWriter writer([&](std::string_view piece) { text += piece; }, 7711);
    for (const auto& [path, content] : files) {
      pgformat::Checksum checksum(pgformat::ChecksumKind::kCrc32c);
      checksum.update(reinterpret_cast<const std::byte*>(content.data()), content.size());
      writer.file({.path = path,
                   .size = content.size(),
                   .last_modified = "2026-01-01 00:00:00 GMT",
                   .kind = pgformat::ChecksumKind::kCrc32c,
                   .checksum = checksum.hex()});
    }
    writer.finish({{.timeline = 1, .start = *chain.back().begin_xlog, .end = *chain.back().end_xlog}});
    os::write_file(home.data(chain.back().id) / "backup_manifest", text);
  }
};

}  // namespace barman::engine
