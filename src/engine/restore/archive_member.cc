#include "engine/restore/archive_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/error.h"
#include "codec/compress.h"
#include "engine/restore/pace.h"
#include "engine/server/archive_name.h"
#include "os/parallel.h"

namespace barman::engine {

namespace {

constexpr unsigned kFewestFetchers = 2;  // one fetches while the other's piece is unpacked

// The entries of an archive as the files of a member.
class EntriesToFiles final : public codec::TarReceiver {
 public:
  EntriesToFiles(std::string prefix, MemberReceiver& receiver, const MemberReading& reading)
      : prefix_(std::move(prefix)), receiver_(receiver), reading_(reading) {}

  void begin(const codec::TarEntry& entry) override {
    std::string path = prefix_ + entry.path;
    if (reading_.passes_over(path)) return;
    if (entry.kind == codec::TarEntry::Kind::kDirectory) receiver_.directory(path, entry.mode);
    if (entry.kind == codec::TarEntry::Kind::kFile) {
      sink_ = receiver_.file(
          {.path = std::move(path), .size = entry.size, .mode = entry.mode, .modified = entry.modified});
    }
  }
  void data(stream::Bytes bytes) override {
    if (sink_ == nullptr) return;
    sink_->write(bytes);
    reading_.pace.took(bytes.size());
  }
  void end() override {
    if (sink_ == nullptr) return;
    sink_->finish();
    sink_.reset();
  }

 private:
  std::string prefix_;
  MemberReceiver& receiver_;
  const MemberReading& reading_;
  std::unique_ptr<stream::Sink> sink_;
};

}  // namespace

std::string prefix_in_manifest(const std::string& oid) {
  return is_tablespace_stem(oid) ? fmt::format("pg_tblspc/{}/", oid) : "";
}

std::vector<stream::Stage> unpacking(const std::optional<codec::Compression>& compression, bool encrypted,
                                     const WalFormat& format, const std::stop_token& stop) {
  std::vector<stream::Stage> stages;
  if (encrypted) stages = format.decrypting(stop);
  std::ranges::move(codec::decompress_ahead(compression), std::back_inserter(stages));
  return stages;
}

std::optional<MemberReader::Known> ArchiveMember::look_at(const std::string& /*path*/, bool /*is_change*/) {
  return std::nullopt;
}

void ArchiveMember::read(MemberReceiver& receiver, const MemberReading& reading) {
  try {
    const auto at_a_time = std::max<std::size_t>(1, std::min<std::size_t>(reading.workers, archives_.size()));
    const unsigned fetchers = std::max(kFewestFetchers, reading.workers / static_cast<unsigned>(at_a_time));
    os::in_parallel(archives_.size(), reading.workers, reading.stop, [&](std::size_t i) {
      during("reading " + archives_[i].place,
             [&] { read_archive(archives_[i], fetchers, receiver, reading); });
    });
  } catch (const Error&) {
    // Ctrl-C ends gpg as well, which then looks like damage.
    if (reading.stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    throw;
  }
}

void ArchiveMember::read_archive(const KeptArchive& archive, unsigned fetchers, MemberReceiver& receiver,
                                 const MemberReading& reading) const {
  const auto stages = unpacking(archive.compression, archive.encrypted, format_, reading.stop);
  EntriesToFiles entries(archive.prefix, receiver, reading);
  const auto path = stream::chain(stages, std::make_unique<codec::TarReader>(entries, archive.end));
  archive.read(*path, fetchers, reading.stop);
  path->finish();
}

}  // namespace barman::engine
