#include "postgres/copy_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace barman::postgres {

namespace {

constexpr std::chrono::seconds kPostgresEpoch{946'684'800};  // 2000-01-01

[[noreturn]] void throw_not_understood(std::string_view where) {
  throw Error(ErrorKind::kFailed,
              fmt::format("the server sent {} that this program does not understand", where));
}

std::uint64_t big_endian(stream::Bytes eight) {
  std::uint64_t value = 0;
  for (const std::byte b : eight.first(8)) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return value;
}

void append_big_endian(std::vector<std::byte>& to, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(value >> shift & 0xFF));
}

// Takes a text that ends with a zero off the front; nothing if there is no zero.
std::optional<std::string_view> take_text(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

}  // namespace

BackupMessage parse_backup_message(stream::Bytes message) {
  constexpr std::string_view kWhere = "a message within the base backup";
  if (message.empty()) throw_not_understood(kWhere);
  const stream::Bytes body = message.subspan(1);
  switch (std::to_integer<char>(message[0])) {
    case 'n': {
      std::string_view rest = stream::text_of(body);
      const auto file_name = take_text(rest);
      const auto tablespace = take_text(rest);
      if (file_name && tablespace && rest.empty()) return NewArchive{*file_name, *tablespace};
      break;
    }
    case 'm':
      if (body.empty()) return ManifestBegins{};
      break;
    case 'd':
      return BackupData{body};
    case 'p':
      if (body.size() == 8) return BackupProgress{big_endian(body)};
      break;
    default:
      break;
  }
  throw_not_understood(kWhere);
}

StreamMessage parse_stream_message(stream::Bytes message) {
  constexpr std::size_t kWalHeader = 1 + 8 + 8 + 8;      // 'w', start, end of WAL on the server, time
  constexpr std::size_t kKeepaliveSize = 1 + 8 + 8 + 1;  // 'k', end of WAL on the server, time, reply wanted
  if (message.size() >= kWalHeader && message[0] == std::byte{'w'}) {
    return WalData{.start = {big_endian(message.subspan(1))}, .bytes = message.subspan(kWalHeader)};
  }
  if (message.size() == kKeepaliveSize && message[0] == std::byte{'k'}) {
    return Keepalive{.wal_end = {big_endian(message.subspan(1))},
                     .reply_wanted = message[17] != std::byte{0}};
  }
  throw_not_understood("a message within the WAL stream");
}

std::vector<std::byte> format_standby_status(const StandbyStatus& status,
                                             std::chrono::system_clock::time_point now) {
  const auto since_epoch =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch() - kPostgresEpoch);
  std::vector<std::byte> message;
  message.reserve(34);
  message.push_back(std::byte{'r'});
  append_big_endian(message, status.written.value);
  append_big_endian(message, status.flushed.value);
  append_big_endian(message, 0);  // applied: we apply nothing
  append_big_endian(message, static_cast<std::uint64_t>(since_epoch.count()));
  message.push_back(status.reply_wanted ? std::byte{1} : std::byte{0});
  return message;
}

}  // namespace barman::postgres
