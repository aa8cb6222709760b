#include <cstdint>

#include "base/error.h"
#include "pgformat/manifest.h"

// The first byte is the size of the pieces that the rest arrives in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t chunk = data[0] == 0 ? size : data[0];
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    barman::pgformat::ManifestReader reader([](const barman::pgformat::ManifestFile& file) {
      if (!barman::pgformat::is_safe_relative_path(file.path)) __builtin_trap();
    });
    while (!text.empty()) {
      reader.write(text.substr(0, chunk));
      text.remove_prefix(std::min(chunk, text.size()));
    }
    (void)reader.finish();
  } catch (const barman::Error&) {
  }
  return 0;
}
