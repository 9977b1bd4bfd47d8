// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/received.h"

#include <algorithm>

#include "services/mail/message/address.h"
#include "services/mail/message/date.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

// Nothing of it ends a line or a comment.
std::string as_comment(std::string_view text) {
  std::string out;
  for (const char octet : text) {
    const bool is_plain = !is_control(octet) && octet != '(' && octet != ')' && octet != '\\';
    out += is_plain ? octet : '?';
  }
  return out;
}

}  // namespace

std::string transmission_type(const ReceivedFacts& facts) {
  std::string out = facts.is_utf8 ? "UTF8SMTP" : facts.is_extended ? "ESMTP" : "SMTP";
  if (!facts.is_extended) return out;
  if (!facts.tls.empty()) out += 'S';
  if (facts.is_authenticated) out += 'A';
  return out;
}

std::string received_field(const ReceivedFacts& facts) {
  const std::string address = '[' + to_text(facts.client) + ']';
  std::string out = "Received: from " + (is_host(facts.helo) ? facts.helo : address) + " (";
  if (!facts.client_name.empty()) out += as_comment(facts.client_name) + ' ';
  out += address + ")\r\n";
  if (!facts.tls.empty()) out += "\t(using " + as_comment(facts.tls) + ")\r\n";
  out += "\tby " + facts.host + " with " + transmission_type(facts) + " id " + facts.id + "\r\n\t";
  if (facts.recipient != nullptr) out += "for " + to_path(*facts.recipient);
  return out + "; " + to_date(facts.time_s, facts.zone_min) + "\r\n";
}

std::string return_path_field(const Address& sender) {
  return "Return-Path: " + to_path(sender) + "\r\n";
}

}  // namespace postern::mail
