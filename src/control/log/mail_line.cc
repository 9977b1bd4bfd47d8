// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/mail_line.h"

#include "control/log/log_line.h"
#include "services/mail/message/address.h"

namespace postern {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

// What an event does not have is left out; the null sender is there: <>.
std::string mail_line(const mail::MailEvent& event, int64_t wall_ns, std::string_view host) {
  LineText line(wall_ns, host, "mail");
  line.word("event", to_text(event.kind));
  auto word = [&line](std::string_view key, std::string_view value) {
    if (!value.empty()) line.word(key, value);
  };
  word("id", event.id);
  word("by", event.by);
  if (event.from != nullptr) line.word("from", mail::to_path(*event.from));
  if (event.to != nullptr) line.word("to", mail::to_path(event.to->address));
  if (event.recipients > 0) line.number("recipients", event.recipients);
  word("remote", event.remote);
  if (!event.client.is_unspecified()) line.word("client", to_text(event.client));
  word("user", event.user);
  if (event.octets > 0) line.number("bytes", event.octets);
  if (event.delay.ns > 0) line.number("delay_ms", static_cast<uint64_t>(event.delay.ns / kNsPerMs));
  if (!event.result.empty()) line.text("result", event.result);
  return line.line();
}

}  // namespace postern
