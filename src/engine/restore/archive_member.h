// A backup that is kept as tar archives, in a folder or in a bucket: of the data directory, and of each
// tablespace, whatever way they are compressed and encrypted.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "codec/detect.h"
#include "codec/tar_reader.h"
#include "engine/restore/member.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

// One of the archives.
struct KeptArchive {
  std::string place;   // where it is, for messages
  std::string prefix;  // of its files in the manifest
  std::optional<codec::Compression> compression{};
  bool encrypted = false;
  codec::TarEnd end = codec::TarEnd::kMayBeMissing;
  // Writes all of it, as it is stored; does not finish `into`. What comes from afar is fetched in so many
  // pieces at a time, ahead of what is done with it.
  std::function<void(stream::Sink& into, unsigned fetchers, const std::stop_token& stop)> read;
};

// What the files of an archive have in front of their names in the manifest. `oid` is the object id of a
// tablespace as a text, or anything else for the data directory.
std::string prefix_in_manifest(const std::string& oid);

// From the bytes as they are stored to those of the archive.
std::vector<stream::Stage> unpacking(const std::optional<codec::Compression>& compression, bool encrypted,
                                     const WalFormat& format, const std::stop_token& stop);

// Reads as many archives at a time as there are workers. Nothing is written to disk on the way. Where an
// archive has a file twice, it is handed over twice.
class ArchiveMember final : public MemberReader {
 public:
  // Decrypts as `format` does.
  ArchiveMember(std::vector<KeptArchive> archives, WalFormat format)
      : archives_(std::move(archives)), format_(std::move(format)) {}

  std::optional<Known> look_at(const std::string& path, bool is_change) override;
  void read(MemberReceiver& receiver, const MemberReading& reading) override;

 private:
  void read_archive(const KeptArchive& archive, unsigned fetchers, MemberReceiver& receiver,
                    const MemberReading& reading) const;

  const std::vector<KeptArchive> archives_;
  const WalFormat format_;
};

}  // namespace barman::engine
