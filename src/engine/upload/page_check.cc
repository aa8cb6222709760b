#include "engine/upload/page_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "engine/server/inspect.h"
#include "os/fd.h"
#include "pgformat/page.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

// Pages are written in microseconds; a processor that is short of time may make seconds of them.
constexpr int kAttempts = 10;
constexpr std::chrono::milliseconds kFirstRereadPause{1};
constexpr std::uint64_t kMostDoubts = 20;  // after so many finds there is no doubt worth a second each
constexpr int kAttemptsWithoutDoubt = 2;
constexpr std::size_t kMostBlocks = 5;  // that are named of a file
constexpr std::size_t kMostFiles = 20;  // that are named

std::string text_of(const DamagedFile& file) {
  const char* more = file.pages > file.blocks.size() ? ", …" : "";
  return fmt::format("{} (block{} {}{})", file.path.native(), file.pages == 1 ? "" : "s",
                     fmt::join(file.blocks, ", "), more);
}

}  // namespace

std::optional<PageLayout> page_layout(const ServerFacts& facts) {
  if (facts.setting("data_checksums") != "on") return std::nullopt;
  const auto number = [&facts](const char* name, std::uint32_t usual) {
    const std::string text = facts.setting(name).value_or("");
    std::uint32_t value = usual;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  const PageLayout usual;
  return PageLayout{.page_size = number("block_size", usual.page_size),
                    .pages_in_segment = number("segment_size", usual.pages_in_segment)};
}

PageCheck::PageCheck(PageLayout layout, Clock& clock, std::stop_token stop)
    : layout_(layout), clock_(clock), stop_(std::move(stop)) {}

void PageCheck::look(int fd, const fs::path& path, std::uint32_t segment, std::uint64_t offset,
                     stream::Buffer bytes) {
  const std::size_t size = layout_.page_size;
  const auto first = static_cast<std::uint32_t>(offset / size);
  const auto page = [&](std::uint32_t block) { return bytes.subspan((block - first) * size, size); };
  const auto is_sound = [&](std::uint32_t block) {
    return pgformat::is_sound_page(page(block), segment * layout_.pages_in_segment + block);
  };
  std::vector<std::uint32_t> unsound;
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    const auto block = static_cast<std::uint32_t>(first + at / size);
    if (!is_sound(block)) unsound.push_back(block);
  }
  auto pause = kFirstRereadPause;
  const int attempts = found_ < kMostDoubts ? kAttempts : kAttemptsWithoutDoubt;
  for (int attempt = 0; attempt < attempts && !unsound.empty(); ++attempt, pause *= 2) {
    if (!clock_.sleep(pause, stop_)) throw Error(ErrorKind::kCancelled, "stopped on request");
    for (const std::uint32_t block : unsound) {
      const std::size_t have = os::read_at(fd, static_cast<std::uint64_t>(block) * size, page(block), path);
      std::ranges::fill(page(block).subspan(have), std::byte{0});  // the file ends earlier by now
    }
    std::erase_if(unsound, is_sound);
  }
  if (!unsound.empty()) keep(path, unsound);
}

void PageCheck::keep(const fs::path& path, const std::vector<std::uint32_t>& blocks) {
  ++found_;
  const std::lock_guard lock(mutex_);
  DamagedFile& file = damaged_[path];
  file.path = path;
  file.pages += blocks.size();
  file.blocks.insert(file.blocks.end(), blocks.begin(), blocks.end());
  std::ranges::sort(file.blocks);  // pieces of a file are read in any order
  file.blocks.resize(std::min(file.blocks.size(), kMostBlocks));
}

std::vector<DamagedFile> PageCheck::damaged() const {
  const std::lock_guard lock(mutex_);
  std::vector<DamagedFile> files;
  for (const auto& [path, file] : damaged_) files.push_back(file);
  return files;
}

void require_sound_pages(const PageCheck& check, postgres::Session& session) {
  const std::vector<DamagedFile> files = check.damaged();
  if (files.empty()) return;
  const auto rows = session.query("SELECT pg_catalog.current_setting('data_checksums')");
  if (rows.at(0).at(0) != "on") return;
  std::vector<std::string> texts;
  for (const DamagedFile& file : files) {
    if (texts.size() < kMostFiles) texts.push_back(text_of(file));
  }
  if (files.size() > texts.size())
    texts.push_back(fmt::format("and {} more files", files.size() - texts.size()));
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("pages with wrong checksums in {}; restore these relations from an older backup, or "
                  "rebuild them if they are indexes",
                  fmt::join(texts, ", ")));
}

}  // namespace barman::engine
