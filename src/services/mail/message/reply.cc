// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/reply.h"

#include <algorithm>

#include "services/mail/message/lines.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr size_t kCodeDigits = 3;
constexpr size_t kEnhancedMax = 9;  // "5.999.999"

// 1 to 3 digits without leading zeros, taken from the front.
bool skip_number(std::string_view& text) {
  size_t digits = 0;
  while (digits < text.size() && digits < 3 && is_of(text[digits], kDigitOctet))
    ++digits;
  if (digits == 0 || (digits > 1 && text.front() == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

bool skip(std::string_view& text, char octet) {
  if (text.empty() || text.front() != octet) return false;
  text.remove_prefix(1);
  return true;
}

std::string code_text(uint16_t code) {
  return std::to_string(code);
}

void append_clean(std::string& out, std::string_view text) {
  for (const char octet : text)
    out += is_control(octet) && octet != '\t' ? '?' : octet;
}

// "5.1.1" of `line` where it is an enhanced code of the class of `code`.
std::string_view enhanced_of(uint16_t code, std::string_view line) {
  const std::string_view word = line.substr(0, std::min(line.find(' '), kEnhancedMax + 1));
  if (!is_enhanced_code(word) || word.front() - '0' != code / 100) return {};
  return word;
}

}  // namespace

void append_reply(std::string& out, const Reply& reply) {
  std::string_view rest = reply.text;
  bool is_last = false;
  for (size_t lines = 1; !is_last; ++lines) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    is_last = end == rest.size() || lines == kReplyLinesMax;
    const size_t start = out.size();
    out += code_text(reply.code);
    out += is_last ? ' ' : '-';
    if (!reply.enhanced.empty()) out += reply.enhanced + ' ';
    append_clean(out, rest.substr(0, end));
    out.resize(std::min(out.size(), start + kReplyLineMax - 2));
    out += "\r\n";
    rest.remove_prefix(is_last ? end : end + 1);
  }
}

std::string to_text(const Reply& reply) {
  std::string out = code_text(reply.code);
  if (!reply.enhanced.empty()) out += ' ' + reply.enhanced;
  if (reply.text.empty()) return out;
  out += ' ';
  const size_t start = out.size();
  append_clean(out, reply.text);
  for (size_t i = start; i < out.size(); ++i) {
    if (reply.text[i - start] == '\n') out[i] = ' ';
  }
  return out;
}

bool is_enhanced_code(std::string_view text) {
  if (text.empty() || (text.front() != '2' && text.front() != '4' && text.front() != '5')) {
    return false;
  }
  text.remove_prefix(1);
  return skip(text, '.') && skip_number(text) && skip(text, '.') && skip_number(text) &&
         text.empty();
}

ReplyReader::Step ReplyReader::take(std::string_view line) {
  if (lines_ == 0) reply_ = Reply();
  if (line.size() < kCodeDigits || line[0] < '2' || line[0] > '5' || !is_of(line[1], kDigitOctet) ||
      !is_of(line[2], kDigitOctet) || lines_ == kReplyLinesMax) {
    return Step::bad;
  }
  const auto code =
      static_cast<uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  // RFC5321-4.2.1: the same code on each line; "250" alone is the last, without text.
  const char sign = line.size() > kCodeDigits ? line[kCodeDigits] : ' ';
  if ((sign != ' ' && sign != '-') || (lines_ != 0 && code != reply_.code)) return Step::bad;
  std::string_view text = line.size() > kCodeDigits ? line.substr(kCodeDigits + 1) : "";
  const std::string_view enhanced = enhanced_of(code, text);
  if (lines_ == 0) reply_.enhanced = enhanced;
  if (!enhanced.empty() && enhanced == reply_.enhanced) {
    text.remove_prefix(std::min(text.size(), enhanced.size() + 1));
  }
  reply_.code = code;
  if (lines_ != 0) reply_.text += '\n';
  append_clean(reply_.text, text);
  if (sign == '-') {
    ++lines_;
    return Step::more;
  }
  lines_ = 0;
  return Step::done;
}

}  // namespace postern::mail
