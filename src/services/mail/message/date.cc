// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/date.h"

#include <array>
#include <chrono>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr int64_t kDaySeconds = 86400;

struct Zone {
  std::string_view name;
  int hours;
};
constexpr std::array<Zone, 8> kZones = {{{"EDT", -4},
                                         {"EST", -5},
                                         {"CDT", -5},
                                         {"CST", -6},
                                         {"MDT", -6},
                                         {"MST", -7},
                                         {"PDT", -7},
                                         {"PST", -8}}};

void append_two(std::string& out, int64_t number) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

// Reads from the front of a text; once something was not there, all that follows is nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool is_sound() const { return is_sound_; }

  bool accept(char octet) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != octet) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char octet) { is_sound_ = accept(octet) && is_sound_; }

  std::string_view word() {
    skip_blanks();
    size_t length = 0;
    while (length < rest_.size() && is_of(rest_[length], kAlnumOctet) &&
           !is_of(rest_[length], kDigitOctet))
      ++length;
    return take(length);
  }

  // Between `least` and `most` digits; `digits` gets how many there were.
  int number(size_t least, size_t most, size_t* digits = nullptr) {
    skip_blanks();
    size_t length = 0;
    while (length < rest_.size() && is_of(rest_[length], kDigitOctet))
      ++length;
    if (length < least || length > most) {
      is_sound_ = false;
      return 0;
    }
    if (digits != nullptr) *digits = length;
    int value = 0;
    for (const char digit : take(length))
      value = value * 10 + (digit - '0');
    return value;
  }

  void fail() { is_sound_ = false; }

 private:
  std::string_view take(size_t length) {
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front()))
      rest_.remove_prefix(1);
  }

  std::string_view rest_;
  bool is_sound_ = true;
};

unsigned month_of(Reader& reader) {
  const std::string_view name = reader.word();
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (same_word(name, kMonths[i])) return static_cast<unsigned>(i + 1);
  }
  reader.fail();
  return 1;
}

// RFC5322-4.3: two digits below 50 are of this century, others and three of the last.
int year_of(Reader& reader) {
  size_t digits = 0;
  const int year = reader.number(2, 4, &digits);
  if (digits == 2 && year < 50) return year + 2000;
  return digits == 4 ? year : year + 1900;
}

int64_t time_of_day(Reader& reader) {
  const int hour = reader.number(1, 2);
  reader.expect(':');
  const int minute = reader.number(2, 2);
  const int second = reader.accept(':') ? reader.number(2, 2) : 0;
  if (hour > 23 || minute > 59 || second > 60) reader.fail();
  return int64_t{hour} * 3600 + int64_t{minute} * 60 + second;
}

// Seconds that the clock is ahead of UTC.
int64_t zone_of(Reader& reader) {
  const bool is_behind = reader.accept('-');
  if (is_behind || reader.accept('+')) {
    const int zone = reader.number(4, 4);
    if (zone % 100 > 59) reader.fail();
    const int64_t ahead = int64_t{zone / 100} * 3600 + int64_t{zone % 100} * 60;
    return is_behind ? -ahead : ahead;
  }
  const std::string_view name = reader.word();
  if (name.empty()) reader.fail();
  for (const Zone& zone : kZones) {
    if (same_word(name, zone.name)) return int64_t{zone.hours} * 3600;
  }
  return 0;
}

}  // namespace

std::string to_date(int64_t time_s, int zone_min) {
  const std::chrono::sys_seconds time{std::chrono::seconds(time_s + int64_t{zone_min} * 60)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const int64_t second = (time - day).count();
  std::string out(kDays[std::chrono::weekday(day).c_encoding()]);
  out += ", ";
  append_two(out, static_cast<unsigned>(date.day()));
  out += ' ';
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  out += ' ';
  append_two(out, static_cast<int>(date.year()) / 100);
  append_two(out, static_cast<int>(date.year()));
  out += ' ';
  append_two(out, second / 3600);
  out += ':';
  append_two(out, second / 60 % 60);
  out += ':';
  append_two(out, second % 60);
  out += zone_min < 0 ? " -" : " +";
  const int zone = zone_min < 0 ? -zone_min : zone_min;
  append_two(out, zone / 60);
  append_two(out, zone % 60);
  return out;
}

std::optional<int64_t> parse_date(std::string_view text) {
  Reader reader(text);
  if (!reader.word().empty()) reader.expect(',');
  const auto day = static_cast<unsigned>(reader.number(1, 2));
  const unsigned month = month_of(reader);
  const int year = year_of(reader);
  const int64_t time = time_of_day(reader);
  const int64_t zone = zone_of(reader);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!reader.is_sound() || !date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * kDaySeconds + time - zone;
}

}  // namespace postern::mail
