#include "engine/wal/plain_source.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "codec/codec.h"
#include "os/durable_file.h"

namespace barman::engine {

namespace {
constexpr std::size_t kBuffer = 128 * 1024;
}

FilteredSource::FilteredSource(std::unique_ptr<stream::Source> from, std::unique_ptr<stream::Filter> filter)
    : from_(std::move(from)), filter_(std::move(filter)), buffer_(kBuffer) {}

std::size_t FilteredSource::read(stream::Buffer into) {
  while (!done_) {
    if (rest_.empty() && !ended_) refill();
    const auto input = ended_ ? stream::Filter::Input::kLast : stream::Filter::Input::kMore;
    if (rest_.empty() && !ended_) continue;
    const auto step = filter_->step(rest_, into, input);
    rest_ = rest_.subspan(step.consumed);
    done_ = step.done && ended_;
    if (step.produced != 0) return step.produced;
  }
  return 0;
}

void FilteredSource::refill() {
  const std::size_t got = from_->read(buffer_);
  rest_ = stream::Bytes(buffer_).first(got);
  ended_ = got == 0;
}

std::unique_ptr<stream::Source> open_plain(const std::filesystem::path& path, const StoredForm& form) {
  if (form.encrypted) return nullptr;
  if (!form.compression) return os::open_file(path);
  auto filter = codec::decompressor(*form.compression);
  if (!filter) return nullptr;
  return std::make_unique<FilteredSource>(os::open_file(path), std::move(filter));
}

std::size_t read_fully(stream::Source& source, stream::Buffer into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const std::size_t got = source.read(into.subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

bool same_content(stream::Source& one, stream::Source& other) {
  std::vector<std::byte> left(kBuffer);
  std::vector<std::byte> right(kBuffer);
  while (true) {
    const auto a = stream::Bytes(left).first(read_fully(one, left));
    const auto b = stream::Bytes(right).first(read_fully(other, right));
    if (!std::ranges::equal(a, b)) return false;
    if (a.empty()) return true;
  }
}

bool same_wal(const std::filesystem::path& one, const std::filesystem::path& other) {
  if (same_content(*os::open_file(one), *os::open_file(other))) return true;
  const StoredForm form = stored_form(read_front(one, codec::kDetectBytes));
  const StoredForm other_form = stored_form(read_front(other, codec::kDetectBytes));
  if (!form.compression && !other_form.compression) return false;
  const auto left = open_plain(one, form);
  const auto right = open_plain(other, other_form);
  if (!left || !right) return false;
  try {
    return same_content(*left, *right);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCorrupt) return false;
    throw;
  }
}

}  // namespace barman::engine
