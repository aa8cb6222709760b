#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/relative_path.h"
#include "codec/tar_reader.h"

namespace {

// Holds the reader to its promises: safe names, entries one after the other, as much data as announced.
class Referee final : public barman::codec::TarReceiver {
 public:
  void begin(const barman::codec::TarEntry& entry) override {
    if (open_ || !barman::is_safe_relative_path(entry.path)) std::abort();
    open_ = true;
    left_ = entry.size;
  }
  void data(barman::stream::Bytes bytes) override {
    if (!open_ || bytes.size() > left_) std::abort();
    left_ -= bytes.size();
  }
  void end() override {
    if (!open_ || left_ != 0) std::abort();
    open_ = false;
  }

 private:
  bool open_ = false;
  std::uint64_t left_ = 0;
};

}  // namespace

// The first byte is the size of the pieces that the rest arrives in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t chunk = data[0] == 0 ? size : data[0];
  barman::stream::Bytes bytes = std::as_bytes(std::span(data + 1, size - 1));
  Referee referee;
  try {
    barman::codec::TarReader reader(referee);
    while (!bytes.empty()) {
      const std::size_t part = chunk < bytes.size() ? chunk : bytes.size();
      reader.write(bytes.first(part));
      bytes = bytes.subspan(part);
    }
    reader.finish();
  } catch (const barman::Error&) {
  }
  return 0;
}
