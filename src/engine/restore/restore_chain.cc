#include "engine/restore/restore_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "engine/restore/chain_writer.h"
#include "engine/restore/existing.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/unlisted_writer.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "pgformat/backup_label.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using catalog::BackupInfo;
using pgformat::ManifestFile;
using Use = FinalFiles::Use;

[[noreturn]] void refuse_without_manifest(const Home& home, const std::vector<BackupInfo>& chain,
                                          const BackupInfo& info) {
  const char* const what =
      chain.size() > 1 ? "a chain of incremental backups cannot be restored without; restore another "
                         "backup"
                       : "it came with one, so something is lost; restore another backup, or this one "
                         "with --no-verify to save what can be saved";
  throw Error(ErrorKind::kRefused, fmt::format("backup {} has no manifest ({}): {}", info.id.text,
                                               manifest_name(home, info), what));
}

// Nothing for a full backup that can do without its manifest.
std::optional<FinalFiles> final_files(const Home& home, const std::vector<BackupInfo>& chain,
                                      const std::vector<OpenMember>& members, bool verify) {
  std::vector<KeptManifest> manifests;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto& manifest = members[i].manifest;
    if (!manifest) {
      if (chain.size() > 1 || (verify && comes_with_manifest(chain[i])))
        refuse_without_manifest(home, chain, chain[i]);
      return std::nullopt;
    }
    manifests.push_back(*manifest);
    names.push_back(chain[i].id.text);
  }
  return FinalFiles(std::move(manifests), std::move(names));
}

// That a file goes to which manifests call so.
RestoreFolder& folder_of(std::vector<RestoreFolder>& folders, const std::string& path) {
  for (RestoreFolder& folder : folders) {
    if (folder.oid != 0 && path.starts_with(fmt::format("pg_tblspc/{}/", folder.oid))) return folder;
  }
  return folders.front();
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
    folder_of(folders_, path).bytes += size - known;
    known = size;
  }

  bool verify_;
  const FinalFiles& files_;
  std::vector<RestoreFolder>& folders_;
  std::vector<std::uint64_t> sizes_;  // of the files, by place
  std::uint64_t bytes_ = 0;
};

// What a backup without a manifest needs, by how much of each folder is stored.
std::uint64_t add_estimated_room(const OpenMember& member, const BackupInfo& info,
                                 std::vector<RestoreFolder>& folders) {
  std::uint64_t stored = 0;
  for (const auto& [prefix, bytes] : member.stored_bytes) stored += bytes;
  const bool may_grow = stored == 0 || member.is_compressed;
  const std::uint64_t whole = may_grow ? std::max(stored, info.cluster_size.value_or(0)) : stored;
  for (const auto& [prefix, bytes] : member.stored_bytes) {
    const double share = static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(stored, 1));
    folder_of(folders, prefix).bytes += static_cast<std::uint64_t>(share * static_cast<double>(whole));
  }
  if (member.stored_bytes.empty()) folders.front().bytes += whole;
  return whole;
}

void write_combined_label(const fs::path& destination) {
  const fs::path path = destination / "backup_label";
  const auto text = os::read_file(path);
  if (!text)
    throw Error(ErrorKind::kCorrupt,
                "the last backup of the chain has no backup_label; restore another backup");
  os::write_file(path, pgformat::combined_backup_label(*text), {.sync = false});
}

// Only when all files have come is it known what stood there and belongs to no backup.
void copy_unlisted(const ChainCopy& copy, const MemberReading& reading) {
  const BackupInfo& info = copy.chain.front();
  UnlistedWriter writer(copy.folders);
  copy.plan.members.front().files->read(writer, reading);
  writer.require_whole(info.id.text);
  if (copy.rewrites) {
    clear_existing(
        copy.folders, [&](const std::string& path) { return writer.has_come(path); }, info);
  }
  writer.make_directories();
  os::fault_point("restore-member-applied");
}

}  // namespace

ChainPlan plan_chain(const Home& home, const std::vector<BackupInfo>& chain, bool verify,
                     std::vector<RestoreFolder>& folders, const WalFormat& format) {
  ChainPlan plan;
  for (const BackupInfo& info : chain) plan.members.push_back(open_member(home, info, format));
  plan.files = final_files(home, chain, plan.members, verify);
  if (!plan.files) {
    plan.bytes = add_estimated_room(plan.members.front(), chain.front(), folders);
    return plan;
  }
  MemberSurvey survey(verify, *plan.files, folders);
  for (std::size_t member = 0; member < chain.size(); ++member)
    survey.look_at(*plan.members[member].files, chain[member].id.text, member);
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
  const MemberReading reading{.workers = copy.workers, .pace = pace, .stop = stop};
  if (!copy.plan.files) {
    copy_unlisted(copy, reading);
    return 0;
  }
  std::uint64_t checked = 0;
  for (std::size_t member = 0; member < copy.chain.size(); ++member) {
    const OpenMember& open = copy.plan.members[member];
    const auto expected = copy.verify ? std::make_unique<ExpectedFiles>(*open.manifest) : nullptr;
    ChainWriter writer({.folders = copy.folders,
                        .files = *copy.plan.files,
                        .number = member,
                        .name = copy.chain[member].id.text,
                        .is_last = member + 1 == copy.chain.size(),
                        .expected = expected.get(),
                        .clones = copy.mode == CombineMode::kClone && !copy.rewrites,
                        .rewrites = copy.rewrites});
    open.files->read(writer, reading);
    const std::uint64_t files = writer.require_all();
    if (copy.verify) checked += files;
    os::fault_point("restore-member-applied");
  }
  write_combined_label(copy.folders.front().to);
  return checked;
}

}  // namespace barman::engine
