#include "engine/upload/cluster_upload.h"

#include <fmt/format.h>
#include <unistd.h>

#include <set>

#include "base/error.h"
#include "engine/server/copy_stats.h"
#include "engine/upload/control_file.h"
#include "pgformat/control_file.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

// The place of a tablespace that is below the data directory, seen from there.
std::optional<std::string> place_inside(const fs::path& data, const fs::path& location) {
  std::error_code failure;
  const fs::path inner = fs::weakly_canonical(location, failure);
  const fs::path outer = fs::weakly_canonical(data, failure);
  const std::string relative = inner.lexically_relative(outer);
  if (failure || relative.empty() || relative == "." || relative.starts_with("..")) return std::nullopt;
  return relative;
}

}  // namespace

ClusterFiles cluster_files(const catalog::BackupInfo& info) {
  ClusterFiles files{.data = info.pgdata.value_or(""), .version = info.version.value_or(0)};
  for (const catalog::Tablespace& one : info.tablespaces) {
    if (fs::path(one.location).is_absolute()) files.tablespaces.push_back(one);
  }
  for (const auto& file : {info.config_file, info.hba_file, info.ident_file}) {
    if (file && !file->starts_with(files.data.native() + "/")) files.others.emplace_back(*file);
  }
  return files;
}

void require_local_cluster(const ClusterFiles& files) {
  const fs::path control = files.data / pgformat::kControlFile;
  if (files.data.empty() || ::access(control.c_str(), R_OK) != 0) {
    throw Error(ErrorKind::kRefused,
                "the data directory cannot be read here; run this on the server's host, as its user");
  }
}

ClusterUpload::ClusterUpload(store::ObjectStore& store, const catalog::BackupId& id, ClusterFiles files,
                             const TreeForm& form, Clock& clock)
    : store_(store), id_(id), files_(std::move(files)), form_(form), clock_(clock), begun_(clock.now()) {}

void ClusterUpload::copy(const std::stop_token& stop) {
  for (const catalog::Tablespace& one : files_.tablespaces) copy_tablespace(one, stop);
  copy_data(stop);
}

void ClusterUpload::copy_tablespace(const catalog::Tablespace& tablespace, const std::stop_token& stop) {
  const Time before = clock_.now();
  const std::string front = fmt::format("PG_{}_", files_.version / 10000);
  ArchiveTree series(store_, id_, std::to_string(tablespace.oid), form_);
  const auto wanted = [&](const std::string& relative, bool is_folder) {
    return relative.starts_with(front) && is_backed_up(relative, is_folder);
  };
  std::error_code failure;
  const bool was_dropped = !fs::exists(tablespace.location, failure) && !failure;
  if (!was_dropped) series.add_tree(tablespace.location, wanted, stop);
  series.finish();
  stored_ += series.stored_bytes();
  times_[std::to_string(tablespace.oid)] = clock_.now() - before;
}

void ClusterUpload::copy_data(const std::stop_token& stop) {
  data_begun_ = clock_.now();
  std::set<std::string, std::less<>> elsewhere;  // folders whose contents are another archive's
  for (const catalog::Tablespace& one : files_.tablespaces) {
    if (auto place = place_inside(files_.data, one.location)) elsewhere.insert(std::move(*place));
  }
  data_ = std::make_unique<ArchiveTree>(store_, id_, "data", form_);
  data_->add_tree(
      files_.data,
      [&](const std::string& relative, bool is_folder) {
        const std::size_t slash = relative.rfind('/');
        if (slash != std::string::npos && elsewhere.contains(relative.substr(0, slash))) return false;
        return is_backed_up(relative, is_folder);
      },
      stop);
  for (const fs::path& file : files_.others) data_->add_file(file, file.filename());
  data_->begin_last_part();
  add_control_file(*data_, files_.data, clock_, stop);
  data_->settle();
}

void ClusterUpload::finish(const std::string& backup_label) {
  codec::TarAttributes attributes = attributes_of_file(files_.data);
  attributes.mode = 0644;
  attributes.modified = 0;
  data_->add_text("backup_label", backup_label, attributes);
  data_->finish();
  const Time now = clock_.now();
  stored_ += data_->stored_bytes();
  times_["data"] = now - data_begun_;
  total_ = now - begun_;
}

std::uint64_t ClusterUpload::stored_bytes() const { return stored_; }

std::string ClusterUpload::copy_stats() const { return cloud_copy_stats(times_, total_, form_.workers); }

}  // namespace barman::engine
