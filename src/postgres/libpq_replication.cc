#include "postgres/libpq_replication.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>

#include "postgres/base_backup.h"
#include "postgres/quoting.h"
#include "postgres/wal_stream.h"

namespace barman::postgres {

namespace {

constexpr int kOldestServer = 130000;
constexpr int kReadsSlots = 150000;

std::optional<std::uint32_t> timeline_number(const std::optional<std::string>& text) {
  std::uint32_t value = 0;
  if (!text) return std::nullopt;
  const auto [stopped, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || stopped != text->data() + text->size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<pgformat::SegmentSize> parse_segment_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > 1024) return std::nullopt;
  const std::string_view unit(stopped, static_cast<std::size_t>(text.data() + text.size() - stopped));
  const std::uint64_t bytes = unit == "MB" ? value << 20 : unit == "GB" ? value << 30 : 0;
  const bool possible = std::has_single_bit(bytes) && bytes >= (1U << 20) && bytes <= (1U << 30);
  return possible ? std::optional(bytes) : std::nullopt;
}

LibpqReplication::LibpqReplication(const Parameters& parameters, const ConnectOptions& options)
    : timeout_(options.timeout),
      stop_(options.stop),
      connection_(parameters, ConnectionUse::kReplication, options.stop, connect_limit(parameters, options)) {
  if (server_version() >= kOldestServer) return;
  throw Error(ErrorKind::kFailed,
              fmt::format("PostgreSQL {} is too old: this program works with 13 and later",
                          connection_.parameter("server_version")));
}

Result LibpqReplication::execute(std::string_view doing, const std::string& command) {
  SocketWait wait(stop_, timeout_);
  return connection_.execute(doing, command, wait);
}

SystemIdentity LibpqReplication::identify_system() {
  const Result result = execute("IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM");
  const auto identifier = field(result, 0, 0);
  const auto timeline = timeline_number(field(result, 0, 1));
  const auto flushed = pgformat::parse_lsn(field(result, 0, 2).value_or(""));
  if (!identifier || !timeline || !flushed) {
    throw Error(ErrorKind::kFailed, "IDENTIFY_SYSTEM: the server's answer cannot be understood");
  }
  return {.system_identifier = *identifier, .timeline = *timeline, .flushed = *flushed};
}

pgformat::SegmentSize LibpqReplication::wal_segment_size() {
  const std::string text =
      field(execute("SHOW wal_segment_size", "SHOW wal_segment_size"), 0, 0).value_or("");
  if (const auto size = parse_segment_size(text)) return *size;
  throw Error(ErrorKind::kFailed, fmt::format("the server says that wal_segment_size is \"{}\"", text));
}

std::string LibpqReplication::timeline_history(pgformat::Timeline timeline) {
  SocketWait wait(stop_, timeout_);
  return fetch_history(connection_, timeline, wait);
}

void LibpqReplication::base_backup(const BaseBackupOptions& options, BaseBackupReceiver& receiver,
                                   const std::stop_token& stop) {
  run_base_backup(connection_, options, receiver, stop);
}

void LibpqReplication::stream_wal(const StreamOptions& options, WalReceiver& receiver,
                                  const std::stop_token& stop) {
  run_wal_stream(connection_, options, wal_segment_size(), receiver, stop);
}

void LibpqReplication::create_slot(const std::string& name, bool reserve_wal) {
  execute(fmt::format("creating replication slot '{}'", name),
          fmt::format("CREATE_REPLICATION_SLOT {} PHYSICAL{}", quote_name(name),
                      reserve_wal ? " RESERVE_WAL" : ""));
}

void LibpqReplication::drop_slot(const std::string& name) {
  execute(fmt::format("dropping replication slot '{}'", name),
          fmt::format("DROP_REPLICATION_SLOT {}", quote_name(name)));
}

std::optional<SlotInfo> LibpqReplication::read_slot(const std::string& name) {
  if (server_version() < kReadsSlots) {
    throw Error(ErrorKind::kFailed, "reading a slot over the replication protocol needs PostgreSQL 15");
  }
  const Result result = execute(fmt::format("reading replication slot '{}'", name),
                                fmt::format("READ_REPLICATION_SLOT {}", quote_name(name)));
  if (!field(result, 0, 0)) return std::nullopt;  // a row of NULLs
  return SlotInfo{.restart_lsn = pgformat::parse_lsn(field(result, 0, 1).value_or("")),
                  .restart_timeline = timeline_number(field(result, 0, 2))};
}

}  // namespace barman::postgres
