// SPDX-License-Identifier: BSD-3-Clause
// What ServerSession wants done, in this order. Those that begin with Ask, BeginMessage and
// FinishMessage are questions: the session waits, and goes on when its owner calls answer().
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "services/mail/message/envelope.h"

namespace postern::mail {

struct SendOctets {
  std::string octets;
};
// Behind all octets that were to be sent: the handshake; then tls_is_up().
struct StartTls {};
// Behind all octets that were to be sent. The session is over; a message that had begun is thrown
// away, be there a DropMessage or not, unless its FinishMessage came.
struct CloseConnection {};
// For the log: nothing is read for so long. deadline() says until when, on_time() ends it.
struct Delay {
  Duration length;
};

// May this client speak? A reply other than 2xx takes the place of the greeting.
struct AskClient {};
// May envelope().sender send, with that size? (Greylisting and SPF wait for the recipient or not.)
struct AskSender {
  uint64_t size = 0;  // declared, octets; 0: not declared
};
// Whether mail for it is taken. Never asked twice for one recipient of a message.
struct AskRecipient {
  Recipient recipient;
};
// Both are secrets: wipe them. A reply of 2xx: it is the user's.
struct AskPassword {
  std::string user;
  std::string password;
};
// Room for the message of envelope(), for its text comes next.
struct BeginMessage {};
// Text of it, with CRLFs, dots unstuffed. A view that holds until the session is called again.
struct MessageText {
  std::string_view octets;
};
// It is whole. 2xx: it is on disk, and from here on ours.
struct FinishMessage {};
// What had begun is thrown away. No question.
struct DropMessage {};

using SmtpAction =
    std::variant<SendOctets, StartTls, CloseConnection, Delay, AskClient, AskSender, AskRecipient,
                 AskPassword, BeginMessage, MessageText, FinishMessage, DropMessage>;
using SmtpActions = std::vector<SmtpAction>;

}  // namespace postern::mail
