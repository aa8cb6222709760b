// The line on a terminal that says how far an operation is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "engine/events.h"

namespace barman::report {

// Keeps what is needed to say a rate. Belongs to one thread at a time.
class ProgressLine {
 public:
  explicit ProgressLine(const Clock& clock) : clock_(clock) {}

  // The line to show now, without line end; nothing if the last one is fresh enough.
  std::optional<std::string> update(const engine::Events::Progress& progress);

 private:
  const Clock& clock_;
  std::string phase_;
  Time began_{};
  std::uint64_t done_at_begin_ = 0;
  std::optional<Time> shown_{};
};

// "copying  42%, 1.2 GiB of 2.9 GiB, 210.3 MiB/s, 0:08 left"; what is not known is left out.
std::string progress_text(const engine::Events::Progress& progress, std::uint64_t done_in_phase,
                          std::chrono::microseconds elapsed);

}  // namespace barman::report
