// SPDX-License-Identifier: BSD-3-Clause
// Dialogues with the SMTP server as scripts: tests/chat/smtp/*.chat.
//
//   set size_max 1000               a setting; yes and no for those that are claims
//   show questions                  events of the owner that are else left out
//   when ask_recipient <a@b.x>: 550 5.1.1 No     how that question is answered, else 2xx;
//                                   "later": not before a line "answer"; "ok": yes
//   S: 220 mx.a.example ESMTP       a line the server sends; "..." at the end stands for any rest
//   C: NOOP                         a line of the client, with CRLF; escapes: \r \n \0 \t \xNN too
//   C> NOO                          the same without CRLF
//   M: Subject: a                   a line of the message that was finished
//   O: close                        an event: close, drop, start_tls, delay 5 s, ask_password u p
//   answer 250 2.1.0 Ok             to a question that was put off
//   + 300 s                         time passes
//   eof, tls, stop, fail 452 4.3.1 Full     end of input, handshake done, stop(), refuse_message()
//   once                            the octets of the client are not cut
//
// Lines of the client that follow each other are sent in one piece. Each script is run so, octet by
// octet, and with all such pieces cut in two at each place: the dialogue has to be the same.
#pragma once

#include <string>
#include <string_view>

namespace postern::test {

// "" or what went wrong, with the number of the line.
std::string run_smtp_chat(std::string_view script);

}  // namespace postern::test
