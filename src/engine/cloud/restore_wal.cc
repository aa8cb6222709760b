#include "engine/cloud/restore_wal.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "base/error.h"
#include "codec/compress.h"
#include "engine/server/cloud_wal_objects.h"
#include "engine/wal/stored_stages.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "stream/chain.h"

namespace barman::engine {
namespace {

bool is_partial(const CloudWal& wal) { return wal.parsed.kind == pgformat::WalKind::kPartial; }

// What PostgreSQL would call the file once it is complete.
std::string complete_name(const CloudWal& wal) {
  return is_partial(wal) ? wal.name.substr(0, wal.name.find('.')) : wal.name;
}

// FNV-1a: tells archives apart, keeps no secret.
std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 14695981039346656037ULL;
  for (const char c : text) number = (number ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return number;
}

}  // namespace

std::vector<stream::Stage> plain_by_suffix(const CloudWal& wal) {
  if (wal.encrypted) {
    throw Error(ErrorKind::kFailed,
                "it is encrypted, which only the Barman server can read; use barman cloud-wal-restore there");
  }
  std::vector<stream::Stage> stages;
  if (wal.compression) stages.push_back(codec::decompress(*wal.compression));
  stages.push_back(whole_segment(wal.parsed));
  return stages;
}

std::vector<CloudWal> choose_cloud_wal(store::ObjectStore& store, const std::string& name, std::size_t count,
                                       bool with_partial) {
  const auto asked = pgformat::parse_wal_name(name);
  if (!asked) throw Error(ErrorKind::kUsage, fmt::format("{} is an invalid name for a WAL file", name));
  const bool alone = count <= 1 || asked->kind != pgformat::WalKind::kSegment;
  std::string prefix = wal_key(*asked, name, {});
  if (!alone) prefix.resize(prefix.rfind('/') + 1);
  std::vector<CloudWal> found;
  list_cloud_wal(store, prefix, [&](const CloudWal& wal, const store::ObjectInfo&) {
    if (wal.parsed.kind == pgformat::WalKind::kHistory && !alone) return true;
    const std::string whole = complete_name(wal);
    const bool wanted = wal.name == name || (alone ? whole == name : whole >= name);
    const bool is_incomplete = is_partial(wal) && wal.name != name;
    const bool is_label = wal.parsed.kind == pgformat::WalKind::kBackup && wal.name != name;
    if (!wanted || is_label || (is_incomplete && !with_partial)) return true;
    if (!found.empty() && complete_name(found.back()) == whole) {
      if (is_partial(found.back()) && !is_incomplete) found.back() = wal;
      return true;
    }
    if (!alone && found.size() == count) return false;
    found.push_back(wal);
    return true;
  });
  if (found.empty() || (found.front().name != name && complete_name(found.front()) != name)) return {};
  return found;
}

void fetch_cloud_wal(store::ObjectStore& store, const CloudWal& wal, const std::filesystem::path& path,
                     const ToPlain& to_plain) {
  during("WAL file " + wal.key, [&] {
    const auto sink = stream::chain(to_plain(wal), os::create_file(path, {.mode = 0600, .sync = false}));
    if (!store.read(wal.key, {}, *sink))
      throw Error(ErrorKind::kFailed, "it vanished while it was read; try again");
    sink->finish();
  });
}

WalSpool::WalSpool(const std::filesystem::path& folder, std::string_view url, std::string_view server)
    : folder_(folder / fmt::format("{:016x}", number_of(fmt::format("{}\n{}", url, server)))) {}

bool WalSpool::take(const std::string& name, const std::filesystem::path& destination) const {
  const std::filesystem::path path = folder_ / name;
  struct stat status {};
  struct stat above {};
  if (::lstat(path.c_str(), &status) != 0) return false;
  if (::stat(folder_.c_str(), &above) != 0 || above.st_uid != ::geteuid() || status.st_uid != ::geteuid() ||
      !S_ISREG(status.st_mode)) {
    return false;  // somebody else's idea of WAL
  }
  try {
    const auto parsed = pgformat::parse_wal_name(name);
    if (!parsed) return false;
    const auto sink =
        stream::chain(whole_segment(*parsed), os::create_file(destination, {.mode = 0600, .sync = false}));
    stream::pump(*os::open_file(path), *sink);
    sink->finish();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    os::remove_file(path);
    return false;
  }
  os::remove_file(path);
  return true;
}

void WalSpool::make() const {
  os::make_directories(folder_, 0700);
  struct stat status {};
  if (::lstat(folder_.c_str(), &status) != 0) os::throw_errno("cannot look at", folder_);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) {
    throw Error(ErrorKind::kFailed,
                fmt::format("{} belongs to somebody else; name another spool directory", folder_.native()));
  }
}

void fetch_with_others(store::ObjectStore& store, const std::vector<CloudWal>& wal,
                       const std::filesystem::path& destination, const WalSpool& spool,
                       const std::stop_token& stop, const ToPlain& to_plain) {
  os::in_parallel(wal.size(), static_cast<unsigned>(wal.size()), stop, [&](std::size_t index) {
    if (index == 0) return fetch_cloud_wal(store, wal[0], destination, to_plain);
    try {
      fetch_cloud_wal(store, wal[index], spool.place_of(complete_name(wal[index])), to_plain);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): it is fetched when it is asked for
    }
  });
}

}  // namespace barman::engine
