// SPDX-License-Identifier: BSD-3-Clause
// Dialogues with a POP3 server as scripts: tests/chat/pop3_client/*.chat.
//
//   set tls required                none, opportunistic, required, implicit; user, password, token
//   S: +OK ready                    a line of the server, with CRLF; escapes: \r \n \0 \t \xNN too
//   S> +OK                          the same without CRLF
//   C: USER joe                     a line that we send
//   T: Subject: a                   a line of the message that is retrieved
//   O: listed 1=120,a 2=70,b        an event: start_tls, ask_token, ask_token_again, listed,
//                                   retrieved, removed, over; with "fails: why" where it fails
//   retrieve 1, remove 1, quit, token abc, tls, lost why     what the owner does
//
// Lines of the server that follow each other come in one piece. Each script is run so, octet by
// octet, and with all such pieces cut in two at each place: the dialogue has to be the same.
#pragma once

#include <string>
#include <string_view>

namespace postern::test {

// "" or what went wrong, with the number of the line.
std::string run_pop3_client_chat(std::string_view script);

}  // namespace postern::test
