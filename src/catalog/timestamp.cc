#include "catalog/timestamp.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "base/text.h"

namespace barman::catalog {

namespace {

using std::chrono::seconds;
using Days = std::chrono::sys_days;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// What stands in a text, before its zone is applied.
struct Fields {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int microsecond = 0;
  std::optional<seconds> offset{};
};

// Eats a text from its front; each function leaves it as it was when it answers no.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool literal(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  bool any_of(std::string_view characters) {
    if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool number(std::size_t least, std::size_t most, int& into) {
    std::size_t length = 0;
    int value = 0;
    for (; length < most && length < text_.size() && digit(length); ++length) {
      value = value * 10 + (text_[length] - '0');
    }
    if (length < least) return false;
    text_.remove_prefix(length);
    into = value;
    return true;
  }
  // Digits of a fraction of a second; those beyond the sixth are dropped.
  bool fraction(int& microseconds) {
    std::size_t length = 0;
    int value = 0;
    for (; length < text_.size() && digit(length); ++length) {
      if (length < 6) value = value * 10 + (text_[length] - '0');
    }
    if (length == 0) return false;
    for (std::size_t i = length; i < 6; ++i) value *= 10;
    text_.remove_prefix(length);
    microseconds = value;
    return true;
  }
  template <std::size_t N>
  bool one_of(const std::array<std::string_view, N>& words, int& index) {
    const auto* found = std::ranges::find_if(words, [&](std::string_view w) { return text_.starts_with(w); });
    if (found == words.end()) return false;
    index = static_cast<int>(found - words.begin());
    return literal(*found);
  }
  void spaces() {
    while (any_of(" ")) {
    }
  }
  [[nodiscard]] bool ended() const { return text_.empty(); }

 private:
  [[nodiscard]] bool digit(std::size_t at) const { return text_[at] >= '0' && text_[at] <= '9'; }

  std::string_view text_;
};

bool scan_time_of_day(Scanner& scan, Fields& fields) {
  if (!scan.number(2, 2, fields.hour) || !scan.literal(":") || !scan.number(2, 2, fields.minute))
    return false;
  if (scan.literal(":") && !scan.number(2, 2, fields.second)) return false;
  return !scan.any_of(".,") || scan.fraction(fields.microsecond);
}

bool scan_zone(Scanner& scan, Fields& fields) {
  scan.spaces();
  if (scan.ended()) return true;
  if (scan.literal("Z") || scan.literal("UTC") || scan.literal("GMT")) {
    fields.offset = seconds{0};
    return true;
  }
  const bool west = scan.literal("-");
  if (!west && !scan.literal("+")) return false;
  int hours = 0;
  int minutes = 0;
  int rest = 0;
  if (!scan.number(2, 2, hours)) return false;
  if (scan.literal(":") ? !scan.number(2, 2, minutes) : !scan.ended() && !scan.number(2, 2, minutes))
    return false;
  if (scan.literal(":") && !scan.number(2, 2, rest)) return false;
  if (hours > 23 || minutes > 59 || rest > 59) return false;
  const seconds length{hours * 3600 + minutes * 60 + rest};
  fields.offset = west ? -length : length;
  return true;
}

std::optional<Fields> scan_iso(std::string_view text) {
  Scanner scan(text);
  Fields fields;
  const bool date = scan.number(4, 4, fields.year) && scan.literal("-") && scan.number(2, 2, fields.month) &&
                    scan.literal("-") && scan.number(2, 2, fields.day);
  if (!date) return std::nullopt;
  if (scan.any_of(" T") && !scan_time_of_day(scan, fields)) return std::nullopt;
  if (!scan_zone(scan, fields) || !scan.ended()) return std::nullopt;
  return fields;
}

std::optional<Fields> scan_ctime(std::string_view text) {
  Scanner scan(text);
  Fields fields;
  int weekday = 0;
  if (!scan.one_of(kDays, weekday)) return std::nullopt;
  scan.spaces();
  if (!scan.one_of(kMonths, fields.month)) return std::nullopt;
  ++fields.month;
  scan.spaces();
  if (!scan.number(1, 2, fields.day)) return std::nullopt;
  scan.spaces();
  if (!scan_time_of_day(scan, fields)) return std::nullopt;
  scan.spaces();
  if (!scan.number(4, 4, fields.year) || !scan_zone(scan, fields) || !scan.ended()) return std::nullopt;
  return fields;
}

std::optional<seconds> local_offset_of(const Fields& fields) {
  std::tm parts{};
  parts.tm_year = fields.year - 1900;
  parts.tm_mon = fields.month - 1;
  parts.tm_mday = fields.day;
  parts.tm_hour = fields.hour;
  parts.tm_min = fields.minute;
  parts.tm_sec = fields.second;
  parts.tm_isdst = -1;
  if (std::mktime(&parts) == static_cast<std::time_t>(-1) && parts.tm_gmtoff == 0 && fields.year != 1969) {
    return std::nullopt;
  }
  return seconds{parts.tm_gmtoff};
}

std::optional<Timestamp> resolved(const Fields& fields) {
  const std::chrono::year_month_day day{std::chrono::year{fields.year},
                                        std::chrono::month{static_cast<unsigned>(fields.month)},
                                        std::chrono::day{static_cast<unsigned>(fields.day)}};
  if (!day.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) return std::nullopt;
  const std::optional<seconds> offset = fields.offset ? fields.offset : local_offset_of(fields);
  if (!offset) return std::nullopt;
  const Time wall = Days{day} + std::chrono::hours{fields.hour} + std::chrono::minutes{fields.minute} +
                    seconds{fields.second} + std::chrono::microseconds{fields.microsecond};
  return Timestamp{.instant = wall - *offset, .offset = *offset};
}

}  // namespace

std::string format_timestamp(const Timestamp& timestamp) {
  return iso_text(timestamp.instant, timestamp.offset);
}

std::string format_ctime(const Timestamp& timestamp) {
  const Time wall = timestamp.instant + timestamp.offset;
  const Days midnight = std::chrono::floor<std::chrono::days>(wall);
  const std::chrono::year_month_day day{midnight};
  const std::chrono::hh_mm_ss<std::chrono::microseconds> clock{wall - midnight};
  return fmt::format(
      "{} {} {:>2} {:02}:{:02}:{:02} {}", kDays.at(std::chrono::weekday{midnight}.c_encoding()),
      kMonths.at(static_cast<unsigned>(day.month()) - 1), static_cast<unsigned>(day.day()),
      clock.hours().count(), clock.minutes().count(), clock.seconds().count(), static_cast<int>(day.year()));
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  std::optional<Fields> fields = scan_iso(text);
  if (!fields) fields = scan_ctime(text);
  return fields ? resolved(*fields) : std::nullopt;
}

Timestamp local_timestamp(Time instant) { return {.instant = instant, .offset = local_offset(instant)}; }

}  // namespace barman::catalog
