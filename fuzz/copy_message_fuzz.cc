// The messages inside the COPY streams of the replication protocol.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "postgres/copy_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = std::as_bytes(std::span(data, size));
  try {
    barman::postgres::parse_backup_message(message);
  } catch (const barman::Error&) {
  }
  try {
    barman::postgres::parse_stream_message(message);
  } catch (const barman::Error&) {
  }
  return 0;
}
