#include "engine/wal/quarantine.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "base/clock.h"
#include "os/durable_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

std::string utc_of(Time time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fields);
}

bool is_taken(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

fs::path free_place(const Home& home, const fs::path& path, std::string_view suffix, const Clock& clock) {
  os::make_directories(home.errors);
  const std::string stem = fmt::format("{}.{}", path.filename().native(), utc_of(clock.now()));
  fs::path to = home.errors / fmt::format("{}.{}", stem, suffix);
  for (int again = 2; is_taken(to); ++again) to = home.errors / fmt::format("{}.{}.{}", stem, again, suffix);
  return to;
}

}  // namespace

fs::path quarantine_copy(const Home& home, const fs::path& path, std::string_view suffix,
                         const Clock& clock) {
  fs::path to = free_place(home, path, suffix, clock);
  const auto copy = os::create_file(to);
  stream::pump(*os::open_file(path), *copy);
  copy->finish();
  return to;
}

fs::path quarantine(const Home& home, const fs::path& path, std::string_view suffix, const Clock& clock,
                    Events& events) {
  fs::path to = free_place(home, path, suffix, clock);
  if (!is_taken(path)) {
    events.warning(
        fmt::format("{} vanished before it could be moved to the errors directory", path.native()));
    return to;
  }
  os::move_file(path, to);
  return to;
}

}  // namespace barman::engine
