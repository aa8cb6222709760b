#include "engine/restore/manifest_in_bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "codec/tar_reader.h"
#include "engine/restore/archive_member.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"

namespace barman::engine {

namespace {

constexpr std::string_view kManifestMember = "backup_manifest";
constexpr std::uint64_t kFrontPiece = 4UL * 1024 * 1024;  // is read at a time, from the front
constexpr std::uint64_t kLongestFront = 4 * kFrontPiece;  // where the manifest need not be further behind
constexpr std::uint64_t kFirstTail = 1024UL * 1024;
constexpr std::uint64_t kTailGrowth = 8;

// A part of an object.
struct Span {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

[[noreturn]] void throw_vanished(const std::string& key) {
  throw Error(ErrorKind::kCorrupt, key + " vanished from the bucket; restore another backup");
}

using SharedBucket = std::shared_ptr<BucketHome>;

KeptManifest part_of_object(const SharedBucket& home, const std::string& key, Span span) {
  return {.name = home->full_key(key), .read = [home, key, span](stream::Sink& into) {
            const store::ByteRange range{.offset = span.offset, .length = span.length};
            if (!home->bucket().read(key, range, into)) throw_vanished(key);
          }};
}

// Remembers where the last header of a manifest stands that passes.
class ManifestHeader final : public stream::Sink {
 public:
  explicit ManifestHeader(std::uint64_t offset) : offset_(offset) {}

  void write(stream::Bytes data) override {
    while (!data.empty()) {
      const std::size_t size = std::min(block_.size() - filled_, data.size());
      stream::copy(data.first(size), stream::Buffer(block_).subspan(filled_));
      filled_ += size;
      data = data.subspan(size);
      if (filled_ == block_.size()) look();
    }
  }
  void finish() override {}

  [[nodiscard]] std::optional<Span> found() const { return found_; }

 private:
  void look() {
    filled_ = 0;
    offset_ += block_.size();
    const auto header = codec::file_header_in(block_);
    if (header && header->path == kManifestMember) found_ = {.offset = offset_, .length = header->size};
  }

  std::array<std::byte, codec::kTarBlock> block_{};
  std::size_t filled_ = 0;
  std::uint64_t offset_;
  std::optional<Span> found_;
};

// The last one among so many bytes at the end of an archive that is stored as it is.
std::optional<Span> find_at_end(store::ObjectStore& store, const CloudArchiveObject& archive,
                                std::uint64_t tail) {
  const std::uint64_t before = archive.size - std::min(archive.size, tail);
  const std::uint64_t offset = before / codec::kTarBlock * codec::kTarBlock;
  ManifestHeader header(offset);
  if (!store.read(archive.key, {.offset = offset}, header)) throw_vanished(archive.key);
  const auto found = header.found();
  return found && found->length <= archive.size - found->offset ? found : std::nullopt;
}

// Passes on the bytes of the first manifest among the entries of an archive.
class ManifestEntry final : public codec::TarReceiver {
 public:
  explicit ManifestEntry(stream::Sink* into) : into_(into) {}

  void begin(const codec::TarEntry& entry) override {
    is_here_ = !found_ && entry.kind == codec::TarEntry::Kind::kFile && entry.path == kManifestMember;
  }
  void data(stream::Bytes bytes) override {
    if (is_here_ && into_ != nullptr) into_->write(bytes);
  }
  void end() override { found_ = found_ || std::exchange(is_here_, false); }

  [[nodiscard]] bool found() const { return found_; }

 private:
  stream::Sink* into_;
  bool is_here_ = false;
  std::atomic<bool> found_ = false;  // the archive is taken apart on another thread
};

// Where in the archives to look, and how.
struct FrontSearch {
  SharedBucket home;
  std::vector<CloudArchiveObject> archives;
  WalFormat format;
  std::uint64_t most = 0;  // bytes, as they are stored
};

// Reads on until the manifest has come. Returns whether it has.
bool read_from_front(const FrontSearch& front, stream::Sink* into) {
  ManifestEntry entry(into);
  std::uint64_t left = front.most;
  for (const CloudArchiveObject& archive : front.archives) {
    const auto path =
        stream::chain(unpacking(archive.name.compression, archive.name.encrypted, front.format, {}),
                      std::make_unique<codec::TarReader>(entry));
    for (std::uint64_t offset = 0; offset < archive.size && left > 0 && !entry.found();) {
      const std::uint64_t length = std::min({kFrontPiece, archive.size - offset, left});
      if (!front.home->bucket().read(archive.key, {.offset = offset, .length = length}, *path))
        throw_vanished(archive.key);
      offset += length;
      left -= length;
      if (offset == archive.size) path->finish();
    }
  }
  return entry.found();
}

std::optional<KeptManifest> find_in_archives(FrontSearch front, bool is_there) {
  const CloudArchiveObject& first = front.archives.front();
  const CloudArchiveObject& last = front.archives.back();
  const bool is_plain = !last.name.compression && !last.name.encrypted;
  const auto at_end = [&](std::uint64_t tail) -> std::optional<KeptManifest> {
    const auto span = find_at_end(front.home->bucket(), last, tail);
    return span ? std::optional(part_of_object(front.home, last.key, *span)) : std::nullopt;
  };
  if (is_plain) {
    if (auto found = at_end(kFirstTail)) return found;
  }
  front.most = is_plain || !is_there ? kLongestFront : UINT64_MAX;
  if (read_from_front(front, nullptr)) {
    return KeptManifest{.name = fmt::format("{} in {}", kManifestMember, front.home->full_key(first.key)),
                        .read = [front](stream::Sink& into) { (void)read_from_front(front, &into); }};
  }
  if (!is_plain || !is_there) return std::nullopt;
  for (std::uint64_t tail = kFirstTail; tail < last.size;) {
    tail *= kTailGrowth;
    if (auto found = at_end(tail)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<KeptManifest> manifest_in_bucket(const Home& home, const catalog::BackupInfo& info,
                                               const std::vector<CloudArchiveObject>& archives,
                                               const WalFormat& format) {
  const SharedBucket& bucket = home.backup_bucket;
  const std::string key = manifest_key(info.id);
  if (const auto object = bucket->bucket().stat(key)) {
    return part_of_object(bucket, key, {.offset = 0, .length = object->size});
  }
  if (auto local = manifest_on_disk(home.manifest(info.id))) return local;
  // Those that barman-cloud-backup and local-to-cloud make leave out what the data directory has of that
  // name.
  if (!info.mode || info.mode->starts_with("local-to-cloud")) return std::nullopt;
  FrontSearch front{.home = bucket, .archives = {}, .format = format};
  std::ranges::copy_if(archives, std::back_inserter(front.archives),
                       [](const CloudArchiveObject& archive) { return archive.name.stem == kDataArchive; });
  return during("looking for the manifest of backup " + info.id.text,
                [&] { return find_in_archives(std::move(front), comes_with_manifest(info)); });
}

}  // namespace barman::engine
