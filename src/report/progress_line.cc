#include "report/progress_line.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace barman::report {
namespace {

constexpr std::chrono::milliseconds kBetweenLines{100};

}  // namespace

std::optional<std::string> ProgressLine::update(const engine::Events::Progress& progress) {
  const Time now = clock_.now();
  const bool new_phase = phase_ != progress.phase || progress.done < done_at_begin_;
  if (new_phase) {
    phase_ = progress.phase;
    began_ = now;
    done_at_begin_ = progress.done;
  } else if (shown_ && now - *shown_ < kBetweenLines) {
    return std::nullopt;
  }
  shown_ = now;
  return progress_text(progress, progress.done - done_at_begin_, now - began_);
}

std::string progress_text(const engine::Events::Progress& progress, std::uint64_t done_in_phase,
                          std::chrono::microseconds elapsed) {
  std::string text(progress.phase);
  if (progress.expected) {
    const std::uint64_t done = std::min(progress.done, *progress.expected);
    text += fmt::format(" {:>4}, {} of {}", percent_text(done, *progress.expected),
                        pretty_size(static_cast<double>(progress.done)),
                        pretty_size(static_cast<double>(*progress.expected)));
  } else if (progress.done > 0) {
    text += " " + pretty_size(static_cast<double>(progress.done));
  }
  const double seconds = static_cast<double>(elapsed.count()) / 1e6;
  if (seconds < 0.5 || done_in_phase == 0) return text;
  const double rate = static_cast<double>(done_in_phase) / seconds;
  text += fmt::format(", {}/s", pretty_size(rate));
  if (progress.expected && *progress.expected > progress.done) {
    const double left = static_cast<double>(*progress.expected - progress.done) / rate;
    if (left < 1e9)
      text += fmt::format(", {} left", clock_duration(std::chrono::seconds(std::llround(left))));
  }
  return text;
}

}  // namespace barman::report
