#include "engine/server/backup_record.h"

#include "engine/server/inspect.h"
#include "pgformat/backup_label.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

void record_server(catalog::BackupInfo& info, const ServerFacts& facts) {
  info.version = facts.version;
  info.systemid = facts.system_identifier;
  info.pgdata = facts.setting("data_directory");
  info.config_file = facts.setting("config_file");
  info.hba_file = facts.setting("hba_file");
  info.ident_file = facts.setting("ident_file");
  info.data_checksums = facts.setting("data_checksums");
  info.summarize_wal = facts.setting("summarize_wal");
  info.included_files = facts.included_files;
  info.xlog_segment_size = facts.segment_size;
}

void record_label(catalog::BackupInfo& info, const std::string& text) {
  const pgformat::BackupLabel label = pgformat::parse_backup_label(text);
  info.backup_label = text;
  info.begin_xlog = label.start;
  info.begin_wal = label.start_wal;
  info.begin_offset = pgformat::offset_in_segment(label.start, *info.xlog_segment_size);
  if (const auto segment = pgformat::parse_segment(label.start_wal)) info.timeline = segment->timeline;
}

void record_end(catalog::BackupInfo& info, const postgres::BackupPosition& end, catalog::Timestamp now) {
  const pgformat::SegmentSize size = *info.xlog_segment_size;
  pgformat::Segment segment = pgformat::segment_of(end.lsn, end.timeline, size);
  const std::uint64_t offset = pgformat::offset_in_segment(end.lsn, size);
  if (offset == 0) segment = pgformat::previous_segment(segment, size);
  info.end_time = now;
  info.end_xlog = end.lsn;
  info.end_wal = pgformat::format_segment(segment);
  info.end_offset = offset;
}

}  // namespace barman::engine
