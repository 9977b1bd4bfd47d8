// SPDX-License-Identifier: BSD-3-Clause
// Delivery status notifications (RFC 3464 in the multipart/report of RFC 6522, asked for by RFC
// 3461; RFC 6533 where addresses are not ASCII).
//
//   out = dsn_head(facts);    // fields, words for people, the status, the head of the last part
//   out += ...                // the message that it is about, or the fields of it: see
//   returns_full out += dsn_tail(facts);
//
// so that a large message passes through without being held. It is sent by <> (RFC 5321 section
// 4.5.5), and never about a message from <>: the caller asks is_null() first.
//
// Bounds: text from other servers is cut to kDiagnosticMax octets; the rest is bounded by the
// envelope. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/mail/message/envelope.h"

namespace postern::mail {

constexpr size_t kDiagnosticMax = 480;

// RFC 3464 section 2.3.3.
enum class DsnAction : uint8_t { failed, delayed, delivered, relayed, expanded };
std::string_view to_text(DsnAction action);

struct DsnRecipient {
  Recipient recipient;
  DsnAction action = DsnAction::failed;
  std::string status = "5.0.0";  // an enhanced code
  std::string diagnostic;      // the reply of the next hop, "550 5.1.1 ..."; empty: there was none
  std::string remote;          // host that said it; empty: it was us
  int64_t last_attempt_s = 0;  // 0: there was none
  int64_t retry_until_s = 0;   // for delayed ones
};

struct DsnFacts {
  std::string host;         // ours
  Address to;               // the sender of the message
  std::string envelope_id;  // ENVID in xtext; empty: not said
  std::string message_id;   // of the notification, without <>
  std::string boundary;     // letters and digits that are in no line of the message: random
  int64_t arrival_s = 0;    // of the message
  int64_t now_s = 0;
  int zone_min = 0;
  uint8_t returns = kReturnsUnsaid;
  bool is_8bit = false;  // the message has octets above 127: the notification has, too
  bool is_utf8 = false;  // the message went by SMTPUTF8; then it is 8-bit as well
  std::vector<DsnRecipient> recipients;
};

// Whether this notification goes out at all: RFC 3461 section 6.2 by what NOTIFY said; without it
// failures and delays are told.
bool is_wanted(const DsnRecipient& recipient);

// Whether the whole message follows the head, or its header only (RFC 3461 section 4.3: the whole
// only where it was asked for, and for failures only).
bool returns_full(const DsnFacts& facts);

std::string dsn_head(const DsnFacts& facts);
std::string dsn_tail(const DsnFacts& facts);

}  // namespace postern::mail
