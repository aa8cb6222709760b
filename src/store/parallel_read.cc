#include "store/parallel_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "base/error.h"
#include "os/work_ahead.h"

namespace barman::store {
namespace {

constexpr std::size_t kWriteBytes = 256UL * 1024;

// Collects a range.
class IntoBuffer final : public stream::Sink {
 public:
  explicit IntoBuffer(std::vector<std::byte>& buffer) : buffer_(buffer) {}
  void write(stream::Bytes data) override { buffer_.insert(buffer_.end(), data.begin(), data.end()); }
  void finish() override {}

 private:
  std::vector<std::byte>& buffer_;
};

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::vector<std::byte> bytes{};
  bool is_there = false;
  os::WorkAhead::Job job{};
};

}  // namespace

bool read_in_parallel(ObjectStore& store, const std::string& key, std::uint64_t size,
                      const ParallelRead& form, stream::Sink& into, const std::stop_token& stop) {
  if (size <= form.range_bytes || form.at_a_time < 2) return store.read(key, {.length = size}, into);
  std::deque<std::unique_ptr<Range>> ahead;
  std::unique_ptr<Range> spare;
  os::WorkAhead fetchers(form.at_a_time);  // last: its threads end before what they fill
  const auto begin = [&](std::uint64_t offset) {
    auto range = spare ? std::move(spare) : std::make_unique<Range>();
    range->offset = offset;
    range->length = std::min(form.range_bytes, size - offset);
    range->bytes.clear();
    range->bytes.reserve(static_cast<std::size_t>(range->length));
    range->job.work = [&store, &key, &one = *range](unsigned) {
      IntoBuffer sink(one.bytes);
      one.is_there = store.read(key, {.offset = one.offset, .length = one.length}, sink);
    };
    ahead.push_back(std::move(range));
    fetchers.submit(ahead.back()->job);
  };
  std::uint64_t begun = 0;
  const auto begin_some = [&] {
    for (; begun < size && ahead.size() < form.at_a_time; begun += form.range_bytes) begin(begun);
  };
  begin_some();
  for (std::uint64_t written = 0; written < size;) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    fetchers.wait_for(ahead.front()->job);
    auto first = std::move(ahead.front());
    ahead.pop_front();
    begin_some();  // so that as many are fetched while this one is written
    if (!first->is_there) {
      if (written == 0) return false;
      throw Error(ErrorKind::kFailed, fmt::format("{} vanished while it was read", key));
    }
    for (stream::Bytes rest = first->bytes;
         !rest.empty();) {  // those behind may keep copies of several writes
      const stream::Bytes part = rest.first(std::min(rest.size(), kWriteBytes));
      into.write(part);
      rest = rest.subspan(part.size());
    }
    written += first->length;
    spare = std::move(first);
  }
  return true;
}

}  // namespace barman::store
