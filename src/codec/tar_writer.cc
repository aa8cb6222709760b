#include "codec/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace barman::codec {
namespace {

constexpr std::size_t kHeaderBytes = 512;
constexpr std::uint64_t kRecordBytes = 10240;  // archives are multiples of it
constexpr std::size_t kNameBytes = 100;
constexpr std::uint64_t kMostOctal11 = 077777777777;
constexpr std::uint64_t kMostOctal7 = 07777777;

using HeaderText = std::array<char, kHeaderBytes>;

void put_text(HeaderText& block, std::size_t at, std::string_view text) {
  std::ranges::copy(text, block.begin() + static_cast<std::ptrdiff_t>(at));
}

void put_octal(HeaderText& block, std::size_t at, std::size_t digits, std::uint64_t value) {
  put_text(block, at, fmt::format("{:0{}o}", value, digits));
}

HeaderText ustar_header(std::string_view path, char type, std::uint64_t size, std::string_view target,
                        const TarAttributes& attributes) {
  HeaderText block{};
  put_text(block, 0, path.substr(0, kNameBytes));
  put_octal(block, 100, 7, attributes.mode & 07777U);
  put_octal(block, 108, 7, std::min<std::uint64_t>(attributes.uid, kMostOctal7));
  put_octal(block, 116, 7, std::min<std::uint64_t>(attributes.gid, kMostOctal7));
  put_octal(block, 124, 11, size > kMostOctal11 ? 0 : size);
  put_octal(block, 136, 11,
            static_cast<std::uint64_t>(std::max<std::int64_t>(attributes.modified, 0)) & kMostOctal11);
  block[156] = type;
  put_text(block, 157, target.substr(0, kNameBytes));
  put_text(block, 257, std::string_view("ustar\00000", 8));
  put_text(block, 148, "        ");
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_text(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

// "30 path=...\n", the length of all of it in front.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (rest + std::to_string(size).size() != size) size = rest + std::to_string(size).size();
  return fmt::format("{} {}={}\n", size, key, value);
}

stream::Bytes bytes_of_header(const HeaderText& block) { return std::as_bytes(std::span(block)); }

}  // namespace

void TarWriter::write(stream::Bytes bytes) {
  to_.write(bytes);
  written_ += bytes.size();
}

void TarWriter::zeroes(std::uint64_t size) {
  static constexpr std::array<std::byte, 16384> kZeroes{};
  while (size > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, kZeroes.size()));
    write(stream::Bytes(kZeroes).first(part));
    size -= part;
  }
}

void TarWriter::header(const std::string& path, char type, std::uint64_t size, const std::string& target,
                       const TarAttributes& attributes) {
  std::string records;
  if (path.size() > kNameBytes) records += record("path", path);
  if (target.size() > kNameBytes) records += record("linkpath", target);
  if (size > kMostOctal11) records += record("size", std::to_string(size));
  if (attributes.uid > kMostOctal7) records += record("uid", std::to_string(attributes.uid));
  if (attributes.gid > kMostOctal7) records += record("gid", std::to_string(attributes.gid));
  if (!records.empty()) {
    write(bytes_of_header(ustar_header("././@PaxHeader", 'x', records.size(), "", {})));
    write(stream::bytes_of(records));
    zeroes((kHeaderBytes - records.size() % kHeaderBytes) % kHeaderBytes);
  }
  write(bytes_of_header(ustar_header(path, type, size, target, attributes)));
}

void TarWriter::directory(const std::string& path, const TarAttributes& attributes) {
  header(path.ends_with('/') ? path : path + "/", '5', 0, "", attributes);
}

void TarWriter::symlink(const std::string& path, const std::string& target, const TarAttributes& attributes) {
  header(path, '2', 0, target, attributes);
}

void TarWriter::begin_file(const std::string& path, std::uint64_t size, const TarAttributes& attributes) {
  header(path, '0', size, "", attributes);
  left_ = size;
}

void TarWriter::data(stream::Bytes bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  write(bytes.first(size));
  left_ -= size;
}

void TarWriter::end_file() {
  zeroes(left_);
  left_ = 0;
  zeroes((kHeaderBytes - written_ % kHeaderBytes) % kHeaderBytes);
}

void TarWriter::finish() {
  zeroes(2 * kHeaderBytes);
  zeroes((kRecordBytes - written_ % kRecordBytes) % kRecordBytes);
}

}  // namespace barman::codec
