// Bytes that can be read more than once and from any place: what a request brings that may have to be made
// again.
#pragma once

#include "stream/stream.h"

namespace barman::stream {

// Belongs to one thread at a time.
class Content {
 public:
  virtual ~Content() = default;

  // Stays the same.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  // Fills all of `into` with what begins at `offset`; the caller asks for no more than there is. Throws if
  // the bytes cannot be had any more.
  virtual void read(std::uint64_t offset, Buffer into) = 0;
};

}  // namespace barman::stream
