// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/dsn.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "services/mail/message/address.h"
#include "services/mail/message/date.h"
#include "services/mail/message/octets.h"
#include "services/mail/message/parameters.h"

namespace postern::mail {
namespace {

// One line without control octets, and ASCII alone unless the notification itself is UTF-8.
std::string clean(std::string_view text, bool is_utf8_allowed) {
  std::string out;
  const bool is_sound = is_utf8_allowed && is_utf8(text);
  size_t length = std::min(text.size(), kDiagnosticMax);
  // Not in the middle of a letter.
  while (length < text.size() && length != 0 && (static_cast<uint8_t>(text[length]) & 0xc0) == 0x80)
    --length;
  for (const char octet : text.substr(0, length))
    out += is_control(octet) || (is_high(octet) && !is_sound) ? '?' : octet;
  return out;
}

// RFC6533-3: letters above ASCII as \x{20AC}, where the notification is not UTF-8.
std::string address_text(const Address& address, bool is_utf8_allowed) {
  const std::string text = to_text(address);
  if (is_utf8_allowed || !needs_utf8(address)) return text;
  if (!is_utf8(text)) return clean(text, false);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<uint8_t>(text[at++]);
    if (first < 0x80) {
      const bool is_plain = first > ' ' && first != '\\' && first != '+' && first != '=';
      out +=
          is_plain ? std::string(1, static_cast<char>(first)) : fmt::format("\\x{{{:X}}}", first);
      continue;
    }
    // The bits behind the ones that count the octets.
    uint32_t letter = first & (0xffU >> (std::countl_one(first) + 1));
    for (; at < text.size() && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80; ++at)
      letter = letter << 6 | (static_cast<uint8_t>(text[at]) & 0x3fU);
    out += fmt::format("\\x{{{:X}}}", letter);
  }
  return out;
}

bool has(const DsnFacts& facts, DsnAction action) {
  return std::any_of(facts.recipients.begin(), facts.recipients.end(),
                     [&](const DsnRecipient& recipient) { return recipient.action == action; });
}

// The worst of what happened.
std::string_view subject_of(const DsnFacts& facts) {
  if (has(facts, DsnAction::failed)) return "Undelivered mail";
  if (has(facts, DsnAction::delayed)) return "Delayed mail";
  return "Delivered mail";
}

std::string_view sentence_of(DsnAction action) {
  switch (action) {
    case DsnAction::failed:
      return "Your message could not be delivered, and no more attempts are made, to";
    case DsnAction::delayed:
      return "Your message could not be delivered yet; it is still being tried. You need not "
             "send\r\n"
             "it again. It is for";
    case DsnAction::delivered:
      return "Your message was delivered to";
    case DsnAction::relayed:
      return "Your message was handed to a server that sends no notifications, for";
    case DsnAction::expanded:
      return "Your message was handed on to the members of";
  }
  return "";
}

std::string words_for_people(const DsnFacts& facts) {
  std::string out = "This is the mail server " + facts.host + ".\r\n";
  for (const DsnRecipient& recipient : facts.recipients) {
    out += "\r\n";
    out += sentence_of(recipient.action);
    out += "\r\n\r\n    <" + address_text(recipient.recipient.address, facts.is_utf8) + ">\r\n";
    if (recipient.diagnostic.empty()) continue;
    out += recipient.remote.empty()
               ? "\r\nThe reason:\r\n\r\n    "
               : "\r\nThe server " + clean(recipient.remote, false) + " said:\r\n\r\n    ";
    out += clean(recipient.diagnostic, facts.is_utf8) + "\r\n";
  }
  return out;
}

std::string status_of_recipient(const DsnFacts& facts, const DsnRecipient& about) {
  const Recipient& recipient = about.recipient;
  const std::string type = needs_utf8(recipient.address) ? "utf-8;" : "rfc822;";
  std::string out = "\r\n";
  const size_t semicolon = recipient.original.find(';');
  if (semicolon != std::string::npos) {
    // RFC3464-2.3.1: out of xtext again.
    const std::string_view original = std::string_view(recipient.original).substr(semicolon + 1);
    out += "Original-Recipient: " + recipient.original.substr(0, semicolon + 1) +
           clean(decode_xtext(original).value_or(std::string(original)), facts.is_utf8) + "\r\n";
  }
  out += "Final-Recipient: " + type + address_text(recipient.address, facts.is_utf8) + "\r\n";
  out += "Action: " + std::string(to_text(about.action)) + "\r\n";
  out += "Status: " + about.status + "\r\n";
  if (!about.remote.empty()) out += "Remote-MTA: dns;" + clean(about.remote, false) + "\r\n";
  if (!about.diagnostic.empty()) {
    out += "Diagnostic-Code: " + std::string(about.remote.empty() ? "X-Postern;" : "smtp;") +
           clean(about.diagnostic, facts.is_utf8) + "\r\n";
  }
  if (about.last_attempt_s != 0) {
    out += "Last-Attempt-Date: " + to_date(about.last_attempt_s, facts.zone_min) + "\r\n";
  }
  if (about.action == DsnAction::delayed && about.retry_until_s != 0) {
    out += "Will-Retry-Until: " + to_date(about.retry_until_s, facts.zone_min) + "\r\n";
  }
  return out;
}

std::string status_part(const DsnFacts& facts) {
  std::string out;
  if (!facts.envelope_id.empty()) {
    const std::string id = decode_xtext(facts.envelope_id).value_or(facts.envelope_id);
    out += "Original-Envelope-Id: " + clean(id, false) + "\r\n";
  }
  out += "Reporting-MTA: dns;" + facts.host + "\r\n";
  out += "Arrival-Date: " + to_date(facts.arrival_s, facts.zone_min) + "\r\n";
  for (const DsnRecipient& recipient : facts.recipients)
    out += status_of_recipient(facts, recipient);
  return out;
}

std::string part(const DsnFacts& facts, std::string_view type, bool is_8bit) {
  std::string out = "\r\n--" + facts.boundary + "\r\nContent-Type: ";
  out += type;
  out += is_8bit ? "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" : "\r\n\r\n";
  return out;
}

}  // namespace

std::string_view to_text(DsnAction action) {
  switch (action) {
    case DsnAction::failed:
      return "failed";
    case DsnAction::delayed:
      return "delayed";
    case DsnAction::delivered:
      return "delivered";
    case DsnAction::relayed:
      return "relayed";
    case DsnAction::expanded:
      return "expanded";
  }
  return "";
}

bool is_wanted(const DsnRecipient& recipient) {
  const uint8_t notify = recipient.recipient.notify;
  switch (recipient.action) {
    case DsnAction::failed:
      return notify == 0 || (notify & kNotifyFailure) != 0;
    case DsnAction::delayed:
      return notify == 0 || (notify & kNotifyDelay) != 0;
    case DsnAction::delivered:
    case DsnAction::relayed:
    case DsnAction::expanded:
      return (notify & kNotifySuccess) != 0;
  }
  return false;
}

bool returns_full(const DsnFacts& facts) {
  return facts.returns == kReturnsFull && has(facts, DsnAction::failed);
}

std::string dsn_head(const DsnFacts& facts) {
  const std::string report = facts.is_utf8 ? "global-delivery-status" : "delivery-status";
  std::string out = "Date: " + to_date(facts.now_s, facts.zone_min) + "\r\n";
  out += "From: Mail delivery <postmaster@" + facts.host + ">\r\n";
  out += "To: " + to_path(facts.to) + "\r\nSubject: ";
  out += subject_of(facts);
  out += "\r\nMessage-ID: <" + facts.message_id + ">\r\nAuto-Submitted: auto-replied\r\n";
  out += "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=" + report +
         ";\r\n\tboundary=\"" + facts.boundary + "\"\r\n";
  const bool is_8bit = facts.is_8bit || facts.is_utf8;
  if (is_8bit) out += "Content-Transfer-Encoding: 8bit\r\n";
  out += part(facts, facts.is_utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
              facts.is_utf8);
  out += words_for_people(facts);
  out += part(facts, "message/" + report, facts.is_utf8);
  out += status_part(facts);
  const bool is_full = returns_full(facts);
  if (facts.is_utf8) {
    out += part(facts, is_full ? "message/global" : "message/global-headers", true);
  } else {
    out += part(facts, is_full ? "message/rfc822" : "text/rfc822-headers", is_8bit);
  }
  return out;
}

std::string dsn_tail(const DsnFacts& facts) {
  return "\r\n--" + facts.boundary + "--\r\n";
}

}  // namespace postern::mail
