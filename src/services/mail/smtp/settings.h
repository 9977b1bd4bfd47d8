// SPDX-License-Identifier: BSD-3-Clause
// SmtpSettings: what one listener allows its clients. Plain values, one for many sessions.
// RFC 5321 section 4.5.3 has the least of the bounds and the timeouts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"
#include "services/mail/message/header.h"

namespace postern::mail {

struct SmtpSettings {
  std::string host;  // our name, in the greeting and in replies

  uint64_t size_max = 50 * 1024 * 1024;  // octets of a message
  size_t recipients_max = 1000;          // of a message; at least 100
  size_t command_line_max = 2048;        // octets; 512 and what the extensions add
  size_t auth_line_max = 12288;          // octets (RFC 4954 section 4)
  size_t text_line_max = 16384;          // octets; 1000 is the least, longer ones are common
  HeaderLimits header;
  size_t hops_max = 100;       // Received fields, before it is a loop
  size_t messages_max = 1000;  // of a session
  size_t commands_max = 100;   // between two messages, without accepted recipients
  size_t errors_tarpit = 5;    // so many replies of 5xx, then each is delayed
  size_t errors_max = 20;      // then the session ends
  size_t auth_tries_max = 3;   // passwords
  Duration greet_delay = {0};  // before the greeting: who talks earlier is refused
  Duration tarpit = seconds(5);
  Duration command_timeout = seconds(300);   // RFC 5321 section 4.5.3.2.7
  Duration data_timeout = seconds(300);      // between octets of a message
  Duration message_timeout = seconds(3600);  // for all of a message
  Duration fruitless_max = {0};  // between accepted messages of who has not logged in; 0: any

  bool offers_tls = false;
  bool requires_tls = false;          // for MAIL and all behind it
  bool offers_auth = false;           // over TLS
  bool allows_auth_in_clear = false;  // without TLS, too
  bool requires_auth = false;         // submission (RFC 6409)
};

}  // namespace postern::mail
