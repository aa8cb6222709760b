// The archive of a server's WAL, in a folder or in a bucket. Files are asked for by the names that PostgreSQL
// gave them: how one is stored is found out by looking, never taken from the present configuration.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/xlogdb.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"
#include "pgformat/wal_name.h"
#include "store/bucket.h"
#include "stream/stream.h"

namespace barman::engine {

// A file of the archive.
struct WalFile {
  pgformat::WalName parsed;
  catalog::WalEntry entry;  // of the form only what the place tells: see WalArchive::describe()
  std::string key;          // the archive's own word for it
};

// What a scan of the archive finds, folder by folder, in ascending order of names.
struct ArchiveVisitor {
  std::function<void(const pgformat::WalName&, const catalog::WalEntry&)> wal;
  std::function<void(const std::string& place)> foreign;  // neither WAL nor the index
};

// How a file that has arrived stands to the archived one of its name.
enum class Likeness {
  kItself,  // an earlier run got as far as linking this very file there
  kSame,    // the same WAL, however it is stored
  kOther,   // or what cannot be read, for want of a secret key: it may hold anything
};

// What became of files that were to be removed.
struct WalRemains {
  std::vector<std::string> absent;         // names that were not there
  std::vector<store::NotRemoved> present;  // that are still there
};

// May be used from several threads. Throws kFailed for what cannot be looked at, kTransient for a store that
// does not answer: neither is taken for a file that is not there.
class WalArchive {
 public:
  virtual ~WalArchive() = default;

  // For each of these names the file, or nothing if there is none.
  [[nodiscard]] virtual std::vector<std::optional<WalFile>> find(std::span<const std::string> names) = 0;

  // The folders of segments: sixteen digits, timeline and log; ascending. Nothing is opened below them.
  [[nodiscard]] virtual std::vector<std::string> folders() = 0;

  // Names of the files in one of them, or, for "", of the history files; ascending.
  [[nodiscard]] virtual std::vector<std::string> names_in(const std::string& folder) = 0;

  // Visits all there is. With the server's format it is known what its custom filter made.
  virtual void scan(const WalFormat* format, const ArchiveVisitor& visitor) = 0;

  // What the index says of a file; nothing if it vanished.
  [[nodiscard]] virtual std::optional<catalog::WalEntry> describe(const WalFile& wal,
                                                                  const WalFormat& format) = 0;

  // Writes the bytes as they are stored, without finishing `into`. Throws kFailed if the file is gone.
  virtual void read(const WalFile& wal, stream::Sink& into) = 0;

  // Makes the file `to`, which must not exist, with the plain bytes; a failure may leave a part of it. Throws
  // as copy_plain() does.
  virtual void fetch(const WalFile& wal, const WalFormat& format, const std::filesystem::path& to,
                     const std::stop_token& stop) = 0;

  // Removes files, in whatever forms they are stored, durably. A bucket is told at most `batch` of them in
  // one request.
  [[nodiscard]] virtual WalRemains remove(std::span<const std::string> names, std::size_t batch) = 0;

  // Where a person finds the file: a path, or a key of the bucket. Of names: also of those that are not
  // there, as they would be called if they were stored as they are.
  [[nodiscard]] virtual std::string place(const WalFile& wal) const = 0;
  [[nodiscard]] virtual std::vector<std::string> places(std::span<const std::string> names) = 0;

  [[nodiscard]] virtual Likeness compare(const std::filesystem::path& arrived, const WalFile& archived,
                                         const WalFormat& format) = 0;

  // Puts a file that has arrived under its name, through the stages of `storing`, and returns its entry. The
  // source stays. Nothing if somebody else was faster. The name is durable when it was settled.
  [[nodiscard]] virtual std::optional<catalog::WalEntry> store(const std::filesystem::path& arrived,
                                                               const WalFormat::Storing& storing,
                                                               const std::stop_token& stop) = 0;

  // Makes durable what is under these names: of `fresh`, which were stored just now, the names, of `found`
  // also the data.
  virtual void settle(std::span<const std::string> fresh, std::span<const std::string> found) = 0;
};

// The archive of a home, which outlives it. Makes no request.
std::unique_ptr<WalArchive> wal_archive(const Home& home);

std::optional<WalFile> find_archived(WalArchive& archive, const std::string& name);

// The newest whole segment of a timeline, and that of each.
std::optional<pgformat::Segment> newest_archived(WalArchive& archive, pgformat::Timeline timeline);
std::map<pgformat::Timeline, pgformat::Segment> newest_archived(WalArchive& archive);

// Calls `visit` with each segment from `first` to `last` that is not there, ascending, until it returns
// false.
void visit_missing(WalArchive& archive, const pgformat::Segment& first, const pgformat::Segment& last,
                   pgformat::SegmentSize size, const std::function<bool(const pgformat::Segment&)>& visit);

// Writes the plain bytes of a file to `to`, and finishes it. Throws kFailed or kCorrupt, naming the file.
void copy_plain(WalArchive& archive, const WalFile& wal, const WalFormat& format,
                std::unique_ptr<stream::Sink> to, const std::stop_token& stop);

// The plain text of a small file: a history, a backup label. Nothing if there is none. Throws as copy_plain
// does, and kCorrupt if it is larger than any such file.
std::optional<std::string> read_plain_text(WalArchive& archive, const std::string& name,
                                           const WalFormat& format);

}  // namespace barman::engine
