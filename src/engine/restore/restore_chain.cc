#include "engine/restore/restore_chain.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/restore/chain_writer.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/left_out.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "pgformat/backup_label.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using catalog::BackupInfo;
using pgformat::ManifestFile;
using Use = FinalFiles::Use;

fs::path manifest_place(const Home& home, const BackupInfo& info) {
  return home.data(info.id) / "backup_manifest";
}

FinalFiles final_files(const Home& home, const std::vector<BackupInfo>& chain) {
  std::vector<fs::path> manifests;
  std::vector<std::string> names;
  for (const BackupInfo& info : chain) {
    manifests.push_back(manifest_place(home, info));
    names.push_back(info.id.text);
    if (fs::exists(manifests.back())) continue;
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "backup {} has no manifest ({}): neither archives nor a chain of incremental backups can be "
            "restored without; restore another backup",
            info.id.text, manifests.back().string()));
  }
  return {std::move(manifests), std::move(names)};
}

// Looks at the files of one member, and counts the room that they need at most.
class MemberSurvey {
 public:
  MemberSurvey(bool verify, const FinalFiles& files, std::vector<RestoreFolder>& folders)
      : verify_(verify), files_(files), folders_(folders), sizes_(files.count()) {}

  void look_at(MemberReader& reader, const std::string& name, std::size_t number) {
    (void)files_.visit(number, [&](const ManifestFile& listed, Use use) {
      const auto known = reader.look_at(listed.path, use == Use::kChange);
      bytes_ += listed.size;
      if (!known) return need(listed.path, use == Use::kWhole ? listed.size : 0);
      if (verify_ && known->size != listed.size) {
        throw Error(
            ErrorKind::kCorrupt,
            fmt::format("{} of backup {} is damaged: it has {} bytes, the backup's manifest says {}; restore "
                        "another backup, or this one with --no-verify to save what can be saved",
                        listed.path, name, known->size, listed.size));
      }
      need(listed.path, known->size_after);
    });
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void need(const std::string& path, std::uint64_t size) {
    std::uint64_t& known = sizes_[*files_.place(path)];
    if (size <= known) return;
    folder_of(path).bytes += size - known;
    known = size;
  }

  RestoreFolder& folder_of(const std::string& path) {
    for (RestoreFolder& folder : folders_) {
      if (folder.oid != 0 && path.starts_with(fmt::format("pg_tblspc/{}/", folder.oid))) return folder;
    }
    return folders_.front();
  }

  bool verify_;
  const FinalFiles& files_;
  std::vector<RestoreFolder>& folders_;
  std::vector<std::uint64_t> sizes_;  // of the files, by place
  std::uint64_t bytes_ = 0;
};

void write_combined_label(const fs::path& destination) {
  const fs::path path = destination / "backup_label";
  const auto text = os::read_file(path);
  if (!text)
    throw Error(ErrorKind::kCorrupt,
                "the last backup of the chain has no backup_label; restore another backup");
  os::write_file(path, pgformat::combined_backup_label(*text), {.sync = false});
}

}  // namespace

ChainPlan plan_chain(const Home& home, const std::vector<BackupInfo>& chain, bool verify,
                     std::vector<RestoreFolder>& folders, const WalFormat& format) {
  ChainPlan plan{.files = final_files(home, chain), .members = {}};
  MemberSurvey survey(verify, plan.files, folders);
  for (std::size_t member = 0; member < chain.size(); ++member) {
    plan.members.push_back(open_member(home, chain[member], format));
    survey.look_at(*plan.members.back(), chain[member].id.text, member);
  }
  plan.bytes = survey.bytes();
  return plan;
}

std::optional<std::string> chain_warning(const std::vector<BackupInfo>& chain) {
  const BackupInfo& last = chain.back();
  for (const BackupInfo& member : chain) {
    if (last.data_checksums != "on" || member.data_checksums != "off") continue;
    return fmt::format(
        "data_checksums was off when backup {} was taken, and on for backup {}: pages of the restored server "
        "may have "
        "wrong checksums; run pg_checksums --disable and --enable on it before it is started",
        member.id.text, last.id.text);
  }
  return std::nullopt;
}

std::uint64_t copy_chain(const ChainCopy& copy, Pace& pace, const std::stop_token& stop) {
  std::uint64_t checked = 0;
  for (std::size_t member = 0; member < copy.chain.size(); ++member) {
    const BackupInfo& info = copy.chain[member];
    const auto expected =
        copy.verify ? std::make_unique<ExpectedFiles>(manifest_place(copy.home, info)) : nullptr;
    ChainWriter writer({.folders = copy.folders,
                        .files = copy.plan.files,
                        .number = member,
                        .name = info.id.text,
                        .is_last = member + 1 == copy.chain.size(),
                        .expected = expected.get(),
                        .clones = copy.mode == CombineMode::kClone && !copy.rewrites,
                        .rewrites = copy.rewrites});
    copy.plan.members[member]->read(writer, {.workers = copy.workers, .pace = pace, .stop = stop});
    const std::uint64_t files = writer.require_all();
    if (copy.verify) checked += files;
    os::fault_point("restore-member-applied");
  }
  write_combined_label(copy.folders.front().to);
  return checked;
}

}  // namespace barman::engine
