// A transformation of bytes in bounded memory: every compressor, decompressor and cipher.
#pragma once

#include "stream/stream.h"

namespace barman::stream {

class Filter {
 public:
  virtual ~Filter() = default;

  enum class Input { kMore, kLast };

  struct Step {
    std::size_t consumed;  // bytes taken from the front of the input
    std::size_t produced;  // bytes put at the front of the output
    bool done;             // with kLast: all output has been produced
  };

  // Takes from `in` and fills `out` until one of them runs out; each call consumes, produces or is
  // done. The caller passes the rest of `in` again, with room in `out`, until it is used up; with
  // kLast, until `done`. Throws kCorrupt on input that is not of the format.
  virtual Step step(Bytes in, Buffer out, Input input) = 0;
};

}  // namespace barman::stream
