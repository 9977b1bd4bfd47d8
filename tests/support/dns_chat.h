// SPDX-License-Identifier: BSD-3-Clause
// Dialogues with the DNS engine as scripts (tests/chat/dns/*.chat). A line is one of
//
//   # covers RFC2308-5 F47                what the script shows
//   servers ADDRESS...                    those of all other names
//   set KEY VALUE...                      domain NAME, forward ZONE ADDRESS, record NAME ADDRESS,
//                                         parallel, rate N, stale SECONDS, max_ttl SECONDS, guard
//                                         off
//   lease ADDRESS NAME, unlease ADDRESS
//   ask CLIENT NAME TYPE [do] [edns] [cd] [norec] [tcp]
//   sent SERVER NAME TYPE [tcp] [plain]   the next question to a server is this one
//   answer SERVER STATUS [tc] [forged-id] [forged-socket] [lower] [about NAME] : RECORDS
//   fail SERVER                           its stream breaks
//   told CLIENT STATUS [tc] ... : RECORDS the next answer to a client is this one
//   idle                                  nothing more was sent or told
//   wait DURATION                         300ms, 5s
//   count NAME N                          a counter
//
// `answer` is about the last question that the server was seen to get by `sent`.
#pragma once

#include <string>

namespace postern::test {

// What is wrong, "line N: ..."; empty when all is as the script says.
std::string run_dns_chat(const std::string& script);

}  // namespace postern::test
