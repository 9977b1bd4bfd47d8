// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/date.h"

#include <algorithm>
#include <array>

#include "services/http/message/fields.h"
#include "services/http/message/octets.h"

namespace postern::http {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// From the day of the epoch on, which was a Thursday.
constexpr std::array<std::string_view, 7> kDays = {"Thursday", "Friday",  "Saturday", "Sunday",
                                                   "Monday",   "Tuesday", "Wednesday"};
constexpr size_t kShortDay = 3;
constexpr int64_t kDaySeconds = 86400;
constexpr int64_t kYearsAheadMax = 50;

struct Civil {
  int64_t year = 0;
  unsigned month = 0;  // 1..12
  unsigned day = 0;    // 1..31
};

// The Gregorian calendar in years that begin on the first of March, so that the leap day is the
// last of its year; 400 of them are always 146097 days.
constexpr int64_t kDaysOf400Years = 146097;
constexpr int64_t kDaysToEpoch = 719468;  // from 0000-03-01

int64_t floor_divide(int64_t number, int64_t by) {
  return number / by - (number % by < 0 ? 1 : 0);
}

int64_t days_of(const Civil& date) {
  const int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const int64_t era = floor_divide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month = (date.month + 9) % 12;
  const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * kDaysOf400Years + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
         day_of_year - kDaysToEpoch;
}

Civil civil_of(int64_t days) {
  days += kDaysToEpoch;
  const int64_t era = floor_divide(days, kDaysOf400Years);
  const int64_t day_of_era = days - era * kDaysOf400Years;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  Civil date;
  date.day = static_cast<unsigned>(day_of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
  date.year = era * 400 + year_of_era + (date.month <= 2 ? 1 : 0);
  return date;
}

unsigned days_in_month(int64_t year, unsigned month) {
  if (month == 2) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  }
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Reads from the front of a text; once something was not there, all that follows is nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void expect(std::string_view text) {
    if (same_word(rest_.substr(0, text.size()), text)) {
      rest_.remove_prefix(text.size());
    } else {
      is_sound_ = false;
    }
  }

  unsigned number(size_t digits) {
    if (rest_.size() < digits || !all_of(rest_.substr(0, digits), kDigitOctet)) {
      is_sound_ = false;
      return 0;
    }
    unsigned value = 0;
    for (size_t i = 0; i < digits; ++i)
      value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  // asctime(): two digits, or a space and one.
  unsigned padded_day() {
    if (!rest_.starts_with(' ')) return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }

  unsigned month() {
    for (size_t i = 0; i < kMonths.size(); ++i) {
      if (same_word(rest_.substr(0, kMonths[i].size()), kMonths[i])) {
        rest_.remove_prefix(kMonths[i].size());
        return static_cast<unsigned>(i + 1);
      }
    }
    is_sound_ = false;
    return 1;
  }

  // Seconds since midnight; 60 is that of a leap second.
  int64_t time_of_day() {
    const unsigned hour = number(2);
    expect(":");
    const unsigned minute = number(2);
    expect(":");
    const unsigned second = number(2);
    if (hour > 23 || minute > 59 || second > 60) is_sound_ = false;
    return int64_t{hour} * 3600 + int64_t{minute} * 60 + second;
  }

  bool is_at_end() const { return is_sound_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_sound_ = true;
};

std::optional<int64_t> seconds_of(const Reader& reader, const Civil& date, int64_t time) {
  if (!reader.is_at_end() || date.day < 1 || date.day > days_in_month(date.year, date.month)) {
    return std::nullopt;
  }
  return days_of(date) * kDaySeconds + time;
}

bool is_day(std::string_view name, bool is_short) {
  return std::any_of(kDays.begin(), kDays.end(), [&](std::string_view day) {
    return same_word(name, is_short ? day.substr(0, kShortDay) : day);
  });
}

std::optional<int64_t> parse_imf(std::string_view text) {
  Reader reader(text);
  Civil date;
  reader.expect(" ");
  date.day = reader.number(2);
  reader.expect(" ");
  date.month = reader.month();
  reader.expect(" ");
  date.year = reader.number(4);
  reader.expect(" ");
  const int64_t time = reader.time_of_day();
  reader.expect(" GMT");
  return seconds_of(reader, date, time);
}

std::optional<int64_t> parse_rfc850(std::string_view text, int64_t now_s) {
  Reader reader(text);
  Civil date;
  reader.expect(" ");
  date.day = reader.number(2);
  reader.expect("-");
  date.month = reader.month();
  reader.expect("-");
  const int64_t short_year = reader.number(2);
  reader.expect(" ");
  const int64_t time = reader.time_of_day();
  reader.expect(" GMT");
  // RFC9110-5.6.7: the last year with these digits that is not more than 50 years ahead; in the
  // year that is 50 ahead the day and the time decide.
  Civil limit = civil_of(floor_divide(now_s, kDaySeconds));
  limit.year += kYearsAheadMax;
  date.year = limit.year - (limit.year - short_year) % 100;
  const auto seconds_in_day = now_s - floor_divide(now_s, kDaySeconds) * kDaySeconds;
  if (date.year == limit.year) {
    const int64_t ahead = days_of(date) * kDaySeconds + time;
    if (ahead > days_of(limit) * kDaySeconds + seconds_in_day) date.year -= 100;
  }
  return seconds_of(reader, date, time);
}

std::optional<int64_t> parse_asctime(std::string_view text) {
  Reader reader(text);
  Civil date;
  date.month = reader.month();
  reader.expect(" ");
  date.day = reader.padded_day();
  reader.expect(" ");
  const int64_t time = reader.time_of_day();
  reader.expect(" ");
  date.year = reader.number(4);
  return seconds_of(reader, date, time);
}

void append_two(std::string& out, int64_t number) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

}  // namespace

std::optional<int64_t> parse_date(std::string_view text, int64_t now_s) {
  const size_t name_end = text.find_first_of(", ");
  if (name_end == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(0, name_end);
  const std::string_view rest = text.substr(name_end + 1);
  if (is_day(name, true)) return text[name_end] == ',' ? parse_imf(rest) : parse_asctime(rest);
  if (is_day(name, false) && text[name_end] == ',') return parse_rfc850(rest, now_s);
  return std::nullopt;
}

void append_date(std::string& out, int64_t time_s) {
  const int64_t days = floor_divide(time_s, kDaySeconds);
  const int64_t second = time_s - days * kDaySeconds;
  const Civil date = civil_of(days);
  const auto day = static_cast<size_t>(days - floor_divide(days, 7) * 7);
  out += kDays[day].substr(0, kShortDay);
  out += ", ";
  append_two(out, date.day);
  out += ' ';
  out += kMonths[date.month - 1];
  out += ' ';
  append_two(out, date.year / 100);
  append_two(out, date.year);
  out += ' ';
  append_two(out, second / 3600);
  out += ':';
  append_two(out, second / 60 % 60);
  out += ':';
  append_two(out, second % 60);
  out += " GMT";
}

}  // namespace postern::http
