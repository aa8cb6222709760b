#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <utility>

namespace barman {
namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm local_time(Time instant) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
  std::tm result{};
  localtime_r(&seconds, &result);
  return result;
}

std::string counted(std::int64_t count, const char* unit) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

std::string offset_text(std::chrono::seconds offset) {
  const std::int64_t all = std::abs(offset.count());
  const char sign = offset.count() < 0 ? '-' : '+';
  std::string text = fmt::format("{}{:02}:{:02}", sign, all / 3600, all / 60 % 60);
  if (all % 60 != 0) text += fmt::format(":{:02}", all % 60);
  return text;
}

}  // namespace

std::string pretty_size(double bytes) {
  constexpr std::array<const char*, 9> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", std::trunc(bytes))
                   : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string human_duration(std::chrono::microseconds length) {
  if (length.count() < 0) return human_duration(-length) + " ago";
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(length).count();
  if (seconds == 0) return "less than one second";
  const std::array<std::pair<std::int64_t, const char*>, 4> parts = {{
      {seconds / 86400, "day"},
      {seconds / 3600 % 24, "hour"},
      {seconds / 60 % 60, "minute"},
      {seconds % 60, "second"},
  }};
  std::string text;
  for (const auto& [count, unit] : parts) {
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text += counted(count, unit);
  }
  return text;
}

std::string clock_duration(std::chrono::seconds length) {
  const std::int64_t all = std::max<std::int64_t>(length.count(), 0);
  if (all >= 3600) return fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
  return fmt::format("{}:{:02}", all / 60, all % 60);
}

std::chrono::seconds local_offset(Time instant) {
  return std::chrono::seconds(local_time(instant).tm_gmtoff);
}

std::string ctime_text(Time instant) {
  const std::tm t = local_time(instant);
  return fmt::format("{} {} {:2} {:02}:{:02}:{:02} {}", kDays[static_cast<std::size_t>(t.tm_wday)],
                     kMonths[static_cast<std::size_t>(t.tm_mon)], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                     t.tm_year + 1900);
}

std::string iso_text(Time instant, std::chrono::seconds offset, char separator) {
  const Time shifted = instant + offset;
  const auto day = std::chrono::floor<std::chrono::days>(shifted);
  const std::chrono::year_month_day date(day);
  const auto in_day = shifted - day;
  const std::chrono::hh_mm_ss time(in_day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), separator,
                  time.hours().count(), time.minutes().count(), time.seconds().count());
  const auto micros = time.subseconds().count();
  if (micros != 0) text += fmt::format(".{:06}", micros);
  return text + offset_text(offset);
}

std::string local_iso_text(Time instant, char separator) {
  return iso_text(instant, local_offset(instant), separator);
}

std::string compact_local_text(Time instant) {
  const std::tm t = local_time(instant);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

std::string percent_text(std::uint64_t done, std::uint64_t expected) {
  if (expected == 0) return "100%";
  const double share = static_cast<double>(done) / static_cast<double>(expected);
  return fmt::format("{}%", static_cast<int>(std::floor(share * 100)));
}

std::string python_bool(bool value) { return value ? "True" : "False"; }

}  // namespace barman
