// Numbers and instants as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace barman {

// "512 B", "16.0 MiB": base 1024, one decimal from KiB on. Negative sizes keep their sign.
std::string pretty_size(double bytes);

// "2 days, 1 hour, 5 seconds"; below a second "less than one second"; negative: the same with " ago".
std::string human_duration(std::chrono::microseconds length);

// "0:07", "12:30", "3:05:00": for a progress line.
std::string clock_duration(std::chrono::seconds length);

// The local zone's offset from UTC at that instant.
std::chrono::seconds local_offset(Time instant);

// "Sun Nov  2 13:38:18 2026", local time, English whatever the locale.
std::string ctime_text(Time instant);

// "2026-11-22 13:30:01.412345+00:00", in the zone of `offset`. Microseconds are left out when they are zero,
// as Python's isoformat does; `separator` is what stands between date and time.
std::string iso_text(Time instant, std::chrono::seconds offset, char separator = ' ');
std::string local_iso_text(Time instant, char separator = ' ');

// "20261122T133001", local time: the id of a backup that starts at `instant`.
std::string compact_local_text(Time instant);

// "42%"; of nothing, all is done.
std::string percent_text(std::uint64_t done, std::uint64_t expected);

// "True" or "False".
std::string python_bool(bool value);

}  // namespace barman
