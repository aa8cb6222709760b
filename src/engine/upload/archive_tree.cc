#include "engine/upload/archive_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "engine/server/cloud_keys.h"
#include "engine/upload/page_check.h"
#include "os/durable_file.h"
#include "os/fd.h"
#include "os/tree.h"
#include "pgformat/control_file.h"
#include "pgformat/relation_file.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 128UL * 1024;  // whole pages of whatever size
constexpr std::size_t kMostAhead = 8;

bool is_gone(int reason) { return reason == ENOENT || reason == ENOTDIR; }

codec::TarAttributes attributes_of(const struct stat& status) {
  return {.mode = status.st_mode & 07777U,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .modified = status.st_mtim.tv_sec};
}

// A file that is read ahead. Its pieces share it.
struct OpenFile {
  os::Fd fd;
  fs::path path;
  std::optional<pgformat::RelationFile> relation{};  // nothing: its pages are not looked at
};

// What the file no longer has is zero.
void read_piece(const OpenFile& file, std::uint64_t offset, stream::Buffer into, PageCheck* pages) {
  const std::size_t have = os::read_at(file.fd.get(), offset, into, file.path);
  std::ranges::fill(into.subspan(have), std::byte{0});
  if (file.relation) pages->look(file.fd.get(), file.path, file.relation->segment, offset, into.first(have));
}

}  // namespace

bool is_backed_up(const std::string& relative, bool is_folder) {
  static const std::set<std::string, std::less<>> kEmptied{
      "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp",
      "pg_subtrans", "pg_wal",    "pg_xlog",     "pg_log",    "log"};
  static const std::set<std::string, std::less<>> kLeftOut{
      "postgresql.auto.conf.tmp", "current_logfiles.tmp", "postmaster.pid",
      "postmaster.opts",          "recovery.conf",        "standby.signal",
      "recovery.signal",          "backup_label",         "backup_manifest"};
  const std::size_t slash = relative.find('/');
  if (slash != std::string::npos && kEmptied.contains(relative.substr(0, slash))) return false;
  // Tablespaces in place are folders there; links to others are made when the backup is restored.
  if (relative.starts_with("pg_tblspc/") && slash == relative.rfind('/') && !is_folder) return false;
  const std::string name = relative.substr(relative.rfind('/') + 1);
  if (name.starts_with("pgsql_tmp") || name.starts_with("pg_internal.init") ||
      relative == pgformat::kControlFile)
    return false;
  if (is_folder) return true;
  // No restored server knows the relations of sessions.
  const auto relation = pgformat::parse_relation_path(relative);
  return !kLeftOut.contains(name) && !(relation && relation->is_temporary);
}

// What is written to the archive at a time: the header of an entry, bytes of a file, or both.
struct ArchiveTree::Piece {
  std::function<void(codec::TarWriter&)> header{};  // begins an entry
  std::shared_ptr<const OpenFile> file{};           // nothing: there are no bytes
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes{};
  bool ends_file = false;
  os::WorkAhead::Job job{};
};

codec::TarAttributes attributes_of_file(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) os::throw_errno("cannot look at", path);
  return attributes_of(status);
}

ArchiveTree::ArchiveTree(store::ObjectStore& store, const catalog::BackupId& id, std::string stem,
                         const TreeForm& form)
    : form_(form), series_(store, id, std::move(stem), form.archives), readers_(form.workers) {}

ArchiveTree::~ArchiveTree() = default;

void ArchiveTree::begin_last_part() {
  add_entry([this](codec::TarWriter&) { series_.begin_last(); });
}

void ArchiveTree::settle() {
  while (!ahead_.empty()) write_first();
}

void ArchiveTree::finish() {
  settle();
  series_.finish();
}

void ArchiveTree::add_tree(const fs::path& root, const Wanted& wanted, const std::stop_token& stop) {
  add_entry(
      [attributes = attributes_of_file(root)](codec::TarWriter& tar) { tar.directory("./", attributes); });
  os::walk_tree(root, [&](const os::TreeEntry& entry) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    const std::string& relative = entry.relative.native();
    const std::string name = "./" + relative;
    const fs::path path = root / entry.relative;
    if (!wanted(relative, entry.kind == os::EntryKind::kDirectory)) return false;
    if (entry.kind == os::EntryKind::kFile) {
      add_path(path, name, relative);
      return false;
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return false;
    const codec::TarAttributes attributes = attributes_of(status);
    if (S_ISDIR(status.st_mode)) {
      add_entry([name, attributes](codec::TarWriter& tar) { tar.directory(name, attributes); });
    }
    std::error_code failure;
    if (S_ISLNK(status.st_mode) && !fs::is_directory(path, failure)) {
      const fs::path target = fs::read_symlink(path, failure);
      if (!failure) {
        add_entry(
            [name, target, attributes](codec::TarWriter& tar) { tar.symlink(name, target, attributes); });
      }
    }
    return true;
  });
}

bool ArchiveTree::add_file(const fs::path& path, const std::string& name) { return add_path(path, name, ""); }

void ArchiveTree::add_text(const std::string& name, const std::string& text,
                           const codec::TarAttributes& attributes) {
  add_entry([name, text, attributes](codec::TarWriter& tar) {
    tar.begin_file(name, text.size(), attributes);
    tar.data(stream::bytes_of(text));
    tar.end_file();
  });
}

// `relative` tells whether it is a relation.
bool ArchiveTree::add_path(const fs::path& path, const std::string& name, const std::string& relative) {
  auto file = std::make_shared<OpenFile>();
  file->path = path;
  file->fd =
      os::Fd(os::retry_on_signal([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!file->fd) {
    if (is_gone(errno)) return false;
    os::throw_errno("cannot open", path);
  }
  struct stat status {};
  if (::fstat(file->fd.get(), &status) != 0) os::throw_errno("cannot look at", path);
  if (!S_ISREG(status.st_mode)) return false;
  if (form_.pages != nullptr) file->relation = pgformat::parse_relation_path(relative);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::unique_ptr<Piece> piece = new_piece();
  piece->header = [name, size, attributes = attributes_of(status)](codec::TarWriter& tar) {
    tar.begin_file(name, size, attributes);
  };
  for (std::uint64_t offset = 0;; offset += kPieceBytes) {
    const std::uint64_t left = size - offset;
    piece->file = file;
    piece->offset = offset;
    piece->bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes)));
    piece->ends_file = left <= kPieceBytes;
    const bool was_last = piece->ends_file;
    push(std::move(piece));
    if (was_last) return true;
    piece = new_piece();
  }
}

void ArchiveTree::add_entry(std::function<void(codec::TarWriter&)> write) {
  auto piece = std::make_unique<Piece>();
  piece->header = std::move(write);
  push(std::move(piece));
}

std::unique_ptr<ArchiveTree::Piece> ArchiveTree::new_piece() {
  auto piece = std::make_unique<Piece>();
  if (!spare_.empty()) {
    piece->bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  return piece;
}

void ArchiveTree::push(std::unique_ptr<Piece> piece) {
  if (ahead_.size() == kMostAhead) write_first();
  ahead_.push_back(std::move(piece));
  Piece& one = *ahead_.back();
  if (one.bytes.empty()) return;
  one.job.work = [&one, pages = form_.pages](unsigned) {
    read_piece(*one.file, one.offset, one.bytes, pages);
  };
  readers_.submit(one.job);
}

void ArchiveTree::write_first() {
  if (form_.between) form_.between();
  Piece& piece = *ahead_.front();
  if (!piece.bytes.empty()) readers_.wait_for(piece.job);
  if (piece.header) {
    tar_ = &series_.entry();
    piece.header(*tar_);
  }
  if (!piece.bytes.empty()) tar_->data(piece.bytes);
  if (piece.ends_file) tar_->end_file();
  if (piece.bytes.capacity() > 0) spare_.push_back(std::move(piece.bytes));
  ahead_.pop_front();
}

}  // namespace barman::engine
