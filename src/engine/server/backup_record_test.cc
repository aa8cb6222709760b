#include "engine/server/backup_record.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::engine {
namespace {

catalog::BackupInfo ended_at(std::uint64_t lsn) {
  catalog::BackupInfo info;
  info.xlog_segment_size = 16 * 1024 * 1024;
  record_end(info, {.lsn = {lsn}, .timeline = 2}, {});
  return info;
}

TEST(RecordEnd, NamesTheSegmentThatHoldsTheLastByte) {
  EXPECT_EQ(ended_at(0x2000100).end_wal, "000000020000000000000002");
  EXPECT_EQ(ended_at(0x2000100).end_offset, 0x100U);
  EXPECT_EQ(ended_at(0x3000000).end_wal, "000000020000000000000002");
  EXPECT_EQ(ended_at(0x3000000).end_offset, 0U);
  EXPECT_EQ(ended_at(0x100000000).end_wal, "0000000200000000000000FF");
}

TEST(RecordLabel, TheLabelDecidesWhereTheBackupBegins) {
  catalog::BackupInfo info;
  info.xlog_segment_size = 16 * 1024 * 1024;
  info.begin_xlog = pgformat::Lsn{1};
  record_label(info, "START WAL LOCATION: 0/9000028 (file 000000030000000000000009)\nLABEL: x\n");
  EXPECT_EQ(info.begin_xlog, pgformat::Lsn{0x9000028});
  EXPECT_EQ(info.begin_wal, "000000030000000000000009");
  EXPECT_EQ(info.begin_offset, 0x28U);
  EXPECT_EQ(info.timeline, 3U);
  EXPECT_THROW(record_label(info, "nonsense"), Error);
}

}  // namespace
}  // namespace barman::engine
