#include "engine/restore/chain_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/restore/rewritten_file.h"
#include "engine/server/control_under_way.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/fd.h"
#include "pgformat/control_file.h"
#include "pgformat/incremental.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using Use = FinalFiles::Use;

constexpr std::size_t kCheckPiece = 256 * 1024;

// The running checksum of a member's file, to be held against its manifest.
class MemberCheck {
 public:
  MemberCheck(const ChainMember& member, std::string path)
      : member_(member),
        path_(std::move(path)),
        checksum_(member.expected == nullptr ? pgformat::ChecksumKind::kNone : member.expected->kind()) {}

  void see(stream::Bytes data) {
    checksum_.update(data.data(), data.size());
    size_ += data.size();
  }

  void require_same() {
    if (member_.expected == nullptr) return;
    if (member_.expected->compare(path_, size_, checksum_.hex()) == ExpectedFiles::Verdict::kSame) return;
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format(
            "{} is damaged: its size or checksum is not what the backup's manifest says; restore another "
            "backup, or this one with --no-verify to save what can be saved",
            name()));
  }

  [[nodiscard]] std::string name() const { return fmt::format("{} of backup {}", path_, member_.name); }

 private:
  const ChainMember& member_;
  std::string path_;
  pgformat::Checksum checksum_;
  std::uint64_t size_ = 0;
};

class SegmentOnDisk final : public pgformat::SegmentFile {
 public:
  explicit SegmentOnDisk(fs::path path)
      : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)) {
    if (!fd_) os::throw_errno("cannot open", path_);
  }

  [[nodiscard]] std::uint64_t size() override {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) os::throw_errno("cannot look at", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }
  void resize(std::uint64_t new_size) override {
    if (new_size == size()) return;  // a file that stays as it is keeps its times
    if (::ftruncate(fd_.get(), static_cast<off_t>(new_size)) != 0)
      os::throw_errno("cannot set the size of", path_);
  }
  void write(std::uint64_t offset, stream::Bytes bytes) override {
    os::write_all_at(fd_.get(), offset, bytes, path_);
  }
  void close(unsigned mode) {
    if (::fchmod(fd_.get(), mode & 0777U) != 0) os::throw_errno("cannot set the mode of", path_);
    if (fd_.close() != 0) os::throw_errno("cannot close", path_);
  }

 private:
  fs::path path_;
  os::Fd fd_;
};

}  // namespace

class ChainWriter::WholeFile final : public stream::Sink {
 public:
  WholeFile(fs::path path, os::Fd made, unsigned mode, MemberCheck check)
      : path_(std::move(path)), mode_(mode & 0777U), check_(std::move(check)), fd_(std::move(made)) {}

  void write(stream::Bytes data) override {
    check_.see(data);
    os::write_all(fd_.get(), data, path_);
  }
  void finish() override {
    check_.require_same();
    if (::fchmod(fd_.get(), mode_) != 0) os::throw_errno("cannot set the mode of", path_);
    if (fd_.close() != 0) os::throw_errno("cannot close", path_);
  }

 private:
  fs::path path_;
  unsigned mode_;
  MemberCheck check_;
  os::Fd fd_;
};

// One that takes the place of an earlier one.
class ChainWriter::ReplacedFile final : public stream::Sink {
 public:
  ReplacedFile(fs::path path, unsigned mode, MemberCheck check)
      : mode_(mode), check_(std::move(check)), file_(std::move(path)) {}

  void write(stream::Bytes data) override {
    check_.see(data);
    file_.write(data);
  }
  void finish() override {
    check_.require_same();
    file_.close(mode_);
  }

 private:
  unsigned mode_;
  MemberCheck check_;
  RewrittenFile file_;
};

class ChainWriter::ChangedFile final : public stream::Sink {
 public:
  ChangedFile(fs::path path, unsigned mode, MemberCheck check)
      : mode_(mode), check_(std::move(check)), segment_(std::move(path)) {}

  void write(stream::Bytes data) override {
    check_.see(data);
    during(check_.name(), [&] { reader_.write(data); });
  }
  void finish() override {
    check_.require_same();
    during(check_.name(), [&] { reader_.finish(); });
    segment_.close(mode_);
  }

 private:
  unsigned mode_;
  MemberCheck check_;
  SegmentOnDisk segment_;
  pgformat::IncrementalApplier applier_{segment_};
  pgformat::IncrementalReader reader_{applier_};
};

ChainWriter::ChainWriter(ChainMember member)
    : member_(std::move(member)), seen_(std::make_unique<std::atomic<bool>[]>(member_.files.count())) {}

ChainWriter::~ChainWriter() = default;

void ChainWriter::directory(const std::string& path, unsigned mode) {
  if (member_.is_last) make_restored_directory(member_.folders, path, mode);
}

std::unique_ptr<stream::Sink> ChainWriter::file(const MemberFile& file) {
  const Use use = member_.files.use(member_.number, file.path);
  if (use == Use::kNone) {
    const bool is_strange = member_.is_last && member_.expected != nullptr;
    if (!is_strange) return nullptr;
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("{} of backup {} is not in the backup's manifest: somebody put it there; look at it and "
                    "remove it, or restore with --no-verify",
                    file.path, member_.name));
  }
  MemberCheck check(member_, file.path);
  const bool is_again = seen_[*member_.files.place(file.path)].exchange(true);
  if (use == Use::kChange) {
    const auto whole = pgformat::name_without_increment(file.path);
    return std::make_unique<ChangedFile>(restored_place(member_.folders, *whole), file.mode,
                                         std::move(check));
  }
  const bool is_control = file.path == pgformat::kControlFile;
  if (member_.clones && !file.place.empty() && !is_control) {
    clone(file, restored_place(member_.folders, file.path));
    return nullptr;
  }
  fs::path place = restored_place(member_.folders, is_control ? std::string(kControlUnderWay) : file.path);
  os::Fd made;
  if (!member_.rewrites && !is_again) made = create_restored(place);
  if (made)
    return std::make_unique<WholeFile>(std::move(place), std::move(made), file.mode, std::move(check));
  return std::make_unique<ReplacedFile>(std::move(place), file.mode, std::move(check));
}

// The bytes are read to be checked, but not written.
void ChainWriter::clone(const MemberFile& file, const fs::path& to) const {
  MemberCheck check(member_, file.path);
  if (member_.expected != nullptr) {
    const auto source = os::open_file(file.place);
    std::vector<std::byte> buffer(kCheckPiece);
    while (const std::size_t size = source->read(buffer)) check.see(stream::Bytes(buffer).first(size));
    check.require_same();
  }
  os::make_directories(to.parent_path(), 0700);
  os::copy_whole_file(file.place, to, {});
}

std::uint64_t ChainWriter::require_all() const {
  std::uint64_t files = 0;
  (void)member_.files.visit(member_.number, [&](const pgformat::ManifestFile& listed, Use) {
    if (!seen_[*member_.files.place(listed.path)]) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} of backup {} is missing: the backup's manifest lists it; restore "
                              "another backup",
                              listed.path, member_.name));
    }
    ++files;
  });
  return files;
}

void make_restored_directory(const std::vector<RestoreFolder>& folders, const std::string& path,
                             unsigned mode) {
  const fs::path place = restored_place(folders, path);
  os::make_directories(place, 0700);
  if (::chmod(place.c_str(), (mode & 0777U) | 0700U) != 0) os::throw_errno("cannot set the mode of", place);
}

fs::path restored_place(const std::vector<RestoreFolder>& folders, const std::string& path) {
  for (const RestoreFolder& folder : folders) {
    const std::string prefix = fmt::format("pg_tblspc/{}/", folder.oid);
    if (folder.oid != 0 && path.starts_with(prefix)) return folder.to / path.substr(prefix.size());
  }
  return folders.front().to / path;
}

}  // namespace barman::engine
