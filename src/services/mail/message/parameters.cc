// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/parameters.h"

#include <algorithm>
#include <array>
#include <limits>

#include "services/mail/message/address.h"
#include "services/mail/message/envelope.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr size_t kIdMax = 100;
constexpr size_t kOriginalMax = 500;
constexpr size_t kAuthMax = 500;
constexpr size_t kSizeDigitsMax = 20;

struct Parameter {
  std::string_view keyword;
  std::string_view value;
  bool has_value = false;
};

// Takes the next parameter from the front of `text`; false: there is none.
bool take_parameter(std::string_view& text, Parameter& out) {
  text = trim(text);
  if (text.empty()) return false;
  const std::string_view word = text.substr(0, std::min(text.find(' '), text.size()));
  text.remove_prefix(word.size());
  const size_t equals = std::min(word.find('='), word.size());
  out.keyword = word.substr(0, equals);
  out.has_value = equals < word.size();
  out.value = out.has_value ? word.substr(equals + 1) : std::string_view();
  return true;
}

bool is_xtext(std::string_view text, size_t max) {
  return !text.empty() && text.size() <= max && decode_xtext(text).has_value();
}

ParameterFault sound(bool is_sound) {
  return is_sound ? ParameterFault::none : ParameterFault::value;
}

ParameterFault take_size(const Parameter& parameter, MailParameters& out) {
  const std::string_view digits = parameter.value;
  if (digits.empty() || digits.size() > kSizeDigitsMax) return ParameterFault::value;
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  uint64_t size = 0;
  for (const char digit : digits) {
    if (!is_of(digit, kDigitOctet)) return ParameterFault::value;
    const auto value = static_cast<uint64_t>(digit - '0');
    size = size > (kMost - value) / 10 ? kMost : size * 10 + value;
  }
  out.size = size;
  return ParameterFault::none;
}

ParameterFault take_body(const Parameter& parameter, MailParameters& out) {
  out.is_8bit = same_word(parameter.value, "8BITMIME");
  return sound(out.is_8bit || same_word(parameter.value, "7BIT"));
}

ParameterFault take_utf8(const Parameter& parameter, MailParameters& out) {
  out.is_utf8 = true;
  return sound(!parameter.has_value);
}

ParameterFault take_auth(const Parameter& parameter, MailParameters& out) {
  out.auth = parameter.value;
  return sound(out.auth == "<>" || is_xtext(out.auth, kAuthMax));
}

ParameterFault take_returns(const Parameter& parameter, MailParameters& out) {
  if (same_word(parameter.value, "FULL")) out.returns = kReturnsFull;
  if (same_word(parameter.value, "HDRS")) out.returns = kReturnsHeaders;
  return sound(out.returns != kReturnsUnsaid);
}

ParameterFault take_id(const Parameter& parameter, MailParameters& out) {
  out.id = parameter.value;
  return sound(is_xtext(out.id, kIdMax));
}

struct MailRow {
  std::string_view keyword;
  ParameterFault (*take)(const Parameter& parameter, MailParameters& out);
};
constexpr std::array<MailRow, 6> kMailRows = {{{"SIZE", take_size},
                                               {"BODY", take_body},
                                               {"SMTPUTF8", take_utf8},
                                               {"RET", take_returns},
                                               {"ENVID", take_id},
                                               {"AUTH", take_auth}}};

uint8_t notify_bit(std::string_view word) {
  if (same_word(word, "NEVER")) return kNotifyNever;
  if (same_word(word, "SUCCESS")) return kNotifySuccess;
  if (same_word(word, "FAILURE")) return kNotifyFailure;
  if (same_word(word, "DELAY")) return kNotifyDelay;
  return 0;
}

// RFC3461-4.1: NEVER stands alone.
ParameterFault take_notify(std::string_view list, RcptParameters& out) {
  for (bool is_last = false; !is_last;) {
    const size_t comma = std::min(list.find(','), list.size());
    const uint8_t bit = notify_bit(list.substr(0, comma));
    if (bit == 0 || (out.notify & bit) != 0) return ParameterFault::value;
    out.notify = static_cast<uint8_t>(out.notify | bit);
    is_last = comma == list.size();
    list.remove_prefix(is_last ? comma : comma + 1);
  }
  return sound((out.notify & kNotifyNever) == 0 || out.notify == kNotifyNever);
}

// "type;address". RFC 6533 allows utf-8 with an encoding of its own, which has no octets that are
// not of xtext but for "\x{...}"; what type says is not ours to judge.
ParameterFault take_original(std::string_view value, RcptParameters& out) {
  const size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0 || value.size() > kOriginalMax) {
    return ParameterFault::value;
  }
  const std::string_view type = value.substr(0, semicolon);
  const std::string_view address = value.substr(semicolon + 1);
  out.original = value;
  if (!std::all_of(type.begin(), type.end(), [](char c) { return is_of(c, kAtomOctet); })) {
    return ParameterFault::value;
  }
  if (!same_word(type, "utf-8")) return sound(is_xtext(address, kOriginalMax));
  return sound(!address.empty() && is_utf8(address) &&
               std::none_of(address.begin(), address.end(), is_control));
}

}  // namespace

ParameterFault parse_mail_parameters(std::string_view text, bool is_auth, MailParameters& out) {
  Parameter parameter;
  std::array<bool, kMailRows.size()> was = {};
  while (take_parameter(text, parameter)) {
    const auto* const row = std::find_if(
        kMailRows.begin(), kMailRows.end(),
        [&](const MailRow& candidate) { return same_word(candidate.keyword, parameter.keyword); });
    if (row == kMailRows.end() || (row->take == take_auth && !is_auth)) {
      return ParameterFault::unknown;
    }
    bool& was_said = was[static_cast<size_t>(row - kMailRows.begin())];
    if (was_said) return ParameterFault::twice;
    was_said = true;
    const ParameterFault fault = row->take(parameter, out);
    if (fault != ParameterFault::none) return fault;
  }
  return ParameterFault::none;
}

ParameterFault parse_rcpt_parameters(std::string_view text, RcptParameters& out) {
  Parameter parameter;
  while (take_parameter(text, parameter)) {
    const bool is_notify = same_word(parameter.keyword, "NOTIFY");
    if (!is_notify && !same_word(parameter.keyword, "ORCPT")) return ParameterFault::unknown;
    if (is_notify ? out.notify != 0 : !out.original.empty()) return ParameterFault::twice;
    const ParameterFault fault =
        is_notify ? take_notify(parameter.value, out) : take_original(parameter.value, out);
    if (fault != ParameterFault::none) return fault;
  }
  return ParameterFault::none;
}

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '!' || text[i] > '~' || text[i] == '=') return std::nullopt;
    if (text[i] != '+') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const unsigned high = hex_value(text[i + 1]);
    const unsigned low = hex_value(text[i + 2]);
    if (high > 15 || low > 15) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string encode_xtext(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char octet : text) {
    if (octet >= '!' && octet <= '~' && octet != '+' && octet != '=') {
      out += octet;
      continue;
    }
    const auto value = static_cast<uint8_t>(octet);
    out += '+';
    out += kDigits[value >> 4];
    out += kDigits[value & 15];
  }
  return out;
}

}  // namespace postern::mail
