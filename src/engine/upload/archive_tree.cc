#include "engine/cloud/archive_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "codec/codec.h"
#include "codec/gzip.h"
#include "engine/server/cloud_keys.h"
#include "os/durable_file.h"
#include "os/fd.h"
#include "os/tree.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using codec::Compression;

constexpr std::size_t kReadBytes = 256UL * 1024;

bool is_gone(int reason) { return reason == ENOENT || reason == ENOTDIR; }

codec::TarAttributes attributes_of(const struct stat& status) {
  return {.mode = status.st_mode & 07777U,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .modified = status.st_mtim.tv_sec};
}

// One frame, whatever the format: other programs read only the first of several.
stream::Stage compressing(Compression kind) {
  const int level = codec::medium_level(kind);
  return stream::through([kind, level] {
    return kind == Compression::kGzip ? codec::gzip_member_compressor(level) : codec::compressor(kind, level);
  });
}

// "16384/t3_16401": a relation of a session, which no restored server knows.
bool is_temporary_relation(const std::string& relative) {
  const std::size_t slash = relative.rfind('/');
  if (slash == std::string::npos || slash == 0) return false;
  const std::size_t above = relative.rfind('/', slash - 1);
  const std::string folder = relative.substr(above == std::string::npos ? 0 : above + 1,
                                             slash - (above == std::string::npos ? 0 : above + 1));
  const std::string name = relative.substr(slash + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(folder, is_digit) || name.size() < 4 || name[0] != 't' || !is_digit(name[1]))
    return false;
  const std::size_t mark = name.find('_');
  return mark != std::string::npos && mark + 1 < name.size() && is_digit(name[mark + 1]) &&
         std::all_of(name.begin() + 1, name.begin() + static_cast<std::ptrdiff_t>(mark), is_digit);
}

}  // namespace

bool is_backed_up(const std::string& relative, bool is_folder) {
  static const std::set<std::string, std::less<>> kEmptied{
      "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp",
      "pg_subtrans", "pg_wal",    "pg_xlog",     "pg_log",    "log",          "pg_tblspc"};
  static const std::set<std::string, std::less<>> kLeftOut{
      "postgresql.auto.conf.tmp", "current_logfiles.tmp", "pg_internal.init",
      "postmaster.pid",           "postmaster.opts",      "recovery.conf",
      "standby.signal",           "recovery.signal",      "backup_label",
      "backup_manifest"};
  const std::size_t slash = relative.find('/');
  if (slash != std::string::npos && kEmptied.contains(relative.substr(0, slash))) return false;
  const std::string name = relative.substr(relative.rfind('/') + 1);
  if (name.starts_with("pgsql_tmp") || relative == "global/pg_control") return false;
  return is_folder || (!kLeftOut.contains(name) && !is_temporary_relation(relative));
}

ArchiveSeries::ArchiveSeries(store::ObjectStore& store, const catalog::BackupId& id, std::string stem,
                             const CloudArchiveForm& form)
    : store_(store), id_(id), stem_(std::move(stem)), form_(form) {
  open_next();
}

void ArchiveSeries::open_next() {
  const std::string part = number_ == 0 ? "" : fmt::format("_{:04}", number_);
  ++number_;
  const std::string key = fmt::format("{}{}{}.tar{}", backup_folder(id_), stem_, part,
                                      form_.compression ? cloud_suffix(*form_.compression) : "");
  stored_ = {};
  std::vector<stream::Stage> stages;
  if (form_.compression) stages.push_back(compressing(*form_.compression));
  stages.push_back(stream::measure(stored_));
  stages.insert(stages.end(), form_.on_the_way_out.begin(), form_.on_the_way_out.end());
  path_ = stream::chain(stages, store_.create(key, {.tags = form_.tags}));
  tar_ = std::make_unique<codec::TarWriter>(*path_);
}

void ArchiveSeries::close() {
  tar_->finish();
  path_->finish();
  path_.reset();
}

// Before each entry: an entry is never divided.
void ArchiveSeries::make_room() {
  if (form_.between) form_.between();
  if (stored_.bytes <= form_.most_bytes) return;
  close();
  open_next();
}

void ArchiveSeries::finish() { close(); }

void ArchiveSeries::add_tree(const fs::path& root, const Wanted& wanted, const std::stop_token& stop) {
  struct stat status {};
  if (::stat(root.c_str(), &status) != 0) os::throw_errno("cannot look at", root);
  tar_->directory("./", attributes_of(status));
  os::walk_tree(root, [&](const os::TreeEntry& entry) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    const std::string& relative = entry.relative.native();
    const fs::path path = root / entry.relative;
    if (!wanted(relative, entry.kind == os::EntryKind::kDirectory)) return false;
    if (entry.kind == os::EntryKind::kFile) {
      add_file(path, "./" + relative);
      return false;
    }
    if (::lstat(path.c_str(), &status) != 0) return false;
    make_room();
    if (S_ISDIR(status.st_mode)) tar_->directory("./" + relative, attributes_of(status));
    std::error_code failure;
    if (S_ISLNK(status.st_mode) && !fs::is_directory(path, failure)) {
      const fs::path target = fs::read_symlink(path, failure);
      if (!failure) tar_->symlink("./" + relative, target, attributes_of(status));
    }
    return true;
  });
}

bool ArchiveSeries::add_file(const fs::path& path, const std::string& name) {
  const os::Fd file(
      os::retry_on_signal([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!file) {
    if (is_gone(errno)) return false;
    os::throw_errno("cannot open", path);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) os::throw_errno("cannot look at", path);
  if (!S_ISREG(status.st_mode)) return false;
  make_room();
  auto left = static_cast<std::uint64_t>(status.st_size);
  tar_->begin_file(name, left, attributes_of(status));
  buffer_.resize(kReadBytes);
  while (left > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size()));
    const ssize_t got = os::retry_on_signal([&] { return ::read(file.get(), buffer_.data(), wanted); });
    if (got < 0) os::throw_errno("cannot read", path);
    if (got == 0) break;
    tar_->data(stream::Bytes(buffer_).first(static_cast<std::size_t>(got)));
    left -= static_cast<std::uint64_t>(got);
    if (form_.between) form_.between();
  }
  tar_->end_file();
  return true;
}

void ArchiveSeries::add_text(const std::string& name, const std::string& text,
                             const codec::TarAttributes& attributes) {
  tar_->begin_file(name, text.size(), attributes);
  tar_->data(stream::bytes_of(text));
  tar_->end_file();
}

}  // namespace barman::engine
