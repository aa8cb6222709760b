#include "pgformat/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace barman::pgformat {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected

using Table = std::array<std::uint32_t, 256>;

// table[k][b]: what byte b contributes when k more bytes follow it.
constexpr std::array<Table, 8> make_tables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

// Inline in builds for tests too, whose time it is a large part of.
[[gnu::always_inline]] inline std::uint64_t load(const std::byte* data) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, sizeof word);
  return word;
}

std::uint32_t step(std::uint32_t crc, std::byte byte) {
  return (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
}

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t crc, const std::byte* data, std::size_t size) {
  crc = ~crc;
  for (; size >= 8; size -= 8, data += 8) {
    std::array<std::uint32_t, 8> byte{};
    for (std::size_t i = 0; i < 8; ++i) byte[i] = std::to_integer<std::uint32_t>(data[i]);
    for (std::size_t i = 0; i < 4; ++i) byte[i] ^= (crc >> (8 * i)) & 0xFF;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][byte[i]];
  }
  for (; size != 0; --size, ++data) crc = step(crc, *data);
  return ~crc;
}

#if defined(__x86_64__)

namespace {

// The instruction has a latency of three cycles but one can start each cycle: three independent runs over
// neighbouring blocks are three times as fast as one, at the price of joining their results.
constexpr std::size_t kBlock = 2048;

// Appending kBlock zero bytes to a message maps its raw CRC linearly: one table for each of its four bytes.
using Shift = std::array<Table, 4>;

Shift make_shift() {
  Shift shift{};
  for (std::size_t part = 0; part < shift.size(); ++part) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      std::uint32_t crc = std::uint32_t{1} << (8 * part + bit);
      for (std::size_t i = 0; i < kBlock; ++i) crc = step(crc, std::byte{0});
      for (std::size_t byte = 0; byte < 256; ++byte) {
        if ((byte >> bit & 1) != 0) shift[part][byte] ^= crc;
      }
    }
  }
  return shift;
}

std::uint32_t shift_by_block(const Shift& shift, std::uint32_t crc) {
  return shift[0][crc & 0xFF] ^ shift[1][(crc >> 8) & 0xFF] ^ shift[2][(crc >> 16) & 0xFF] ^
         shift[3][crc >> 24];
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::uint32_t start,
                                                                      const std::byte* data,
                                                                      std::size_t size) {
  std::uint64_t crc = ~start;
  if (size >= 3 * kBlock) {
    static const Shift kShift = make_shift();
    for (; size >= 3 * kBlock; size -= 3 * kBlock, data += 3 * kBlock) {
      std::uint64_t second = 0;
      std::uint64_t third = 0;
      for (std::size_t i = 0; i < kBlock; i += 8) {
        crc = _mm_crc32_u64(crc, load(data + i));
        second = _mm_crc32_u64(second, load(data + kBlock + i));
        third = _mm_crc32_u64(third, load(data + 2 * kBlock + i));
      }
      crc = shift_by_block(kShift, static_cast<std::uint32_t>(crc)) ^ second;
      crc = shift_by_block(kShift, static_cast<std::uint32_t>(crc)) ^ third;
    }
  }
  for (; size >= 8; size -= 8, data += 8) crc = _mm_crc32_u64(crc, load(data));
  auto result = static_cast<std::uint32_t>(crc);
  for (; size != 0; --size, ++data) result = _mm_crc32_u8(result, std::to_integer<unsigned char>(*data));
  return ~result;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, const std::byte* data, std::size_t size) {
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  return kHasInstruction ? crc32c_by_instruction(crc, data, size) : crc32c_by_table(crc, data, size);
}

#else

std::uint32_t crc32c(std::uint32_t crc, const std::byte* data, std::size_t size) {
  return crc32c_by_table(crc, data, size);
}

#endif

}  // namespace barman::pgformat
