// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include "base/plain_text.h"
#include "services/http/message/fields.h"
#include "services/http/message/framing.h"
#include "services/http/message/octets.h"

namespace postern::http {
namespace {

constexpr size_t kCodeSize = 3;
constexpr size_t kBriefMax = 200;  // octets

// The code at the begin of a line; 0: there is none.
int code_of(std::string_view line) {
  if (line.size() < kCodeSize || !all_of(line.substr(0, kCodeSize), kDigitOctet)) return 0;
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  const bool has_end = line.size() == kCodeSize || line[kCodeSize] == ' ' || line[kCodeSize] == '-';
  return has_end && code >= 100 && code < 600 ? code : 0;
}

bool goes_on(std::string_view line) {
  return line.size() > kCodeSize && line[kCodeSize] == '-';
}

template <typename Number>
std::optional<Number> read_number(std::string_view digits) {
  Number number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty())
    return std::nullopt;
  return number;
}

}  // namespace

std::string FtpReply::brief() const {
  const size_t last = text.rfind('\n');
  std::string_view line = text;
  if (last != std::string::npos) line.remove_prefix(last + 1);
  return std::to_string(code) + ' ' + plain_text(line.substr(0, kBriefMax));
}

void FtpReplyReader::restart() {
  reply_.code = 0;
  reply_.text.clear();
  line_.clear();
  lines_ = 0;
  is_done_ = false;
}

Step FtpReplyReader::feed(std::string_view& octets) {
  if (is_done_) restart();
  while (!octets.empty()) {
    const size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    if (line_.size() + piece.size() > kLineMax) return Step::refused;
    line_ += piece;
    if (end == std::string_view::npos) {
      octets = {};
      return Step::more;
    }
    octets.remove_prefix(end + 1);
    const Step step = take_line();
    if (step != Step::more) return step;
  }
  return Step::more;
}

Step FtpReplyReader::take_line() {
  if (line_.ends_with('\r')) line_.pop_back();
  const std::string line = std::exchange(line_, {});
  const int code = code_of(line);
  const std::string_view rest = std::string_view(line).substr(std::min(line.size(), kCodeSize + 1));
  if (lines_++ == 0) {
    if (code == 0) return Step::refused;
    reply_.code = code;
    keep(rest);
    is_done_ = !goes_on(line);
  } else if (code == reply_.code && !goes_on(line)) {
    keep(rest);
    is_done_ = true;
  } else {
    if (lines_ >= kLinesMax) return Step::refused;
    keep(line);
  }
  return is_done_ ? Step::done : Step::more;
}

void FtpReplyReader::keep(std::string_view text) {
  if (reply_.text.size() + text.size() + 1 > kTextMax) return;
  if (lines_ > 1) reply_.text += '\n';
  reply_.text += text;
}

std::optional<uint16_t> parse_epsv(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos) return std::nullopt;
  text.remove_prefix(open + 1);
  text = text.substr(0, text.find(')'));
  if (text.size() < 5 || !is_visible(text)) return std::nullopt;
  const char mark = text[0];
  if (is_of(mark, kDigitOctet) || text[1] != mark || text[2] != mark || text.back() != mark)
    return std::nullopt;
  const std::string_view digits = text.substr(3, text.size() - 4);
  if (!all_of(digits, kDigitOctet)) return std::nullopt;
  const std::optional<uint16_t> port = read_number<uint16_t>(digits);
  return port && *port != 0 ? port : std::nullopt;
}

std::optional<uint16_t> parse_pasv(std::string_view text) {
  constexpr size_t kNumbers = 6;
  const auto is_digit = [](char octet) { return is_of(octet, kDigitOctet); };
  const auto* first = std::find_if(text.begin(), text.end(), is_digit);
  text.remove_prefix(static_cast<size_t>(first - text.begin()));
  std::array<uint8_t, kNumbers> numbers = {};
  for (size_t i = 0; i < kNumbers; ++i) {
    const size_t size =
        static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    const std::optional<uint8_t> number = read_number<uint8_t>(text.substr(0, size));
    if (!number) return std::nullopt;
    numbers[i] = *number;
    text.remove_prefix(size);
    if (i + 1 == kNumbers) break;
    if (!text.starts_with(',')) return std::nullopt;
    text.remove_prefix(1);
  }
  const auto port = static_cast<uint16_t>(numbers[4] << 8 | numbers[5]);
  return port != 0 ? std::optional(port) : std::nullopt;
}

std::optional<uint64_t> parse_ftp_size(std::string_view text) {
  uint64_t size = 0;
  if (!parse_length(trimmed(text), size)) return std::nullopt;
  return size;
}

std::optional<int64_t> parse_ftp_time(std::string_view text) {
  namespace chrono = std::chrono;
  constexpr size_t kDigits = 14;
  text = trimmed(text);
  const std::string_view digits = text.substr(0, kDigits);
  if (digits.size() != kDigits || !all_of(digits, kDigitOctet)) return std::nullopt;
  const std::string_view rest = text.substr(kDigits);
  if (!rest.empty() && (rest[0] != '.' || !all_of(rest.substr(1), kDigitOctet)))
    return std::nullopt;
  const auto part = [digits](size_t at, size_t size) {
    return read_number<unsigned>(digits.substr(at, size)).value_or(0);
  };
  const chrono::year_month_day day(chrono::year(static_cast<int>(part(0, 4))),
                                   chrono::month(part(4, 2)), chrono::day(part(6, 2)));
  const unsigned hour = part(8, 2);
  const unsigned minute = part(10, 2);
  const unsigned second = part(12, 2);  // 60 is a leap second
  if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const chrono::sys_seconds time = chrono::sys_days(day) + chrono::hours(hour) +
                                   chrono::minutes(minute) + chrono::seconds(second);
  return time.time_since_epoch().count();
}

}  // namespace postern::http
