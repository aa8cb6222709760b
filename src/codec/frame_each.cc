#include <optional>

#include "codec/block_format.h"
#include "codec/compress.h"

namespace barman::codec {
namespace {

class FrameEach final : public BlockFormat {
 public:
  FrameEach(Compression kind, int level, unsigned workers) : kind_(kind), level_(level), filters_(workers) {}

  void encode(unsigned worker, Block& block) override {
    auto& filter = filters_.at(worker);
    if (!filter) filter = make();
    run(*filter, block);
  }

  std::vector<std::byte> end(bool had_blocks) override {
    if (had_blocks) return {};
    Block empty;
    run(*make(), empty);
    empty.room.resize(empty.size);
    return std::move(empty.room);
  }

 private:
  [[nodiscard]] std::unique_ptr<stream::Filter> make() const {
    // Only xz has to be told the size of all blocks in advance to save memory.
    return compressor(
        kind_, level_,
        kind_ == Compression::kXz ? std::optional<std::uint64_t>(block_size(kind_, level_)) : std::nullopt);
  }

  static void run(stream::Filter& filter, Block& block) {
    stream::Bytes plain = block.plain;
    std::vector<std::byte>& room = block.room;
    // More than any format adds to what it cannot compress: it is done in one step.
    room.resize(std::max(room.size(), plain.size() + plain.size() / 32 + 4096));
    block.size = 0;
    while (true) {
      const auto step =
          filter.step(plain, stream::Buffer(room).subspan(block.size), stream::Filter::Input::kLast);
      plain = plain.subspan(step.consumed);
      block.size += step.produced;
      if (step.done) return;
      if (block.size == room.size()) room.resize(room.size() * 2);
    }
  }

  const Compression kind_;
  const int level_;
  std::vector<std::unique_ptr<stream::Filter>> filters_;  // of each worker
};

}  // namespace

std::unique_ptr<BlockFormat> frame_each(Compression kind, int level, unsigned workers) {
  return std::make_unique<FrameEach>(kind, level, workers);
}

}  // namespace barman::codec
