// How blocks that several threads compress become one stream of bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "codec/codec.h"
#include "stream/stream.h"

namespace barman::codec {

struct Block {
  std::vector<std::byte> before{};  // as many bytes of the block in front as BlockFormat::window() asks for
  std::vector<std::byte> plain{};
  std::vector<std::byte> room{};  // what it became is at the front; kept for its memory
  std::size_t size = 0;           // of that
  std::uint32_t check = 0;        // for the format's own use

  [[nodiscard]] stream::Bytes encoded() const { return stream::Bytes(room).first(size); }
};

class BlockFormat {
 public:
  virtual ~BlockFormat() = default;

  // How many bytes back a block may refer to the one in front of it.
  [[nodiscard]] virtual std::size_t window() const { return 0; }
  // Fills `size` bytes of `room`. Called by several threads at a time, by each with a number of its own.
  virtual void encode(unsigned worker, Block& block) = 0;

  // The bytes in front of the first block. The rest is called in the order of the blocks.
  virtual std::vector<std::byte> front() { return {}; }
  virtual void passed(const Block& /*block*/) {}
  // The bytes behind the last block; there may have been none.
  virtual std::vector<std::byte> end(bool had_blocks) = 0;
};

// Each block a frame (member, stream) of its own.
std::unique_ptr<BlockFormat> frame_each(Compression kind, int level, unsigned workers);
// All blocks one gzip member, and one lz4 frame.
std::unique_ptr<BlockFormat> one_gzip_member(int level, unsigned workers);
std::unique_ptr<BlockFormat> one_lz4_frame(int level);

}  // namespace barman::codec
