// SPDX-License-Identifier: BSD-3-Clause
// What ClientSession is told to do, and what it wants done, in this order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "services/mail/message/envelope.h"
#include "services/mail/message/reply.h"
#include "services/mail/net/tls_use.h"
#include "services/mail/smtp/actions.h"

namespace postern::mail {

struct ClientSettings {
  std::string helo;                         // our name
  bool starts_tls = true;                   // where the server offers STARTTLS
  bool needs_tls = false;                   // else nothing is said but EHLO and QUIT
  bool has_tls = false;                     // from the first octet
  bool allows_clear_auth = false;           // a password may go without TLS
  Credentials credentials;                  // token_command: only whether there is one
  Duration command_timeout = seconds(300);  // RFC 5321 section 4.5.3.2
  Duration end_timeout = seconds(600);      // for the answer to the end of the text
};

struct ClientMessage {
  std::shared_ptr<const Envelope> envelope;
  std::vector<size_t> places;  // of the recipients that are meant; not empty
  uint64_t octets = 0;         // of the text
};

// A token of OAuth 2.0; then answer_token(). `is_again`: the one before was refused.
struct AskToken {
  bool is_again = false;
};
// The next message may come: send(), say() or quit().
struct ReadyForMessage {};
// The message's text, from its start: text() and then end_text().
struct SendText {};
// What became of the message: 2xx it is the server's, 4xx perhaps later, 5xx never; each place
// once.
struct MessageOver {
  std::vector<std::pair<size_t, Reply>> replies;
  // Nothing was heard of it: a connection that had waited too long, say. It may go by another one.
  bool was_heard = true;
};
// The answer to say().
struct Said {
  Reply reply;
};
// The session is over, and CloseConnection follows. Before the first ReadyForMessage: this server
// cannot be used, `reply` (4xx) says why.
struct SessionOver {
  Reply reply;
};

using ClientAction = std::variant<SendOctets, StartTls, CloseConnection, AskToken, ReadyForMessage,
                                  SendText, MessageOver, Said, SessionOver>;
using ClientActions = std::vector<ClientAction>;

}  // namespace postern::mail
