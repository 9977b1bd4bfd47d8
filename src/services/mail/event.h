// SPDX-License-Identifier: BSD-3-Clause
// MailEvent: what becomes of a message, or of somebody who comes for mail; each is a line of the
// mail log and counted. Plain values, good during the call that brings them. Thread: control.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/time.h"
#include "services/mail/message/envelope.h"

namespace postern::mail {

enum class MailEventKind : uint8_t {
  received,       // in the queue, on the disk; by SMTP, or fetched
  refused,        // a client was told no, and keeps what it has
  delivered,      // a recipient's mailbox has it
  relayed,        // the next hop answers for it now
  deferred,       // to be tried again
  failed,         // for good; its sender is told, if there is one who may be
  held,           // by an administrator or a scanner; `result` says why
  released,       // to be tried again at once
  removed,        // by an administrator
  discarded,      // by a scanner, without a word to the sender; or it is a copy
  unscanned,      // the scanner could not be asked: `result` says what became of it
  logged_in,      // to POP3, or for submission
  login_refused,  // wrong password, or too many
  fetched,        // a mailbox elsewhere was gone through; `result` says with what outcome
};

struct MailEvent {
  MailEventKind kind = MailEventKind::received;
  std::string_view id;            // of the queue; empty: no message
  const Address* from = nullptr;  // of the envelope
  const Recipient* to = nullptr;  // the one that it is about; nullptr: all, or none
  size_t recipients = 0;          // with `received`
  std::string_view by;            // smtp, submission, pop3, fetch, local, relay
  std::string_view remote;  // next hop, mailbox or account: "mail.isp.example[192.0.2.25]:587"
  Ipv4Address client;       // unspecified: none
  std::string_view user;    // who authenticated
  uint64_t octets = 0;      // of the message
  Duration delay;           // since it was received
  std::string_view result;  // the reply, or words: "250 2.0.0 Ok"
};

// "received", "login-refused"
std::string_view to_text(MailEventKind kind);

}  // namespace postern::mail
