// SPDX-License-Identifier: BSD-3-Clause
// Dialogues of our SMTP client as scripts: tests/chat/smtp_client/*.chat.
//
//   set user joe                    helo, user, password; yes and no: token, starts_tls, needs_tls,
//                                   has_tls, clear_auth
//   mail <joe@a.example> SIZE=100 RET=HDRS      a message's sender, as MAIL would have it
//   rcpt <ann@b.example> NOTIFY=DELAY           its next recipient, as RCPT would have it
//   send                            the message goes
//   S: 220 mx.b.example             a line of the server, with CRLF; S> without
//   C: EHLO pc.a.example            a line that the client sends
//   T: Subject: a                   a line of the text goes, with CRLF; T> without
//   end, break disk                 end_text(), break_text()
//   tls, token abc, no_token why, lost why, quit, say ETRN b.example
//   + 300 s                         time passes
//   O: ready                        an event: ready, start_tls, ask_token, ask_token_again, text,
//                                   over 0 250 2.0.0 Ok, over 0 unheard 421 Bye, said 250 Ok,
//                                   session_over 421 Bye, close
//
// Lines of the server that follow each other come in one piece. Each script is run so, octet by
// octet, and with all such pieces cut in two at each place: the dialogue has to be the same.
#pragma once

#include <string>
#include <string_view>

namespace postern::test {

// "" or what went wrong, with the number of the line.
std::string run_smtp_client_chat(std::string_view script);

}  // namespace postern::test
