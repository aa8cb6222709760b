// Verifies the pages of relations while their files are read.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stream/stream.h"

namespace barman::postgres {
class Session;
}

namespace barman::engine {

struct ServerFacts;

// How the server lays out relations.
struct PageLayout {
  std::uint32_t page_size = 8192;
  std::uint32_t pages_in_segment = 131072;
};
// Nothing if its pages have no checksums, or not all of them have yet.
std::optional<PageLayout> page_layout(const ServerFacts& facts);

struct DamagedFile {
  std::filesystem::path path;
  std::uint64_t pages = 0;              // that are damaged
  std::vector<std::uint32_t> blocks{};  // of the file; the first of them
};

// May be used from several threads.
class PageCheck {
 public:
  // `clock` outlives this. Waiting ends with kCancelled when `stop` is requested.
  PageCheck(PageLayout layout, Clock& clock, std::stop_token stop = {});

  // Looks at what was read at `offset` of a file: whole pages, but for the end of the file, where less than a
  // page is not looked at. A page that is not sound may have been read while the server wrote it. So it is
  // read again, after growing pauses, and what is then found takes its place in `bytes`. What stays unsound
  // is kept for damaged().
  void look(int fd, const std::filesystem::path& path, std::uint32_t segment, std::uint64_t offset,
            stream::Buffer bytes);

  // By their paths.
  [[nodiscard]] std::vector<DamagedFile> damaged() const;
  [[nodiscard]] const PageLayout& layout() const { return layout_; }

 private:
  void keep(const std::filesystem::path& path, const std::vector<std::uint32_t>& blocks);

  const PageLayout layout_;
  Clock& clock_;
  const std::stop_token stop_;

  mutable std::mutex mutex_;  // guards damaged_
  std::map<std::filesystem::path, DamagedFile> damaged_;
  std::atomic<std::uint64_t> found_ = 0;  // times that something was damaged
};

// Throws kCorrupt, naming them, if there are any; unless the server no longer keeps checksums: then it wrote
// pages without.
void require_sound_pages(const PageCheck& check, postgres::Session& session);

}  // namespace barman::engine
