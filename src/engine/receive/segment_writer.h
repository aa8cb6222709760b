// Puts a WAL stream into the streaming folder, segment by segment.
#pragma once

#include <memory>
#include <optional>

#include "engine/events.h"
#include "engine/receive/partial_segment.h"
#include "engine/server/home.h"
#include "postgres/replication.h"

namespace barman::engine {

class SegmentWriter final : public postgres::WalReceiver {
 public:
  SegmentWriter(const Home& home, pgformat::SegmentSize size, pgformat::Timeline timeline, Events& events)
      : home_(home), size_(size), timeline_(timeline), events_(events) {}

  void write(pgformat::Lsn at, stream::Bytes data) override;
  pgformat::Lsn flush() override;
  void history(pgformat::Timeline timeline, std::string_view name, std::string_view text) override;
  void timeline_ended(pgformat::Timeline ended, pgformat::Lsn end, pgformat::Timeline next) override;

  // Whether anything came.
  [[nodiscard]] bool received() const { return written_.has_value(); }

 private:
  void open(const pgformat::Segment& segment);
  void complete();
  [[nodiscard]] bool is_archived(pgformat::Timeline timeline);

  const Home& home_;
  pgformat::SegmentSize size_;
  pgformat::Timeline timeline_;
  Events& events_;
  std::unique_ptr<PartialSegment> current_;
  std::optional<pgformat::Lsn> written_{};
};

}  // namespace barman::engine
