// Stored WAL as a stranger may have left it: what it is, and its plain bytes.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "codec/codec.h"

namespace {

constexpr std::size_t kEnough = 1 << 20;  // of output: a few bytes may stand for gigabytes

void decompress(barman::stream::Filter& filter, barman::stream::Bytes in) {
  using Input = barman::stream::Filter::Input;
  std::vector<std::byte> out(4096);
  std::size_t total = 0;
  while (total < kEnough) {
    const Input input = in.empty() ? Input::kLast : Input::kMore;
    const auto step = filter.step(in, out, input);
    if (step.done) return;
    if (step.consumed == 0 && step.produced == 0) std::abort();  // it would never end
    in = in.subspan(step.consumed);
    total += step.produced;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto in = std::as_bytes(std::span(data, size));
  (void)barman::codec::is_openpgp_encrypted(in);
  (void)barman::codec::detect_compression(in);
  using barman::codec::Compression;
  for (const auto kind : {Compression::kBzip2, Compression::kGzip, Compression::kLz4, Compression::kSnappy,
                          Compression::kXz, Compression::kZstd}) {
    try {
      decompress(*barman::codec::decompressor(kind), in);
    } catch (const barman::Error&) {
    }
  }
  return 0;
}
