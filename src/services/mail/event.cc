// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/event.h"

namespace postern::mail {

std::string_view to_text(MailEventKind kind) {
  switch (kind) {
    case MailEventKind::received:
      return "received";
    case MailEventKind::refused:
      return "refused";
    case MailEventKind::delivered:
      return "delivered";
    case MailEventKind::relayed:
      return "relayed";
    case MailEventKind::deferred:
      return "deferred";
    case MailEventKind::failed:
      return "failed";
    case MailEventKind::held:
      return "held";
    case MailEventKind::released:
      return "released";
    case MailEventKind::removed:
      return "removed";
    case MailEventKind::discarded:
      return "discarded";
    case MailEventKind::unscanned:
      return "unscanned";
    case MailEventKind::logged_in:
      return "logged-in";
    case MailEventKind::login_refused:
      return "login-refused";
    case MailEventKind::fetched:
      return "fetched";
  }
  return "";
}

}  // namespace postern::mail
