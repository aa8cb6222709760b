// Instants as the catalogue writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/backup_info.h"

namespace barman::catalog {

// "2026-11-22 13:30:01.412345+01:00": see iso_text.
std::string format_timestamp(const Timestamp& timestamp);

// As Python's ctime() gives it: "Sun Nov 22 13:38:18 2026", at the timestamp's own offset.
std::string format_ctime(const Timestamp& timestamp);

// Reads what format_timestamp writes and the forms found in the wild: "T" between date and time, a comma
// before the fraction, "Z", "UTC", "+01", "+0100"; C's ctime(). Without a zone it is local time. Nothing for
// any other text.
std::optional<Timestamp> parse_timestamp(std::string_view text);

// The instant with the offset that the local zone has at it.
Timestamp local_timestamp(Time instant);

}  // namespace barman::catalog
