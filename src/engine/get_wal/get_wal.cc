#include "engine/get_wal/get_wal.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/error.h"
#include "codec/codec.h"
#include "codec/compress.h"
#include "engine/wal/examine.h"
#include "engine/wal/stored_stages.h"
#include "os/durable_file.h"
#include "os/send_file.h"
#include "pgformat/wal_name.h"
#include "pgformat/wal_page.h"
#include "stream/chain.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using pgformat::WalName;

struct Candidate {
  fs::path path;
  bool archived = false;
  bool partial = false;
};

// In the order in which they are looked for. The archive comes again at the end: the archiver may have moved
// the file there while we looked.
std::vector<Candidate> candidates(const Home& home, const WalName& parsed, const std::string& name,
                                  bool partial) {
  const fs::path archived = home.archived(parsed, name);
  std::vector<Candidate> found = {
      {.path = archived, .archived = true}, {.path = home.incoming / name}, {.path = home.streaming / name}};
  if (partial) {
    found.push_back({.path = home.streaming / (name + pgformat::kPartialSuffix), .partial = true});
    found.push_back({.path = home.streaming / name});
    found.push_back(
        {.path = fs::path(archived) += pgformat::kPartialSuffix, .archived = true, .partial = true});
    found.push_back({.path = home.incoming / (name + pgformat::kPartialSuffix), .partial = true});
  }
  found.push_back({.path = archived, .archived = true});
  return found;
}

// Nothing if there is no such regular file.
std::optional<FoundWal> open_candidate(const Candidate& candidate, const WalName& name,
                                       const WalFormat& format) {
  os::Fd file(
      os::retry_on_signal([&] { return ::open(candidate.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    os::throw_errno("cannot open", candidate.path);
  }
  std::error_code ignored;
  if (fs::is_directory(candidate.path, ignored)) return std::nullopt;
  std::byte front[codec::kDetectBytes];
  const ssize_t got = os::retry_on_signal([&] { return ::pread(file.get(), front, sizeof front, 0); });
  if (got < 0) os::throw_errno("cannot read", candidate.path);
  const StoredForm form = format.form_of(stream::Bytes(front).first(static_cast<std::size_t>(got)), name);
  // What we compressed or encrypted ourselves is of no use as it is.
  const bool is_packed = candidate.archived && form != StoredForm{};
  return FoundWal{.path = candidate.path,
                  .file = std::move(file),
                  .form = form,
                  .partial = candidate.partial && !is_packed};
}

std::optional<FoundWal> find_object(WalArchive& archive, const std::string& name) {
  auto object = find_archived(archive, name);
  if (!object) return std::nullopt;
  StoredForm form{.encrypted = object->entry.encryption.has_value()};
  if (!form.encrypted && object->entry.compression) {
    form.compression = codec::compression_named(*object->entry.compression);
  }
  return FoundWal{.path = name, .file = {}, .form = form, .object = *std::move(object)};
}

// What has only arrived was not looked at yet. In the archive everything was.
bool may_be_used(const FoundWal& wal, const WalName& parsed, const Home& home, Events& events) {
  const auto entry = describe_file(wal.path);
  if (!entry) return true;  // archived just now; what we have open is good
  const Examination examination =
      examine_file(wal.path, parsed, entry->size, wal.form, known_system_identifier(home));
  if (examination.verdict == WalVerdict::kGood) return true;
  events.log(LogLevel::kWarning, fmt::format("{} {}: passed over", wal.path.native(), examination.reason));
  return false;
}

// A file that cannot be looked at is not called missing.
bool has_file(const fs::path& path) {
  std::error_code error;
  const auto type = fs::status(path, error).type();
  if (type == fs::file_type::not_found) return false;
  if (error) throw Error(ErrorKind::kFailed, "looking at " + path.native() + ": " + error.message());
  return type == fs::file_type::regular;
}

// Which segments are there. Of an archive in a bucket each folder is listed once.
class Presence {
 public:
  explicit Presence(const Home& home) : home_(home), archive_(wal_archive(home)) {}

  [[nodiscard]] bool has(const pgformat::Segment& segment) {
    const std::string name = pgformat::format_segment(segment);
    if (has_file(home_.incoming / name) || has_file(home_.streaming / name)) return true;
    if (!home_.wal_bucket) return has_file(home_.archived({.segment = segment}, name));
    const std::string folder = pgformat::hash_directory({.segment = segment});
    auto listed = folders_.find(folder);
    if (listed == folders_.end()) listed = folders_.emplace(folder, archive_->names_in(folder)).first;
    return std::ranges::binary_search(listed->second, name);
  }

 private:
  const Home& home_;
  const std::unique_ptr<WalArchive> archive_;
  std::map<std::string, std::vector<std::string>> folders_;
};

// As its header says; nothing if the file has none that we can see.
std::optional<pgformat::SegmentSize> segment_size(const Home& home, const std::string& name) {
  const auto parsed = pgformat::parse_wal_name(name);
  for (const Candidate& candidate : candidates(home, *parsed, name, false)) {
    std::error_code ignored;
    if (candidate.path.is_relative() || !fs::is_regular_file(candidate.path, ignored)) continue;
    const auto header = pgformat::parse_wal_header(read_front(candidate.path, pgformat::kWalHeaderSize));
    if (header) return header->segment_size;
  }
  return std::nullopt;
}

// The one that follows and is there. When the size of segments is not known, a log may end before any power
// of two.
std::optional<pgformat::Segment> next_existing(Presence& presence, const pgformat::Segment& segment,
                                               std::optional<pgformat::SegmentSize> size) {
  pgformat::Segment next = segment;
  if (size) {
    next = pgformat::next_segment(segment, *size);
    return presence.has(next) ? std::optional(next) : std::nullopt;
  }
  ++next.seg;
  if (presence.has(next)) return next;
  const bool may_end_log = std::has_single_bit(next.seg);
  next = {segment.timeline, segment.log + 1, 0};
  return may_end_log && presence.has(next) ? std::optional(next) : std::nullopt;
}

bool is_stored_so(const FoundWal& wal, const WalForm& form) {
  if (wal.partial) return true;
  if (wal.form.encrypted) return false;
  if (wal.form.custom) return form.as_stored;
  if (form.as_stored) return true;
  // An object's name does not tell that it is plain, nor whole.
  const bool is_looked_into = !wal.object || form.compression;
  return is_looked_into && wal.form.compression == form.compression;
}

// From the bytes as stored to the bytes as wanted.
std::vector<stream::Stage> stages(const FoundWal& wal, const WalForm& wanted, const WalFormat& format,
                                  const std::stop_token& stop) {
  if (is_stored_so(wal, wanted)) return {};
  if (wanted.as_stored) return format.decrypting(stop);
  const auto name = pgformat::parse_wal_name(wal.name());
  std::vector<stream::Stage> result{format.to_plain(*name, stop), whole_segment(*name)};
  if (const auto kind = wanted.compression) {
    result.push_back(codec::compress(*kind, codec::medium_level(*kind)));
  }
  return result;
}

}  // namespace

std::optional<FoundWal> find_wal(const Home& home, const std::string& name, bool partial,
                                 const WalFormat& format, Events& events) {
  const auto parsed = pgformat::parse_wal_name(name);
  if (!parsed) throw Error(ErrorKind::kUsage, fmt::format("'{}' is not a valid wal file name", name));
  const auto archive = wal_archive(home);
  for (const Candidate& candidate : candidates(home, *parsed, name, partial)) {
    auto found = candidate.archived && home.wal_bucket ? find_object(*archive, candidate.path.filename())
                                                       : open_candidate(candidate, *parsed, format);
    if (found && (candidate.archived || candidate.partial || may_be_used(*found, *parsed, home, events)))
      return found;
  }
  return std::nullopt;
}

bool can_be_sent_so(const FoundWal& wal, const WalForm& form) {
  return !wal.object && is_stored_so(wal, form);
}

void deliver_wal(const Home& home, const FoundWal& wal, const WalForm& wanted, const WalFormat& format,
                 std::unique_ptr<stream::Sink> to, const std::stop_token& stop) {
  during(fmt::format("reading {}", wal.path.native()), [&] {
    const auto path = stream::chain(stages(wal, wanted, format, stop), std::move(to));
    if (wal.object) {
      wal_archive(home)->read(*wal.object, *path);
    } else {
      os::DescriptorSource source(wal.file, wal.path);
      stream::pump(source, *path, stop);
    }
    path->finish();
  });
}

std::vector<std::string> peek_wal(const Home& home, const std::string& name, std::size_t count) {
  const auto parsed = pgformat::parse_wal_name(name);
  if (!parsed || count == 0) return {};
  if (parsed->kind != pgformat::WalKind::kSegment) {
    const bool has_it = find_archived(*wal_archive(home), name) || has_file(home.incoming / name) ||
                        has_file(home.streaming / name);
    return has_it ? std::vector{name} : std::vector<std::string>{};
  }
  std::vector<std::string> names;
  Presence presence(home);
  const auto size = segment_size(home, name);
  std::optional<pgformat::Segment> at =
      presence.has(parsed->segment) ? std::optional(parsed->segment) : std::nullopt;
  while (at && names.size() < count) {
    names.push_back(pgformat::format_segment(*at));
    at = next_existing(presence, *at, size);
  }
  return names;
}

}  // namespace barman::engine
