// Encrypted files as a stranger may have left them: whether they are all there.
#include <cstdint>
#include <cstdlib>

#include "codec/openpgp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto in = std::as_bytes(std::span(data, size));
  barman::codec::PacketTracker whole;
  whole.add(in);
  barman::codec::PacketTracker piecewise;
  for (std::size_t i = 0; i < size; ++i) piecewise.add(in.subspan(i, 1));
  if (whole.is_complete() != piecewise.is_complete()) std::abort();
  return 0;
}
