#include "engine/wal/archive_directly.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/clock.h"
#include "base/error.h"
#include "engine/wal/examine.h"
#include "engine/wal/quarantine.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "pgformat/wal_page.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

// One file on its way, and what became of it.
struct Item {
  fs::path path;
  pgformat::WalName parsed;
  std::uint64_t size = 0;
  std::int64_t modified = 0;
  std::optional<WalFile> found{};  // what was there
  Likeness likeness = Likeness::kSame;
  std::optional<catalog::WalEntry> entry{};  // when it is stored

  [[nodiscard]] std::string name() const { return path.filename(); }
};

std::int64_t modified_at(const fs::path& path) {
  return static_cast<std::int64_t>(fs::last_write_time(path).time_since_epoch().count());
}

// The cluster that a segment says it is of.
std::optional<std::uint64_t> system_of(const fs::path& path) {
  const auto header = pgformat::parse_wal_header(read_front(path, pgformat::kWalHeaderSize));
  return header ? std::optional(header->system_identifier) : std::nullopt;
}

fs::path ahead_file(const Home& home) { return home.meta / "cloud-wal-stored-ahead"; }

std::string ahead_line(std::uint64_t system, const std::string& name, std::int64_t modified) {
  return fmt::format("{} {} {}", system, name, modified);
}

// Whether an earlier call stored this very file.
bool is_stored_ahead(const Home& home, const fs::path& path, const pgformat::WalName& parsed) {
  if (parsed.kind != pgformat::WalKind::kSegment) return false;
  const auto text = os::read_file(ahead_file(home));
  const auto system = text ? system_of(path) : std::nullopt;
  if (!system) return false;
  const std::string wanted = ahead_line(*system, path.filename(), modified_at(path));
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line == wanted) return true;
  }
  return false;
}

class DirectRun {
 public:
  explicit DirectRun(const DirectArchiving& archiving)
      : home_(archiving.home),
        format_(archiving.format),
        archiving_(archiving),
        archive_(wal_archive(archiving.home)),
        system_(known_system_identifier(archiving.home)) {}

  void run(const fs::path& path, const pgformat::WalName& parsed, const std::stop_token& stop) {
    std::vector<Item> items{look_at(path, parsed)};
    require_good(items.front());
    add_ready_ones(items);
    find_them(items);
    os::in_parallel(items.size(), static_cast<unsigned>(items.size()), stop, [&](std::size_t i) {
      if (i == 0) return put(items[0], stop);
      try {
        put(items[i], stop);
      } catch (const Error& error) {  // it is stored when it is asked for
        items[i].entry.reset();
      }
    });
    put_in_index(items);
    if (items.front().likeness == Likeness::kOther) return put_aside(items.front());
    remember(items);
  }

 private:
  static Item look_at(const fs::path& path, const pgformat::WalName& parsed) {
    return {.path = path, .parsed = parsed, .size = fs::file_size(path), .modified = modified_at(path)};
  }

  [[nodiscard]] StoredForm form_of(const Item& item) const {
    return format_.form_of(read_front(item.path, codec::kDetectBytes), item.parsed);
  }

  [[nodiscard]] Examination examine(const Item& item) const {
    return examine_file(item.path, item.parsed, item.size, form_of(item), system_);
  }

  void require_good(const Item& item) const {
    const Examination examination = examine(item);
    if (examination.verdict == WalVerdict::kGood) return;
    throw Error(ErrorKind::kRefused,
                fmt::format("{} {} and was not archived; find out which server archives here",
                            item.path.native(), examination.reason));
  }

  // The segments that follow and wait to be archived.
  void add_ready_ones(std::vector<Item>& items) const {
    const Item first = items.front();
    if (first.parsed.kind != pgformat::WalKind::kSegment) return;
    pgformat::Segment segment = first.parsed.segment;
    while (items.size() < archiving_.parallel) {
      segment = pgformat::next_segment(segment, first.size);
      const std::string name = pgformat::format_segment(segment);
      std::error_code absent;
      if (!fs::exists(first.path.parent_path() / "archive_status" / (name + ".ready"), absent)) return;
      const fs::path path = first.path.parent_path() / name;
      if (!fs::is_regular_file(path, absent)) continue;
      Item item = look_at(path, {.kind = pgformat::WalKind::kSegment, .segment = segment});
      if (examine(item).verdict != WalVerdict::kGood) return;
      items.push_back(std::move(item));
    }
  }

  void find_them(std::vector<Item>& items) const {
    std::vector<std::string> names;
    names.reserve(items.size());
    for (const Item& item : items) names.push_back(item.name());
    auto found = archive_->find(names);
    for (std::size_t i = 0; i < items.size(); ++i) items[i].found = std::move(found[i]);
  }

  // Stores the file, or compares it with what is there: before, or since another program or an attempt of
  // ours whose answer was lost was faster.
  void put(Item& item, const std::stop_token& stop) const {
    if (!item.found) {
      item.entry = archive_->store(item.path, format_.storing(form_of(item), item.size, 1), stop);
      if (item.entry) return;
      item.found = find_archived(*archive_, item.name());
    }
    if (!item.found) {
      throw Error(ErrorKind::kFailed,
                  fmt::format("{} was in the archive for a moment, and is not now; try again", item.name()));
    }
    item.likeness = archive_->compare(item.path, *item.found, format_);
    if (item.likeness != Likeness::kOther) item.entry = archive_->describe(*item.found, format_);
  }

  void put_in_index(const std::vector<Item>& items) const {
    std::vector<catalog::WalEntry> fresh;
    std::vector<catalog::WalEntry> known;
    for (const Item& item : items) {
      if (item.entry) (item.found ? known : fresh).push_back(*item.entry);
    }
    XlogIndex index(home_, archiving_.events, &format_);
    index.append(fresh);
    index.append_missing(known);
  }

  void put_aside(const Item& item) const {
    const fs::path to = quarantine_copy(home_, item.path, kDuplicate, archiving_.clock);
    archiving_.events.warning(fmt::format(
        "{} is already present in server {} with other content, which stays. This file was copied "
        "to {}: find out which server archives here",
        item.name(), home_.server, to.native()));
  }

  void remember(const std::vector<Item>& items) const {
    std::string text;
    for (const Item& item : items) {
      if (&item == &items.front() || !item.entry) continue;
      if (const auto system = system_of(item.path))
        text += ahead_line(*system, item.name(), item.modified) + "\n";
    }
    if (!text.empty()) os::write_file(ahead_file(home_), text);
  }

  const Home& home_;
  const WalFormat& format_;
  const DirectArchiving& archiving_;
  const std::unique_ptr<WalArchive> archive_;
  const std::optional<std::uint64_t> system_;
};

}  // namespace

void archive_directly(const DirectArchiving& archiving, const fs::path& path, const std::stop_token& stop) {
  const auto parsed = pgformat::parse_wal_name(path.filename().native());
  if (!parsed) throw Error(ErrorKind::kUsage, fmt::format("File is not a valid WAL file: {}", path.native()));
  if (archiving.parallel > 1 && is_stored_ahead(archiving.home, path, *parsed)) return;
  DirectRun(archiving).run(path, *parsed, stop);
}

}  // namespace barman::engine
