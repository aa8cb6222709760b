#include "codec/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/relative_path.h"

namespace barman::codec {

using stream::Bytes;

namespace {

// Fields of the header: POSIX.1, "ustar Interchange Format".
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kOwner{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kModified{136, 12};
constexpr Field kHeaderChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 6};
constexpr Field kPrefix{345, 155};

constexpr std::uint64_t kLongestName = 64 * 1024;

[[noreturn]] void throw_corrupt(const std::string& what) {
  throw Error(ErrorKind::kCorrupt, "tar archive: " + what);
}

// Up to the first NUL.
std::string_view text_of(Bytes header, Field field) {
  const std::string_view text = stream::text_of(header.subspan(field.offset, field.size));
  return text.substr(0, text.find('\0'));
}

// Octal digits between blanks and NULs, or, with the highest bit of the first byte set, GNU's big-endian
// binary.
std::optional<std::uint64_t> number_of(Bytes header, Field field) {
  const Bytes bytes = header.subspan(field.offset, field.size);
  std::uint64_t value = 0;
  if (bytes.front() == std::byte{0x80}) {
    for (const std::byte byte : bytes.subspan(1)) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return value;
  }
  std::string_view digits = text_of(header, field);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find(' '));
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

std::uint64_t required_number(Bytes header, Field field, std::string_view what) {
  const auto value = number_of(header, field);
  if (!value) throw_corrupt(fmt::format("malformed {} of {}", what, text_of(header, kName)));
  return *value;
}

// Nobody restores by it: what cannot be read is nobody's.
std::uint32_t id_of(Bytes header, Field field) {
  return static_cast<std::uint32_t>(number_of(header, field).value_or(0));
}

bool is_zero(Bytes data) {
  return std::ranges::all_of(data, [](std::byte byte) { return byte == std::byte{0}; });
}

// The sum of the header's bytes, those of the sum itself counted as blanks, is what it says.
bool has_right_sum(Bytes header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool is_own = i >= kHeaderChecksum.offset && i < kHeaderChecksum.offset + kHeaderChecksum.size;
    sum += is_own ? ' ' : std::to_integer<std::uint64_t>(header[i]);
  }
  return number_of(header, kHeaderChecksum) == sum;
}

bool is_posix(Bytes header) {
  return stream::text_of(header.subspan(kMagic.offset, kMagic.size)) == std::string_view("ustar\0", 6);
}

std::string full_name(Bytes header) {
  std::string name(text_of(header, kName));
  const std::string_view prefix = text_of(header, kPrefix);
  if (is_posix(header) && !prefix.empty()) return fmt::format("{}/{}", prefix, name);
  return name;
}

// Nothing if it would leave the root.
std::optional<std::string> below_root(std::string_view name) {
  std::string_view path = name;
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (name.starts_with('/') || !is_safe_relative_path(path)) return std::nullopt;
  return std::string(path);
}

std::string safe_path(std::string_view name) {
  auto path = below_root(name);
  if (!path) throw_corrupt(fmt::format("unsafe name \"{}\"", name));
  return *std::move(path);
}

struct PaxRecord {
  std::string_view key;
  std::string_view value;
};

// A record at the front, "30 mtime=1637587098.123456789\n", which is taken away.
PaxRecord take_pax_record(std::string_view& text) {
  std::size_t size = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), size);
  const auto digits = static_cast<std::size_t>(end - text.data());
  const bool fits = failure == std::errc() && size <= text.size() && size > digits + 1 &&
                    text[digits] == ' ' && text[size - 1] == '\n';
  if (!fits) throw_corrupt("malformed pax header");
  const std::string_view record = text.substr(digits + 1, size - digits - 2);
  text.remove_prefix(size);
  const std::size_t sign = record.find('=');
  if (sign == std::string_view::npos) throw_corrupt("malformed pax header");
  return {record.substr(0, sign), record.substr(sign + 1)};
}

TarEntry::Kind kind_of(char type, std::string_view name) {
  switch (type) {
    case '0':
    case '\0':
      return name.ends_with('/') ? TarEntry::Kind::kDirectory : TarEntry::Kind::kFile;
    case '2':
      return TarEntry::Kind::kSymlink;
    case '5':
      return TarEntry::Kind::kDirectory;
    default:
      throw_corrupt(fmt::format("\"{}\" is of a kind that does not belong here ({:#04x})", name,
                                static_cast<unsigned char>(type)));
  }
}

}  // namespace

std::optional<TarEntry> file_header_in(Bytes block) {
  if (block.size() != kTarBlock || !is_posix(block) || !has_right_sum(block)) return std::nullopt;
  const char type = static_cast<char>(block[kType]);
  const auto size = number_of(block, kSize);
  const auto path = below_root(full_name(block));
  if ((type != '0' && type != '\0') || !size || !path) return std::nullopt;
  return TarEntry{.kind = TarEntry::Kind::kFile, .path = *path, .link_target = {}, .size = *size};
}

void TarReader::write(Bytes data) {
  while (!data.empty()) {
    switch (state_) {
      case State::kHeader:
        data = take_header(data);
        break;
      case State::kData:
        data = take_data(data);
        break;
      case State::kPadding:
        data = take_padding(data);
        break;
      case State::kLongName:
        data = take_long_name(data);
        break;
      case State::kEnd:
        take_end(data);
        return;
    }
  }
}

void TarReader::finish() {
  const bool between = state_ == State::kHeader && header_size_ == 0 && long_name_.empty() &&
                       long_target_.empty() && !pax_size_;
  const bool may_end = between && end_ == TarEnd::kMayBeMissing;
  if (!may_end && state_ != State::kEnd) throw_corrupt("cut short");
}

Bytes TarReader::take_header(Bytes data) {
  const std::size_t size = std::min(kBlock - header_size_, data.size());
  stream::copy(data.first(size), stream::Buffer(header_).subspan(header_size_));
  header_size_ += size;
  if (header_size_ == kBlock) {
    header_size_ = 0;
    read_header();
  }
  return data.subspan(size);
}

Bytes TarReader::take_data(Bytes data) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
  left_ -= size;
  receiver_.data(data.first(size));
  if (left_ == 0) {
    receiver_.end();
    pad(padding_);
  }
  return data.subspan(size);
}

Bytes TarReader::take_padding(Bytes data) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
  pad(left_ - size);
  return data.subspan(size);
}

Bytes TarReader::take_long_name(Bytes data) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
  *long_text_ += stream::text_of(data.first(size));
  left_ -= size;
  if (left_ == 0) {
    while (long_text_->ends_with('\0')) long_text_->pop_back();
    if (long_text_ == &pax_text_) take_pax_records();
    global_pax_text_.clear();
    pad(padding_);
  }
  return data.subspan(size);
}

void TarReader::take_pax_records() {
  const std::string text = std::exchange(pax_text_, {});
  for (std::string_view rest = text; !rest.empty();) {
    const auto [key, value] = take_pax_record(rest);
    if (key == "path") long_name_ = value;
    if (key == "linkpath") long_target_ = value;
    if (key != "size") continue;
    std::uint64_t size = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (failure != std::errc() || end != value.data() + value.size())
      throw_corrupt("malformed size in a pax header");
    pax_size_ = size;
  }
}

void TarReader::take_end(Bytes data) {
  if (!is_zero(data)) throw_corrupt("data after the end");
}

void TarReader::read_header() {
  if (is_zero(header_)) {
    state_ = State::kEnd;
    return;
  }
  if (!has_right_sum(header_)) throw_corrupt("the checksum of a header is wrong");
  const char type = static_cast<char>(header_[kType]);
  std::uint64_t size = required_number(header_, kSize, "size");
  if (type == 'x') return begin_long_name(pax_text_, size);
  if (type == 'g') return begin_long_name(global_pax_text_, size);
  if (type == 'L') return begin_long_name(long_name_, size);
  if (type == 'K') return begin_long_name(long_target_, size);

  size = std::exchange(pax_size_, std::nullopt).value_or(size);
  const std::string name = long_name_.empty() ? full_name(header_) : std::exchange(long_name_, {});
  std::string target =
      long_target_.empty() ? std::string(text_of(header_, kLinkName)) : std::exchange(long_target_, {});
  if (type == '5' && (name == "./" || name == ".")) return;  // the root itself, as Python begins archives
  const TarEntry::Kind kind = kind_of(type, name);
  const bool is_symlink = kind == TarEntry::Kind::kSymlink;
  begin_entry({.kind = kind,
               .path = safe_path(name),
               .link_target = is_symlink ? std::move(target) : std::string{},
               .size = kind == TarEntry::Kind::kFile ? size : 0,
               .mode = static_cast<std::uint32_t>(required_number(header_, kMode, "mode") & 07777),
               .uid = id_of(header_, kOwner),
               .gid = id_of(header_, kGroup),
               .modified = static_cast<std::int64_t>(required_number(header_, kModified, "time"))});
}

void TarReader::begin_entry(const TarEntry& entry) {
  receiver_.begin(entry);
  if (entry.size == 0) {
    receiver_.end();
    return;
  }
  state_ = State::kData;
  left_ = entry.size;
  padding_ = (kBlock - entry.size % kBlock) % kBlock;
}

void TarReader::begin_long_name(std::string& name, std::uint64_t size) {
  if (size == 0 || size > kLongestName || !name.empty()) throw_corrupt("malformed long name");
  state_ = State::kLongName;
  long_text_ = &name;
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
}

void TarReader::pad(std::uint64_t size) {
  left_ = size;
  state_ = size == 0 ? State::kHeader : State::kPadding;
}

}  // namespace barman::codec
