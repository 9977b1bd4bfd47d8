// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/mail_log.h"

#include "control/log/log_line.h"
#include "control/log/mail_line.h"

namespace postern {
namespace {

// What somebody may want to look at.
Severity severity_of(mail::MailEventKind kind) {
  using Kind = mail::MailEventKind;
  switch (kind) {
    case Kind::failed:
    case Kind::held:
    case Kind::unscanned:
    case Kind::discarded:
      return Severity::warning;
    case Kind::deferred:
    case Kind::login_refused:
    case Kind::removed:
      return Severity::notice;
    case Kind::received:
    case Kind::refused:
    case Kind::delivered:
    case Kind::relayed:
    case Kind::released:
    case Kind::logged_in:
    case Kind::fetched:
      return Severity::info;
  }
  return Severity::info;
}

}  // namespace

void MailLog::write(const mail::MailEvent& event) {
  const int64_t now = wall_now_ns();
  output_.write(severity_of(event.kind), mail_line(event, now, host_), now);
}

}  // namespace postern
