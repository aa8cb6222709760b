#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "pgformat/incremental.h"

namespace {

// Remembers only how long the segment is: what an applier may do to it does not depend on more.
class Length final : public barman::pgformat::SegmentFile {
 public:
  std::uint64_t size() override { return size_; }
  void resize(std::uint64_t size) override {
    if (size > barman::pgformat::kBlocksOfSegment * barman::pgformat::kBlockSize) __builtin_trap();
    size_ = size;
  }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (bytes.empty() || offset + bytes.size() > size_) __builtin_trap();
  }

 private:
  std::uint64_t size_ = 12345;
};

}  // namespace

// The first byte is the size of the pieces that the rest arrives in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t chunk = data[0] == 0 ? size : data[0];
  std::span<const std::byte> rest = std::as_bytes(std::span(data, size)).subspan(1);
  Length segment;
  barman::pgformat::IncrementalApplier applier(segment);
  barman::pgformat::IncrementalReader reader(applier);
  try {
    while (!rest.empty()) {
      const auto piece = rest.first(std::min(chunk, rest.size()));
      reader.write(piece);
      rest = rest.subspan(piece.size());
    }
    reader.finish();
  } catch (const barman::Error&) {
  }
  return 0;
}
