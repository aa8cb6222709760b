// Pages for tests, and files of them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "pgformat/page.h"
#include "stream/stream.h"

namespace barman::engine {

inline constexpr std::size_t kSamplePage = 8192;

// A page as a server with checksums writes it, as block `block` of its relation.
inline std::string sample_page(std::uint32_t block, std::size_t size = kSamplePage) {
  std::string page(size, '\0');
  for (std::size_t i = 0; i < size; ++i) page[i] = static_cast<char>(i * 7 + i / 256 * 13 + block);
  page[15] = 1;  // where its free space ends: not 0
  const std::uint16_t checksum = pgformat::page_checksum(stream::bytes_of(page), block);
  page[8] = static_cast<char>(checksum & 0xFFU);
  page[9] = static_cast<char>(checksum >> 8U);
  return page;
}

// In place, as a server writes: whoever has the file open sees it.
inline void write_sample(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace barman::engine
