#include "engine/wal/bucket_archive.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "codec/codec.h"
#include "engine/server/cloud_wal_objects.h"
#include "engine/wal/plain_source.h"
#include "engine/wal/stored_stages.h"
#include "os/durable_file.h"
#include "os/file_content.h"
#include "os/parallel.h"

namespace barman::engine {

namespace {

constexpr unsigned kListingsAtATime = 8;

// The objects under which the names of one folder are, and perhaps others: the prefix that all their keys
// have.
std::map<std::string, std::string> prefixes_of(std::span<const std::string> names) {
  std::map<std::string, std::string> by_folder;
  for (const std::string& name : names) {
    const auto parsed = pgformat::parse_wal_name(name);
    if (!parsed) continue;
    const std::string key = wal_key(*parsed, name, {});
    const auto [at, is_first] = by_folder.emplace(pgformat::hash_directory(*parsed), key);
    if (is_first) continue;
    std::string& prefix = at->second;
    const auto differs = std::ranges::mismatch(prefix, key).in1;
    prefix.erase(differs, prefix.end());
  }
  return by_folder;
}

double seconds_of(Time time) {
  return static_cast<double>(time.time_since_epoch().count()) / static_cast<double>(Time::period::den);
}

catalog::WalEntry entry_of(const CloudWal& wal, const store::ObjectInfo& object) {
  catalog::WalEntry entry{.name = wal.name, .size = object.size, .time = seconds_of(object.modified)};
  if (wal.compression) entry.compression = codec::name_of(*wal.compression);
  if (wal.encrypted) entry.encryption = "gpg";
  return entry;
}

struct Source {
  std::uint64_t size = 0;
  double modified = 0;
};
Source look_at(const std::filesystem::path& path) {
  const auto entry = describe_file(path);
  if (!entry) throw Error(ErrorKind::kFailed, fmt::format("{} vanished before it was stored", path.native()));
  return {entry->size, entry->time};
}

}  // namespace

void BucketArchive::visit_named(std::span<const std::string> names, const Visit& visit) {
  const std::unordered_set<std::string_view> wanted(names.begin(), names.end());
  const auto by_folder = prefixes_of(names);
  std::vector<std::string> prefixes;
  prefixes.reserve(by_folder.size());
  for (const auto& [folder, prefix] : by_folder) prefixes.push_back(prefix);
  std::mutex mutex;
  os::in_parallel(prefixes.size(), kListingsAtATime, {}, [&](std::size_t i) {
    list_cloud_wal(home_.bucket(), prefixes[i], [&](const CloudWal& wal, const store::ObjectInfo& object) {
      if (!wanted.contains(wal.name)) return true;
      const std::lock_guard lock(mutex);
      visit(wal, object);
      return true;
    });
  });
}

std::vector<std::optional<WalFile>> BucketArchive::find(std::span<const std::string> names) {
  std::unordered_map<std::string, WalFile> by_name;
  visit_named(names, [&](const CloudWal& wal, const store::ObjectInfo& object) {
    by_name.emplace(wal.name, WalFile{.parsed = wal.parsed, .entry = entry_of(wal, object), .key = wal.key});
  });
  std::vector<std::optional<WalFile>> found;
  found.reserve(names.size());
  for (const std::string& name : names) {
    const auto at = by_name.find(name);
    found.push_back(at == by_name.end() ? std::nullopt : std::optional(at->second));
  }
  return found;
}

std::vector<std::string> BucketArchive::folders() {
  std::vector<std::string> names = home_.bucket().children(kCloudWals);
  std::erase_if(names, [](std::string& name) {
    if (!name.ends_with('/')) return true;
    name.pop_back();
    return !pgformat::parse_segment(name + "00000000");
  });
  return names;
}

std::vector<std::string> BucketArchive::names_in(const std::string& folder) {
  std::set<std::string> names;
  if (folder.empty()) {
    for (const std::string& child : home_.bucket().children(kCloudWals)) {
      if (const auto wal = parse_wal_key(cloud_wal_folder() + child)) names.insert(wal->name);
    }
  } else {
    list_cloud_wal(home_.bucket(), cloud_wal_folder(folder), [&](const CloudWal& wal, const auto&) {
      names.insert(wal.name);
      return true;
    });
  }
  return {names.begin(), names.end()};
}

void BucketArchive::scan(const WalFormat*, const ArchiveVisitor& visitor) {
  std::string folder;
  std::set<std::string> seen;  // of the folder
  home_.bucket().list(cloud_wal_folder(), [&](const store::ObjectInfo& object) {
    const auto wal = parse_wal_key(object.key);
    if (!wal) {
      visitor.foreign(home_.full_key(object.key));
      return true;
    }
    if (const std::string its = pgformat::hash_directory(wal->parsed); its != folder) {
      folder = its;
      seen.clear();
    }
    if (seen.insert(wal->name).second) visitor.wal(wal->parsed, entry_of(*wal, object));
    return true;
  });
}

std::optional<catalog::WalEntry> BucketArchive::describe(const WalFile& wal, const WalFormat&) {
  return wal.entry;
}

void BucketArchive::read(const WalFile& wal, stream::Sink& into) {
  if (!home_.bucket().read(wal.key, {}, into)) {
    throw Error(ErrorKind::kFailed, fmt::format("{} vanished while it was read; try again", place(wal)));
  }
}

void BucketArchive::fetch(const WalFile& wal, const WalFormat& format, const std::filesystem::path& to,
                          const std::stop_token& stop) {
  copy_plain(*this, wal, format, os::create_file(to, {.sync = false}), stop);
}

WalRemains BucketArchive::remove(std::span<const std::string> names, std::size_t batch) {
  WalRemains remains;
  std::vector<std::string> keys;
  std::unordered_set<std::string> found;
  visit_named(names, [&](const CloudWal& wal, const store::ObjectInfo&) {
    keys.push_back(wal.key);
    found.insert(wal.name);
  });
  for (const std::string& name : names) {
    if (!found.contains(name)) remains.absent.push_back(name);
  }
  std::ranges::sort(keys);
  if (!keys.empty()) remains.present = home_.bucket().remove_all(keys, batch);
  return remains;
}

std::vector<std::string> BucketArchive::places(std::span<const std::string> names) {
  std::vector<std::string> places;
  const auto found = find(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto parsed = pgformat::parse_wal_name(names[i]);
    if (parsed) places.push_back(home_.full_key(found[i] ? found[i]->key : wal_key(*parsed, names[i], {})));
  }
  return places;
}

Likeness BucketArchive::compare(const std::filesystem::path& arrived, const WalFile& archived,
                                const WalFormat& format) {
  const auto same = same_wal([&](stream::Sink& into) { stream::pump(*os::open_file(arrived), into); },
                             [&](stream::Sink& into) { read(archived, into); }, archived.parsed, format);
  return same.value_or(false) ? Likeness::kSame : Likeness::kOther;
}

std::optional<catalog::WalEntry> BucketArchive::store(const std::filesystem::path& arrived,
                                                      const WalFormat::Storing& storing,
                                                      const std::stop_token& stop) {
  const std::string name = arrived.filename();
  const auto parsed = pgformat::parse_wal_name(name);
  // What no suffix tells, the first bytes do.
  const auto kind = storing.compression ? codec::compression_named(*storing.compression) : std::nullopt;
  const Source source = look_at(arrived);
  stream::Measurement stored;
  try {
    const std::string key = wal_key(*parsed, name, kind, storing.encryption.has_value());
    if (storing.stages.empty()) {
      os::FileContent content(arrived);
      home_.bucket().put(key, content, {.must_be_new = true});
      stored.bytes = content.size();
    } else {
      const auto path = stream::chain(
          storing.stages,
          stream::chain(stream::measure(stored),
                        home_.bucket().create(key, {.must_be_new = true, .expected_bytes = source.size})));
      if (stream::pump(*os::open_file(arrived), *path, stop) != source.size) {
        throw Error(ErrorKind::kFailed,
                    fmt::format("{} changed while it was read; it was not stored", arrived.native()));
      }
      path->finish();
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kRefused) return std::nullopt;
    throw;
  }
  return catalog::WalEntry{
      .name = name,
      .size = stored.bytes,
      .time = source.modified,
      .compression = kind ? std::optional(std::string(codec::name_of(*kind))) : storing.compression,
      .encryption = storing.encryption};
}

}  // namespace barman::engine
