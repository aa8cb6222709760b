#include "codec/compress.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

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

// Makes each block one frame.
class BlockEncoder {
 public:
  BlockEncoder(Compression kind, int level)
      // Only xz has to be told the size of all blocks in advance to save memory.
      : filter_(compressor(kind, level,
                           kind == Compression::kXz ? std::optional<std::uint64_t>(block_size(kind, level))
                                                    : std::nullopt)) {}

  // Returns the size of the frame at the front of `room`, which grows as needed.
  std::size_t encode(Bytes block, std::vector<std::byte>& room) {
    // More than any format adds to what it cannot compress: it is done in one step.
    room.resize(std::max(room.size(), block.size() + block.size() / 32 + 4096));
    std::size_t size = 0;
    while (true) {
      const auto step =
          filter_->step(block, stream::Buffer(room).subspan(size), stream::Filter::Input::kLast);
      block = block.subspan(step.consumed);
      size += step.produced;
      if (step.done) return size;
      if (size == room.size()) room.resize(size * 2);
    }
  }

 private:
  std::unique_ptr<stream::Filter> filter_;
};

struct Block {
  std::vector<std::byte> plain{};
  std::vector<std::byte> room{};  // with the frame at its front
  std::size_t frame_size = 0;
  bool done = false;
  std::exception_ptr failure{};

  [[nodiscard]] Bytes frame() const { return Bytes(room).first(frame_size); }
};

// On fewer cores than there is work for, what feeds the threads goes first: a server that sends a backup, and
// the thread that receives it, are not kept waiting by the compression of what came before.
void give_way() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), ::getpriority(PRIO_PROCESS, 0) + kNicer);
}

// Threads that encode blocks. Started one by one, as there is work for them.
class EncoderPool {
 public:
  EncoderPool(Compression kind, int level, unsigned workers)
      : kind_(kind), level_(level), workers_(workers) {}

  ~EncoderPool() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
  }

  EncoderPool(const EncoderPool&) = delete;
  EncoderPool& operator=(const EncoderPool&) = delete;

  // `block` is the pool's until it is done.
  void submit(Block& block) {
    {
      const std::lock_guard lock(mutex_);
      block.done = false;
      waiting_.push_back(&block);
    }
    if (threads_.size() < workers_) threads_.emplace_back([this] { work(); });
    changed_.notify_all();
  }

  [[nodiscard]] bool is_done(const Block& block) {
    const std::lock_guard lock(mutex_);
    return block.done;
  }

  // Throws what encoding it threw.
  void wait_for(const Block& block) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&block] { return block.done; });
    if (block.failure) std::rethrow_exception(block.failure);
  }

 private:
  void work() noexcept {
    give_way();
    std::optional<BlockEncoder> encoder;
    while (Block* block = next()) {
      try {
        if (!encoder) encoder.emplace(kind_, level_);
        block->frame_size = encoder->encode(block->plain, block->room);
      } catch (...) {
        block->failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        block->done = true;
      }
      changed_.notify_all();
    }
  }

  // Nothing when the pool ends.
  Block* next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (ended_) return nullptr;
    Block* block = waiting_.front();
    waiting_.pop_front();
    return block;
  }

  Compression kind_;
  int level_;
  unsigned workers_;

  std::mutex mutex_;  // guards what follows, and `done` of the blocks
  std::condition_variable changed_;
  std::deque<Block*> waiting_;
  bool ended_ = false;

  std::vector<std::jthread> threads_;  // last: they end before what they use
};

class CompressSink final : public stream::Sink {
 public:
  CompressSink(Compression kind, int level, unsigned workers, std::unique_ptr<Sink> next)
      : kind_(kind),
        level_(level),
        block_size_(block_size(kind, level)),
        most_in_flight_(workers + kSlack),
        next_(std::move(next)),
        pool_(kind, level, workers) {}

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
    if (in_flight_.empty() && !wrote_any_) {
      filling_.frame_size = BlockEncoder(kind_, level_).encode(filling_.plain, filling_.room);
      next_->write(filling_.frame());
    } else {
      if (!filling_.plain.empty()) submit();
      while (!in_flight_.empty()) write_first();
    }
    next_->finish();
  }

 private:
  void submit() {
    if (in_flight_.size() == most_in_flight_) write_first();
    in_flight_.push_back(std::move(filling_));
    pool_.submit(in_flight_.back());
    if (spare_.empty()) {
      filling_ = Block{};
      filling_.plain.reserve(block_size_);
    } else {
      filling_ = std::move(spare_.back());
      spare_.pop_back();
    }
    while (!in_flight_.empty() && pool_.is_done(in_flight_.front())) write_first();
  }

  void write_first() {
    Block& first = in_flight_.front();
    pool_.wait_for(first);
    next_->write(first.frame());
    wrote_any_ = true;
    first.plain.clear();
    spare_.push_back(std::move(first));
    in_flight_.pop_front();
  }

  Compression kind_;
  int level_;
  std::size_t block_size_;
  std::size_t most_in_flight_;
  std::unique_ptr<Sink> next_;
  bool wrote_any_ = false;
  Block filling_;
  std::vector<Block> spare_;     // for their memory
  std::deque<Block> in_flight_;  // in order; a deque does not move them when it grows or shrinks at its ends
  EncoderPool pool_;             // last: its threads work on the blocks above
};

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
  return [=](std::unique_ptr<stream::Sink> next) -> std::unique_ptr<stream::Sink> {
    return std::make_unique<CompressSink>(kind, level, std::max(workers, 1U), std::move(next));
  };
}

stream::Stage decompress(Compression kind) {
  return stream::through([kind] { return decompressor(kind); });
}

}  // namespace barman::codec
