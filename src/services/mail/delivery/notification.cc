// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/notification.h"

#include <algorithm>
#include <string_view>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

std::string beginning_of(const Body& text, size_t octets) {
  std::string read(static_cast<size_t>(std::min<uint64_t>(text.octets(), octets)), '\0');
  read.resize(text.read(0, read));
  return read;
}

// Whole lines of it, without the empty one.
std::string header_of(const Body& text) {
  std::string header = beginning_of(text, kReturnedHeaderMax);
  HeaderScanner scanner;
  scanner.feed(header);
  const size_t last_line = header.rfind("\r\n");
  const size_t whole = last_line == std::string::npos ? 0 : last_line + 2;
  header.resize(scanner.is_done() ? std::min(scanner.length(), whole) : whole);
  return header;
}

}  // namespace

Notification write_notification(DsnFacts facts, const std::string& front, const Body& text) {
  if (text.octets() > kReturnedMax) facts.returns = kReturnsHeaders;
  std::string returned = front;
  returned += returns_full(facts) ? beginning_of(text, kReturnedMax) : header_of(text);
  const bool is_high_kept =
      returns_full(facts) && std::any_of(returned.begin(), returned.end(), is_high);
  if (!is_high_kept && !needs_utf8(facts.to)) {
    facts.is_utf8 = false;
    std::replace_if(returned.begin(), returned.end(), is_high, '?');
  }
  facts.is_8bit = facts.is_utf8 || is_high_kept;
  Notification made;
  made.text = dsn_head(facts);
  HeaderScanner scanner;
  scanner.feed(made.text);
  made.fields = scanner.fields();
  made.text += returned;
  made.text += dsn_tail(facts);
  made.is_8bit = facts.is_8bit;
  made.is_utf8 = facts.is_utf8;
  return made;
}

}  // namespace postern::mail
