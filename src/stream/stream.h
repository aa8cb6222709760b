// The two ends of every data path, and the pump between them.
//
// Data is pushed. A backup is one Source pumped into a chain of Sinks (see chain.h); a chain is
// one owning pointer, so that dropping it drops the whole path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stop_token>
#include <string_view>

namespace barman::stream {

using Bytes = std::span<const std::byte>;
using Buffer = std::span<std::byte>;

// The bytes of a text, and the text of bytes. Both borrow.
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// To the front of `to`, which has room for all of it and is elsewhere.
inline void copy(Bytes from, Buffer to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

// Where bytes come from.
class Source {
 public:
  virtual ~Source() = default;

  // Fills the front of `into`, which is not empty, and returns how much it filled.
  // Blocks until there is at least one byte. Returns 0 at the end, and from then on.
  [[nodiscard]] virtual std::size_t read(Buffer into) = 0;
};

// Where bytes go.
//
// Nothing written to a sink can be seen by anyone until finish() has returned. Destroying a sink
// that was not finished abandons the data: files and uploads are removed, nothing is published.
// That is what keeps an exception half way from leaving half a backup behind. (Standard output and
// pipes cannot take back what was sent; there the exit status says whether it was all.)
class Sink {
 public:
  virtual ~Sink() = default;

  // Takes all of `data`; it may keep a copy, never the span.
  virtual void write(Bytes data) = 0;

  // Declares the data complete, and returns when it is stored. The last call, made once.
  virtual void finish() = 0;
};

// Writes all that `from` has to `to`, and returns the number of bytes. Does not finish `to`:
// the caller may have more to say. Throws kCancelled soon after `stop` is requested.
std::uint64_t pump(Source& from, Sink& to, const std::stop_token& stop = {});

}  // namespace barman::stream
