// SPDX-License-Identifier: BSD-3-Clause
// The line of the mail log: what became of a message, or of somebody who came for mail (F65), in
// the form of all logs (log_line.h).
//
//   time=... host=gw1 module=mail event=relayed id=4K7QX2 from=<anna@office.example>
//     to=<joe@b.example> remote="mail.isp.example[192.0.2.25]:587" delay_ms=812
//     result="250 2.0.0 Ok"
//
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/mail/event.h"

namespace postern {

std::string mail_line(const mail::MailEvent& event, int64_t wall_ns, std::string_view host);

}  // namespace postern
