#include "postgres/copy_message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace barman::postgres {
namespace {

using namespace std::string_view_literals;

stream::Bytes bytes(std::string_view text) { return stream::bytes_of(text); }

TEST(BackupMessage, NewArchive) {
  const auto message = parse_backup_message(bytes("n16399.tar\0/srv/space\0"sv));
  EXPECT_EQ(std::get<NewArchive>(message).file_name, "16399.tar");
  EXPECT_EQ(std::get<NewArchive>(message).tablespace, "/srv/space");
  EXPECT_EQ(std::get<NewArchive>(parse_backup_message(bytes("nbase.tar\0\0"sv))).tablespace, "");
}

TEST(BackupMessage, TheOthers) {
  EXPECT_TRUE(std::holds_alternative<ManifestBegins>(parse_backup_message(bytes("m"))));
  EXPECT_EQ(stream::text_of(std::get<BackupData>(parse_backup_message(bytes("dabc"))).bytes), "abc");
  EXPECT_EQ(std::get<BackupData>(parse_backup_message(bytes("d"))).bytes.size(), 0U);
  EXPECT_EQ(std::get<BackupProgress>(parse_backup_message(bytes("p\0\0\0\0\0\1\0\2"sv))).bytes_done, 65538U);
}

TEST(BackupMessage, AnythingElseIsRefused) {
  for (const std::string_view bad : {""sv, "x"sv, "n"sv, "nbase.tar"sv, "nbase.tar\0"sv, "nbase.tar\0/a"sv,
                                     "nbase.tar\0/a\0x"sv, "mx"sv, "p1234567"sv, "p123456789"sv, "\0"sv}) {
    EXPECT_THROW(parse_backup_message(bytes(bad)), Error) << bad;
  }
}

TEST(StreamMessage, WalData) {
  const auto message = parse_stream_message(bytes("w\0\0\0\1\2\0\0\0........,,,,,,,,WAL"sv));
  const auto& wal = std::get<WalData>(message);
  EXPECT_EQ(pgformat::format_lsn(wal.start), "1/2000000");
  EXPECT_EQ(stream::text_of(wal.bytes), "WAL");
}

TEST(StreamMessage, Keepalive) {
  const auto message = parse_stream_message(bytes("k\0\0\0\0\3\0\0\x28........\1"sv));
  EXPECT_EQ(pgformat::format_lsn(std::get<Keepalive>(message).wal_end), "0/3000028");
  EXPECT_TRUE(std::get<Keepalive>(message).reply_wanted);
  EXPECT_FALSE(
      std::get<Keepalive>(parse_stream_message(bytes("k\0\0\0\0\3\0\0\x28........\0"sv))).reply_wanted);
}

TEST(StreamMessage, EveryTruncationIsRefused) {
  const std::string wal(25, 'w');
  for (std::size_t size = 0; size < wal.size(); ++size) {
    EXPECT_THROW(parse_stream_message(bytes(wal.substr(0, size))), Error) << size;
  }
  EXPECT_NO_THROW(parse_stream_message(bytes(wal)));
  const std::string keepalive(18, 'k');
  for (std::size_t size = 0; size < keepalive.size(); ++size) {
    EXPECT_THROW(parse_stream_message(bytes(keepalive.substr(0, size))), Error) << size;
  }
  EXPECT_THROW(parse_stream_message(bytes(keepalive + "k")), Error);
  EXPECT_THROW(parse_stream_message(bytes(std::string(40, 'z'))), Error);
}

TEST(StandbyStatus, IsWrittenAsTheServerReadsIt) {
  const auto message =
      format_standby_status({.written = {0x0102030405060708}, .flushed = {0x10}, .reply_wanted = true},
                            std::chrono::system_clock::time_point(std::chrono::seconds(946'684'801)));
  EXPECT_EQ(stream::text_of(message),
            "r\1\2\3\4\5\6\7\x08"
            "\0\0\0\0\0\0\0\x10"
            "\0\0\0\0\0\0\0\0"
            "\0\0\0\0\0\x0F\x42\x40"
            "\1"sv);
}

}  // namespace
}  // namespace barman::postgres
