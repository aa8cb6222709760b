#include "postgres/base_backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "postgres/copy_message.h"
#include "postgres/quoting.h"
#include "postgres/upload_manifest.h"

namespace barman::postgres {

namespace {

constexpr std::string_view kBackup = "base backup";
constexpr int kTypedMessages = 150000;  // parenthesised options, one COPY stream with typed messages
constexpr std::uint32_t kMinRate = 32;
constexpr std::uint32_t kMaxRate = 1'048'576;
constexpr std::size_t kFilesNamed = 20;

using Tablespace = BaseBackupReceiver::Tablespace;

std::string words_command(const BaseBackupOptions& options) {
  std::string command = fmt::format("BASE_BACKUP LABEL {}", quote_literal(options.label));
  if (options.progress) command += " PROGRESS";
  if (options.fast_checkpoint) command += " FAST";
  if (!options.wait_for_archiver) command += " NOWAIT";
  if (options.max_rate_kib) command += fmt::format(" MAX_RATE {}", *options.max_rate_kib);
  if (options.tablespace_map) command += " TABLESPACE_MAP";
  if (options.manifest) command += " MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'";
  return command;
}

std::string options_command(const BaseBackupOptions& options) {
  std::vector<std::string> words{fmt::format("LABEL {}", quote_literal(options.label))};
  if (options.progress) words.emplace_back("PROGRESS");
  words.emplace_back(options.fast_checkpoint ? "CHECKPOINT 'fast'" : "CHECKPOINT 'spread'");
  if (!options.wait_for_archiver) words.emplace_back("WAIT 0");
  if (options.max_rate_kib) words.push_back(fmt::format("MAX_RATE {}", *options.max_rate_kib));
  if (options.tablespace_map) words.emplace_back("TABLESPACE_MAP");
  if (!options.compression.empty()) {
    words.push_back(fmt::format("COMPRESSION {}", quote_literal(options.compression)));
    if (!options.compression_detail.empty()) {
      words.push_back(fmt::format("COMPRESSION_DETAIL {}", quote_literal(options.compression_detail)));
    }
  }
  if (options.parent_manifest != nullptr) words.emplace_back("INCREMENTAL");
  if (options.manifest) {
    words.emplace_back("MANIFEST 'yes'");
    words.emplace_back("MANIFEST_CHECKSUMS 'CRC32C'");
  }
  return fmt::format("BASE_BACKUP ({})", fmt::join(words, ", "));
}

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

[[noreturn]] void throw_unexpected(std::string_view what) {
  throw Error(ErrorKind::kFailed, fmt::format("{}: the server did not send {} as expected", kBackup, what));
}

BackupPosition position_of(const Result& result, std::string_view what) {
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) throw_unexpected(what);
  const auto lsn = pgformat::parse_lsn(field(result, 0, 0).value_or(""));
  if (!lsn) throw_unexpected(what);
  return {.lsn = *lsn, .timeline = static_cast<pgformat::Timeline>(number(field(result, 0, 1)))};
}

std::vector<Tablespace> tablespaces_of(const Result& result) {
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) throw_unexpected("the list of tablespaces");
  std::vector<Tablespace> list;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    Tablespace tablespace{.oid = field(result, row, 0).value_or(""),
                          .location = field(result, row, 1).value_or("")};
    if (const auto kib = field(result, row, 2)) tablespace.size_bytes = number(kib) * 1024;
    list.push_back(std::move(tablespace));
  }
  return list;
}

// One backup as it arrives. Page checksum failures come as WARNINGs with the file's name, long before the
// error that ends the backup and names none.
class BackupConversation {
 public:
  BackupConversation(Connection& connection, BaseBackupReceiver& receiver, const std::stop_token& stop)
      : connection_(connection), receiver_(receiver), wait_(stop) {}

  void run(const BaseBackupOptions& options) {
    try {
      converse(options);
    } catch (const ServerError& e) {
      pass_on_notices();
      if (damaged_.empty() && options.parent_manifest != nullptr) throw explain_incremental_failure(e);
      if (damaged_.empty()) throw;
      throw ServerError(
          ErrorKind::kCorrupt,
          fmt::format("{}. Pages with a wrong checksum are in: {}{}. Find out what damaged them (disk, "
                      "memory) and repair them before the next backup; pg_amcheck shows what they hold",
                      e.what(), fmt::join(damaged_, ", "), damaged_.size() < kFilesNamed ? "" : " ..."),
          e.sqlstate());
    }
  }

 private:
  void converse(const BaseBackupOptions& options) {
    if (options.parent_manifest != nullptr) upload_manifest(connection_, *options.parent_manifest, wait_);
    connection_.send(kBackup, base_backup_command(options, connection_.server_version()), wait_);
    const BackupPosition start = position_of(next_result(), "the start position");
    tablespaces_ = tablespaces_of(next_result());
    receiver_.started(start, tablespaces_);
    if (connection_.server_version() >= kTypedMessages) {
      receive_typed();
    } else {
      receive_copies(options.manifest);
    }
    const BackupPosition end = position_of(next_result(), "the end position");
    while (next_result() != nullptr) {  // an error here would still mean that the backup is incomplete
    }
    receiver_.ended(end);
  }

  Result next_result() {
    Result result =
        peeked_ ? *std::exchange(peeked_, std::nullopt) : connection_.next_result(kBackup, wait_, pass_on_);
    pass_on_notices();
    return result;
  }

  // An error looks like the end of the COPY at first: only the result after it tells that this was all.
  void confirm_end_of_copy() { peeked_ = next_result(); }

  void expect_copy() {
    if (PQresultStatus(next_result().get()) != PGRES_COPY_OUT) throw_unexpected("the data");
  }

  std::optional<CopyData> copy_data() {
    wait_.throw_if_stopped();
    auto data = connection_.copy_data(wait_, pass_on_);
    pass_on_notices();
    return data;
  }

  // 15 and later.
  void receive_typed() {
    expect_copy();
    while (const auto data = copy_data()) {
      const BackupMessage message = parse_backup_message(data->bytes());
      if (const auto* bytes = std::get_if<BackupData>(&message)) {
        if (sink_ == nullptr) throw_unexpected("the name of an archive before its data");
        sink_->write(bytes->bytes);
      } else if (const auto* archive = std::get_if<NewArchive>(&message)) {
        finish_sink();
        sink_ = receiver_.archive(find_tablespace(*archive));
      } else if (std::holds_alternative<ManifestBegins>(message)) {
        finish_sink();
        sink_ = receiver_.manifest();
      }
    }
    confirm_end_of_copy();
    finish_sink();
  }

  // 13 and 14: a COPY for each tablespace in the order of the list, then one for the manifest.
  void receive_copies(bool manifest) {
    constexpr std::array<std::byte, 1024> kEndOfTar{};
    for (const Tablespace& tablespace : tablespaces_) {
      expect_copy();
      sink_ = receiver_.archive(tablespace);
      receive_one_copy();
      sink_->write(kEndOfTar);
      finish_sink();
    }
    if (!manifest) return;
    expect_copy();
    sink_ = receiver_.manifest();
    receive_one_copy();
    finish_sink();
  }

  void receive_one_copy() {
    while (const auto data = copy_data()) sink_->write(data->bytes());
    confirm_end_of_copy();
  }

  void finish_sink() {
    if (sink_ == nullptr) return;
    sink_->finish();
    sink_.reset();
  }

  Tablespace find_tablespace(const NewArchive& archive) const {
    const auto found = std::ranges::find(tablespaces_, archive.tablespace, &Tablespace::location);
    if (found == tablespaces_.end()) {
      throw Error(ErrorKind::kFailed,
                  fmt::format("{}: the server sent an archive \"{}\" of a tablespace at \"{}\" that "
                              "is not in its list",
                              kBackup, archive.file_name, archive.tablespace));
    }
    return *found;
  }

  void pass_on_notices() {
    for (const ServerMessage& notice : connection_.take_notices()) {
      const std::string file = notice.severity == "WARNING" ? file_of_checksum_warning(notice.text) : "";
      const bool is_new = !file.empty() && std::ranges::find(damaged_, file) == damaged_.end();
      if (is_new && damaged_.size() < kFilesNamed) damaged_.push_back(file);
      receiver_.notice(notice.severity, notice.text);
    }
  }

  Connection& connection_;
  BaseBackupReceiver& receiver_;
  SocketWait wait_;
  // The server tells that it waits for WAL to be archived, and waits for as long as it takes: what it says
  // must not wait with it.
  const Connection::BeforeWaiting pass_on_ = [this] { pass_on_notices(); };
  std::vector<Tablespace> tablespaces_;
  std::vector<std::string> damaged_;
  std::unique_ptr<stream::Sink> sink_;
  std::optional<Result> peeked_;
};

}  // namespace

std::string base_backup_command(const BaseBackupOptions& options, int version) {
  if (options.max_rate_kib && (*options.max_rate_kib < kMinRate || *options.max_rate_kib > kMaxRate)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("a backup's bandwidth limit of {} kB/s is not possible: PostgreSQL takes "
                            "{} to {}, or no limit at all",
                            *options.max_rate_kib, kMinRate, kMaxRate));
  }
  if (!options.compression.empty() && version < kTypedMessages) {
    throw Error(ErrorKind::kUsage,
                "a server compresses a backup only from PostgreSQL 15 on: compress it on this side");
  }
  return version >= kTypedMessages ? options_command(options) : words_command(options);
}

std::string file_of_checksum_warning(std::string_view text) {
  const std::size_t begin = text.find('"');
  if (begin == std::string_view::npos) return {};
  std::string_view quoted = text.substr(begin + 1);
  quoted = quoted.substr(0, quoted.find('"'));
  if (quoted.starts_with("./")) quoted.remove_prefix(2);
  constexpr std::array<std::string_view, 3> kPlaces = {"base/", "global/", "pg_tblspc/"};
  const bool is_relation =
      std::ranges::any_of(kPlaces, [&](auto place) { return quoted.starts_with(place); });
  return is_relation || quoted.starts_with('/') ? std::string(quoted) : std::string();
}

void run_base_backup(Connection& connection, const BaseBackupOptions& options, BaseBackupReceiver& receiver,
                     const std::stop_token& stop) {
  BackupConversation(connection, receiver, stop).run(options);
}

}  // namespace barman::postgres
