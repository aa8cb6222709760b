#include "codec/compress.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "codec/block_format.h"
#include "codec/zstd.h"
#include "os/work_ahead.h"

namespace barman::codec {

namespace {

using stream::Bytes;

constexpr std::size_t kMiB = std::size_t{1} << 20U;
constexpr std::size_t kMemory = 72 * kMiB;
constexpr int kNicer = 5;
constexpr unsigned kSlack = 3;  // blocks that wait for a worker or for those before them

// What an encoder takes for itself at this level and size of blocks, roughly.
std::size_t encoder_memory(Compression kind, int level) {
  switch (kind) {
    case Compression::kBzip2:
      return 8 * kMiB;
    case Compression::kXz:
      return (level < 4 ? 20 : 28) * kMiB;
    case Compression::kZstd:
      return (level < 3 ? 2 : level < 8 ? 8 : level < 13 ? 24 : 56) * kMiB;
    case Compression::kGzip:
      return 4 * kMiB;  // it gathers a member
    case Compression::kLz4:
    case Compression::kSnappy:
      return kMiB;
  }
  return kMiB;
}

// On fewer cores than there is work for, what feeds the threads goes first: a server that sends a backup, and
// the thread that receives it, are not kept waiting by the compression of what came before.
void give_way() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), ::getpriority(PRIO_PROCESS, 0) + kNicer);
}

class CompressSink final : public stream::Sink {
 public:
  CompressSink(std::unique_ptr<BlockFormat> format, std::size_t block, unsigned workers,
               std::unique_ptr<Sink> next)
      : format_(std::move(format)),
        block_size_(block),
        most_in_flight_(workers + kSlack),
        next_(std::move(next)),
        ahead_(workers, give_way) {}

  void write(Bytes data) override {
    while (!data.empty()) {
      if (filling_.plain.size() == block_size_) submit();
      if (filling_.plain.capacity() == 0 && data.size() >= block_size_) filling_.plain.reserve(block_size_);
      const Bytes part = data.first(std::min(data.size(), block_size_ - filling_.plain.size()));
      filling_.plain.insert(filling_.plain.end(), part.begin(), part.end());
      data = data.subspan(part.size());
    }
  }

  void finish() override {
    if (!filling_.plain.empty()) submit();
    while (!in_flight_.empty()) write_first();
    if (!wrote_any_) pass_on(format_->front());
    pass_on(format_->end(wrote_any_));
    next_->finish();
  }

 private:
  struct Job : Block {
    os::WorkAhead::Job job{};
  };

  void submit() {
    if (in_flight_.size() == most_in_flight_) write_first();
    in_flight_.push_back(std::move(filling_));
    Job& job = in_flight_.back();
    take_spare();
    const Bytes behind = Bytes(job.plain).last(std::min(format_->window(), job.plain.size()));
    filling_.before.assign(behind.begin(), behind.end());
    job.job.work = [this, &job](unsigned worker) { format_->encode(worker, job); };
    ahead_.submit(job.job);
    while (!in_flight_.empty() && ahead_.is_done(in_flight_.front().job)) write_first();
  }

  void take_spare() {
    if (spare_.empty()) {
      filling_ = Job{};
      filling_.plain.reserve(block_size_);
    } else {
      filling_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }

  void write_first() {
    Job& first = in_flight_.front();
    ahead_.wait_for(first.job);
    if (!wrote_any_) pass_on(format_->front());
    wrote_any_ = true;
    next_->write(first.encoded());
    format_->passed(first);
    first.plain.clear();
    spare_.push_back(std::move(first));
    in_flight_.pop_front();
  }

  void pass_on(const std::vector<std::byte>& bytes) {
    if (!bytes.empty()) next_->write(bytes);
  }

  const std::unique_ptr<BlockFormat> format_;
  std::size_t block_size_;
  std::size_t most_in_flight_;
  std::unique_ptr<Sink> next_;
  bool wrote_any_ = false;
  Job filling_;
  std::vector<Job> spare_;     // for their memory
  std::deque<Job> in_flight_;  // in order; a deque does not move them when it grows or shrinks at its ends
  os::WorkAhead ahead_;        // last: its threads work on the blocks above
};

stream::Stage in_blocks(std::function<std::unique_ptr<BlockFormat>()> make_format, std::size_t block,
                        unsigned workers) {
  return [make = std::move(make_format), block,
          workers](std::unique_ptr<stream::Sink> next) -> std::unique_ptr<stream::Sink> {
    return std::make_unique<CompressSink>(make(), block, workers, std::move(next));
  };
}

}  // namespace

std::size_t block_size(Compression kind, int level) {
  switch (kind) {
    case Compression::kBzip2: {
      // As many whole blocks of bzip2's own as make nearly 900 kB; it keeps 19 bytes of each to itself.
      const std::size_t own = static_cast<std::size_t>(level) * 100000 - 19;
      return 900000 / own * own;
    }
    case Compression::kXz:
      return 2 * kMiB;
    case Compression::kZstd:
      return (level < 3 ? 1 : level < 8 ? 2 : 4) * kMiB;
    case Compression::kGzip:
    case Compression::kLz4:
    case Compression::kSnappy:
      return kMiB;
  }
  return kMiB;
}

unsigned default_workers(Compression kind, int level) {
  const std::size_t pair = 2 * block_size(kind, level) + block_size(kind, level) / 16;  // plain and frame
  const std::size_t affordable = (kMemory - (kSlack + 1) * pair) / (pair + encoder_memory(kind, level));
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 2U);
  return static_cast<unsigned>(std::clamp<std::size_t>(cores - 1, 1, std::max<std::size_t>(affordable, 1)));
}

unsigned files_at_a_time(Compression kind, int level) {
  // Without blocks, what xz looks back at grows with its level.
  const std::size_t whole = kind == Compression::kXz ? (level < 3   ? 32
                                                        : level < 4 ? 34
                                                                    : 96) *
                                                           kMiB
                                                     : encoder_memory(kind, level) * 3 / 2;
  return static_cast<unsigned>(std::max<std::size_t>(kMemory / whole, 1));
}

stream::Stage compress(Compression kind, int level, unsigned workers) {
  workers = std::max(workers, 1U);
  return in_blocks([=] { return frame_each(kind, level, workers); }, block_size(kind, level), workers);
}

stream::Stage compress_in_one_frame(Compression kind, int level, unsigned workers) {
  workers = std::max(workers, 1U);
  switch (kind) {
    case Compression::kGzip:
      return in_blocks([=] { return one_gzip_member(level, workers); }, block_size(kind, level), workers);
    case Compression::kLz4:
      return in_blocks([=] { return one_lz4_frame(level); }, block_size(kind, level), workers);
    case Compression::kZstd:
      return stream::through([=] { return zstd_compressor(level, {}, workers); });
    case Compression::kBzip2:
    case Compression::kSnappy:
    case Compression::kXz:
      break;
  }
  return stream::through([=] { return compressor(kind, level); });
}

stream::Stage decompress(Compression kind) {
  return stream::through([kind] { return decompressor(kind); });
}

std::vector<stream::Stage> decompress_ahead(const std::optional<Compression>& kind) {
  constexpr std::size_t kPiecesAhead = 8;
  if (!kind) return {};
  return {decompress(*kind), stream::on_own_thread(kPiecesAhead)};
}

}  // namespace barman::codec
