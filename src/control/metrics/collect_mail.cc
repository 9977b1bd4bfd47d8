// SPDX-License-Identifier: BSD-3-Clause
// The mail service as metrics; none where it is not configured.
#include "control/gateway.h"
#include "control/metrics/collect.h"

namespace postern::metrics {

void collect_mail(Gateway& gateway, Exposition& out) {
  const MailControl& mail = gateway.mail();
  out.gauge("postern_mail_enabled", "1: there is to be a mail service", uint64_t{mail.is_wanted()});
  if (!mail.is_wanted()) return;
  const mail::Service* service = mail.service();
  out.gauge("postern_mail_running", "1: it is there", uint64_t{service != nullptr});
  if (service == nullptr) return;
  const mail::MailCounters counters = mail.counters();
#define POSTERN_MAIL_COUNTER(name, help) out.counter("postern_mail_" #name, help, counters.name);
#include "control/services/mail_counters.def"
#undef POSTERN_MAIL_COUNTER
  out.gauge("postern_mail_smtp_sessions", "connections of SMTP clients", counters.smtp_sessions);
  out.gauge("postern_mail_pop3_sessions", "connections of POP3 clients", counters.pop3_sessions);
  const mail::QueueCounters queue = service->queue().counters();
  out.gauge("postern_mail_queue_messages", "messages in the queue", queue.messages);
  out.gauge("postern_mail_queue_bytes", "of their texts", queue.octets);
  out.counter("postern_mail_queue_refused", "messages that there was no room for", queue.refused);
  out.gauge("postern_mail_queue_failing", "1: nothing is taken, as the disk fails",
            uint64_t{queue.is_failing});
  uint64_t held = 0;
  int64_t oldest_s = 0;
  service->queue().each([&](const mail::QueuedMessage& message) {
    if (oldest_s == 0) oldest_s = message.arrived_s;
    held += message.is_held() ? 1 : 0;
    return true;
  });
  out.gauge("postern_mail_queue_held", "messages that an administrator or a scanner holds", held);
  out.gauge("postern_mail_queue_oldest_seconds",
            "when the oldest one in the queue came, since 1970; 0: none",
            static_cast<uint64_t>(oldest_s));
}

}  // namespace postern::metrics
