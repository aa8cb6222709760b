// Output that a codec had to make before there was room for it.
#pragma once

#include <algorithm>
#include <vector>

#include "stream/stream.h"

namespace barman::codec {

class Pending {
 public:
  [[nodiscard]] bool empty() const { return begin_ == end_; }

  // Room behind what is here; add() says how much of it was used.
  stream::Buffer room(std::size_t size) {
    if (empty()) begin_ = end_ = 0;
    if (bytes_.size() < end_ + size) bytes_.resize(end_ + size);
    return stream::Buffer(bytes_).subspan(end_, size);
  }
  void add(std::size_t size) { end_ += size; }
  void add(stream::Bytes bytes) {
    stream::copy(bytes, room(bytes.size()));
    add(bytes.size());
  }

  // Moves to the front of `out` what fits, and returns how much that was.
  std::size_t take(stream::Buffer out) {
    const std::size_t size = std::min(out.size(), end_ - begin_);
    stream::copy(stream::Bytes(bytes_).subspan(begin_, size), out);
    begin_ += size;
    return size;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;  // of what is not taken yet
  std::size_t end_ = 0;
};

}  // namespace barman::codec
