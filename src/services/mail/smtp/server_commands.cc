// SPDX-License-Identifier: BSD-3-Clause
// The table of commands (RFC 5321 section 4.1) and those of them that are about the session.
#include <algorithm>
#include <array>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"
#include "services/mail/smtp/server_session.h"

namespace postern::mail {

struct ServerSession::Row {
  std::string_view verb;
  Handler handler;
  bool has_argument;  // else one is an error
  bool needs_tls;     // where the settings require it
};

const ServerSession::Row* ServerSession::find_row(std::string_view verb) {
  using Self = ServerSession;
  static constexpr std::array<Row, 22> kRows = {{
      {"EHLO", &Self::handle_extended_hello, true, false},
      {"HELO", &Self::handle_hello, true, false},
      {"MAIL", &Self::handle_mail, true, true},
      {"RCPT", &Self::handle_recipient, true, true},
      {"DATA", &Self::handle_data, false, true},
      {"RSET", &Self::handle_reset, false, false},
      {"NOOP", &Self::handle_noop, true, false},
      {"QUIT", &Self::handle_quit, false, false},
      {"STARTTLS", &Self::handle_start_tls, false, false},
      {"AUTH", &Self::handle_auth, true, true},
      {"VRFY", &Self::handle_verify, true, true},
      {"EXPN", &Self::handle_missing, true, true},
      {"HELP", &Self::handle_help, true, false},
      {"BDAT", &Self::handle_chunk, true, false},
      {"ETRN", &Self::handle_missing, true, true},
      {"TURN", &Self::handle_missing, true, true},
      // A browser that somebody sent here: what follows is of his writing.
      {"GET", &Self::handle_foreign, true, false},
      {"POST", &Self::handle_foreign, true, false},
      {"PUT", &Self::handle_foreign, true, false},
      {"HEAD", &Self::handle_foreign, true, false},
      {"OPTIONS", &Self::handle_foreign, true, false},
      {"CONNECT", &Self::handle_foreign, true, false},
  }};
  const auto* const row = std::find_if(kRows.begin(), kRows.end(),
                                       [&](const Row& each) { return same_word(each.verb, verb); });
  return row == kRows.end() ? nullptr : row;
}

void ServerSession::handle(std::string_view line) {
  if (++commands_ > settings_.commands_max) {
    close_with({421, "4.7.0", settings_.host + " Too many commands without a message"});
    return;
  }
  const size_t space = std::min(line.find(' '), line.size());
  const std::string_view argument = trim(line.substr(space));
  const Row* const row = find_row(line.substr(0, space));
  if (row == nullptr && line.substr(0, space).ends_with(':')) {
    // RFC2920-3.1: a client that did not wait for 354 goes on with its message as if there were
    // one; what somebody else wrote in that is not for us to carry out.
    close_with({554, "5.5.2", "This is a message, and no command"});
  } else if (row == nullptr) {
    fail({500, "5.5.2", "Unknown command"});
  } else if (!argument.empty() && !row->has_argument) {
    fail({501, "5.5.4", "No argument is allowed here"});
  } else if (row->needs_tls && settings_.requires_tls && tls_.empty()) {
    fail({530, "5.7.0", "STARTTLS is required first"});
  } else {
    (this->*row->handler)(argument);
  }
}

// RFC2034-3: replies to HELO and EHLO have no enhanced codes.
void ServerSession::handle_hello(std::string_view argument) {
  if (!is_host(argument)) {
    fail({501, "", "A host name or an address literal is needed"});
    return;
  }
  reset();
  envelope_.helo = argument;
  is_extended_ = false;
  say({250, "", settings_.host});
}

void ServerSession::handle_extended_hello(std::string_view argument) {
  if (!is_host(argument)) {
    fail({501, "", "A host name or an address literal is needed"});
    return;
  }
  reset();
  envelope_.helo = argument;
  is_extended_ = true;
  std::string text = settings_.host + "\nPIPELINING\nSIZE " + std::to_string(settings_.size_max);
  if (settings_.offers_tls && tls_.empty()) text += "\nSTARTTLS";
  if (offers_auth()) text += "\nAUTH PLAIN LOGIN";
  text += "\nENHANCEDSTATUSCODES\n8BITMIME\nDSN\nSMTPUTF8\nHELP";
  say({250, "", text});
}

void ServerSession::handle_noop(std::string_view /*argument*/) {
  say({250, "2.0.0", "Ok"});
}

void ServerSession::handle_reset(std::string_view /*argument*/) {
  reset();
  say({250, "2.0.0", "Ok"});
}

void ServerSession::handle_quit(std::string_view /*argument*/) {
  close_with({221, "2.0.0", settings_.host + " Bye"});
}

// RFC5321-3.5.3: nobody learns here who has a mailbox.
void ServerSession::handle_verify(std::string_view argument) {
  if (argument.empty()) {
    fail({501, "5.5.4", "An address is needed"});
  } else {
    say({252, "2.5.0", "Send mail to it and see"});
  }
}

void ServerSession::handle_missing(std::string_view /*argument*/) {
  fail({502, "5.5.1", "This command is not offered"});
}

// What follows is as much of a message as its argument says.
void ServerSession::handle_chunk(std::string_view /*argument*/) {
  close_with({502, "5.5.1", "BDAT is not offered"});
}

void ServerSession::handle_help(std::string_view /*argument*/) {
  say({214, "2.0.0", "EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP STARTTLS AUTH"});
}

void ServerSession::handle_foreign(std::string_view /*argument*/) {
  close_with({554, "5.5.2", "This is a mail server"});
}

bool ServerSession::offers_auth() const {
  return settings_.offers_auth && (!tls_.empty() || settings_.allows_auth_in_clear);
}

}  // namespace postern::mail
