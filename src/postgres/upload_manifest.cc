#include "postgres/upload_manifest.h"

#include <fmt/format.h>

#include <array>

namespace barman::postgres {

namespace {

constexpr std::string_view kUpload = "sending the parent's manifest";
constexpr std::string_view kNotInThatState = "55000";

struct IncrementalAdvice {
  std::string_view words;  // of the server, in English; servers with other lc_messages get the last advice
  std::string_view advice;
};
constexpr std::array kIncrementalAdvice = {
    IncrementalAdvice{
        "WAL summaries are required",
        "The server has removed these summaries already, or summarize_wal was off for a while: take a "
        "full backup, and keep wal_summary_keep_time longer than the time between two backups"},
    IncrementalAdvice{
        "summariz",
        "Look at pg_get_wal_summarizer_state() and at the server's log, and see that summarize_wal is "
        "on; a full backup works without"},
    IncrementalAdvice{"precedes",
                      "Nothing was written since the parent: wait for activity, or take a full backup"},
    IncrementalAdvice{"", "If this stays, take a full backup"},
};

}  // namespace

void upload_manifest(Connection& connection, stream::Source& manifest, SocketWait& wait) {
  if (connection.server_version() < kFirstWithIncrementals) {
    throw Error(ErrorKind::kFailed, fmt::format("PostgreSQL {} cannot take incremental backups: they need 17",
                                                connection.parameter("server_version")));
  }
  connection.send(kUpload, "UPLOAD_MANIFEST", wait);
  if (PQresultStatus(connection.next_result(kUpload, wait).get()) != PGRES_COPY_IN) {
    throw Error(ErrorKind::kFailed, fmt::format("{}: the server did not ask for it as expected", kUpload));
  }
  std::array<std::byte, 65536> buffer{};
  while (const std::size_t size = manifest.read(buffer)) {
    wait.throw_if_stopped();
    connection.put_copy_data(stream::Bytes(buffer).first(size), wait);
  }
  connection.end_copy(wait);
  while (connection.next_result(kUpload, wait) != nullptr) {
  }
}

ServerError explain_incremental_failure(const ServerError& failure) {
  const std::string_view text = failure.what();
  if (failure.sqlstate() != kNotInThatState) return failure;
  for (const IncrementalAdvice& known : kIncrementalAdvice) {
    if (text.find(known.words) == std::string_view::npos) continue;
    return {failure.kind(), fmt::format("{}. {}", text, known.advice), failure.sqlstate()};
  }
  return failure;
}

}  // namespace barman::postgres
