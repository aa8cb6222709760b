#include "engine/restore/unlisted_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "engine/restore/chain_writer.h"
#include "engine/restore/rewritten_file.h"
#include "engine/server/control_under_way.h"
#include "pgformat/control_file.h"

namespace barman::engine {

namespace {

std::uint64_t hash_of_path(std::string_view path) { return std::hash<std::string_view>{}(path); }

}  // namespace

class UnlistedWriter::ComingFile final : public stream::Sink {
 public:
  ComingFile(std::filesystem::path path, unsigned mode) : mode_(mode), file_(std::move(path)) {}

  void write(stream::Bytes data) override { file_.write(data); }
  void finish() override { file_.close(mode_); }

 private:
  unsigned mode_;
  RewrittenFile file_;
};

void UnlistedWriter::directory(const std::string& path, unsigned mode) {
  const std::lock_guard lock(mutex_);
  modes_[path] = mode;
}

std::unique_ptr<stream::Sink> UnlistedWriter::file(const MemberFile& file) {
  const std::string name = file.path == pgformat::kControlFile ? kControlUnderWay : file.path;
  {
    const std::lock_guard lock(mutex_);
    files_.push_back(hash_of_path(name));
    is_sorted_ = false;
  }
  return std::make_unique<ComingFile>(restored_place(folders_, name), file.mode);
}

void UnlistedWriter::require_whole(const std::string& name) const {
  const auto require = [&](std::string_view path, std::string_view shown) {
    if (has_come(path)) return;
    throw Error(ErrorKind::kCorrupt, fmt::format("{} of backup {} is missing: its archives are not complete; "
                                                 "restore another backup",
                                                 shown, name));
  };
  require(kControlUnderWay, pgformat::kControlFile);
  require("backup_label", "backup_label");
}

bool UnlistedWriter::has_come(std::string_view path) const {
  const std::lock_guard lock(mutex_);
  if (!is_sorted_) std::ranges::sort(files_);
  is_sorted_ = true;
  return std::ranges::binary_search(files_, hash_of_path(path));
}

void UnlistedWriter::make_directories() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, mode] : modes_) make_restored_directory(folders_, path, mode);
}

}  // namespace barman::engine
