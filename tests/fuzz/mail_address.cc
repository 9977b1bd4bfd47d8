// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as a path and as the parameters of MAIL and RCPT. What is read is within
// its bounds, breaks no line, and written again it is read as the same address.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/mail/message/address.h"
#include "services/mail/message/base64.h"
#include "services/mail/message/date.h"
#include "services/mail/message/parameters.h"

namespace mail = postern::mail;

namespace {

void demand_sound(const mail::Address& address) {
  POSTERN_ASSERT(address.local.size() <= mail::kLocalMax);
  POSTERN_ASSERT(address.domain.size() <= mail::kDomainMax);
  const std::string text = mail::to_path(address);
  POSTERN_ASSERT(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  POSTERN_ASSERT(mail::is_utf8(text));
  std::string_view rest = text;
  mail::Path again;
  const mail::PathRules rules = {true, true, true};
  const mail::AddressFault fault = mail::parse_path(rest, rules, again);
  POSTERN_ASSERT(fault == mail::AddressFault::none);
  POSTERN_ASSERT(rest.empty());
  POSTERN_ASSERT(again.address == address);
}

void read_parameters(std::string_view text) {
  mail::MailParameters sender;
  mail::parse_mail_parameters(text, true, sender);
  mail::RcptParameters recipient;
  mail::parse_rcpt_parameters(text, recipient);
  if (const auto octets = mail::decode_xtext(text)) {
    POSTERN_ASSERT(mail::decode_xtext(mail::encode_xtext(*octets)) == octets);
  }
  if (const auto octets = mail::decode_base64(text)) {
    POSTERN_ASSERT(mail::encode_base64(*octets) == text);
  }
  if (const auto time = mail::parse_date(text)) {
    if (*time > 0) POSTERN_ASSERT(mail::parse_date(mail::to_date(*time)) == time);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  for (const bool is_utf8 : {false, true}) {
    std::string_view rest = text;
    mail::Path path;
    const mail::PathRules rules = {is_utf8, true, true};
    if (mail::parse_path(rest, rules, path) == mail::AddressFault::none) {
      POSTERN_ASSERT(text.size() - rest.size() <= mail::kPathMax);
      POSTERN_ASSERT(is_utf8 || !mail::needs_utf8(path.address));
      demand_sound(path.address);
    }
    mail::Address address;
    if (mail::parse_mailbox(text, is_utf8, address) == mail::AddressFault::none) {
      demand_sound(address);
    }
  }
  read_parameters(text);
  return 0;
}
