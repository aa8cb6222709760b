#include "engine/restore/restore_chain.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <memory>

#include "base/error.h"
#include "engine/restore/chain_writer.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/left_out.h"
#include "engine/restore/pace.h"
#include "engine/restore/plain_member.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "pgformat/backup_label.h"
#include "pgformat/incremental.h"

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
            "backup {} has no manifest ({}): a chain of incremental backups cannot be restored without; "
            "restore a backup that is not built on it",
            info.id.text, manifests.back().string()));
  }
  return {std::move(manifests), std::move(names)};
}

// How long the segment is when the incremental file has been applied.
std::uint64_t size_after(const fs::path& place) {
  struct Size final : pgformat::IncrementalVisitor {
    void header(const pgformat::IncrementalHeader& header) override { bytes = header.result_size(); }
    void data(std::uint64_t, std::span<const std::byte>) override {}
    std::optional<std::uint64_t> bytes;
  } size;
  during("reading " + place.string(), [&] {
    pgformat::IncrementalReader reader(size);
    const auto source = os::open_file(place);
    std::array<std::byte, pgformat::kBlockSize> buffer{};
    while (!size.bytes) {
      const std::size_t got = source->read(buffer);
      if (got == 0) break;
      reader.write(std::span(buffer).first(got));
    }
    if (!size.bytes) reader.finish();
  });
  return size.bytes.value_or(0);
}

// Looks at the files of one member, and counts the room that they need at most.
class MemberSurvey {
 public:
  MemberSurvey(const Home& home, bool verify, const FinalFiles& files, std::vector<RestoreFolder>& folders)
      : home_(home), verify_(verify), files_(files), folders_(folders), sizes_(files.count()) {}

  void look_at(const BackupInfo& info, std::size_t number) {
    (void)files_.visit(number, [&](const ManifestFile& listed, Use use) {
      const fs::path place = plain_place(home_, info, listed.path);
      struct stat status {};
      if (::stat(place.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("{} is missing: the backup's manifest lists it; restore another backup",
                                place.string()));
      }
      const auto size = static_cast<std::uint64_t>(status.st_size);
      if (verify_ && size != listed.size) {
        throw Error(
            ErrorKind::kCorrupt,
            fmt::format(
                "{} is damaged: it has {} bytes, the backup's manifest says {}; restore another backup, "
                "or this one with --no-verify to save what can be saved",
                place.string(), size, listed.size));
      }
      bytes_ += size;
      need(listed.path, use == Use::kChange ? size_after(place) : size);
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

  const Home& home_;
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
                     std::vector<RestoreFolder>& folders) {
  ChainPlan plan{.files = final_files(home, chain)};
  MemberSurvey survey(home, verify, plan.files, folders);
  for (std::size_t member = 0; member < chain.size(); ++member) survey.look_at(chain[member], member);
  plan.bytes = survey.bytes();
  return plan;
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
                        .expected = expected.get()});
    PlainMember(copy.home, info, copy.workers, pace).read(writer, stop);
    const std::uint64_t files = writer.require_all();
    if (copy.verify) checked += files;
    os::fault_point("restore-member-applied");
  }
  write_combined_label(copy.folders.front().to);
  return checked;
}

}  // namespace barman::engine
