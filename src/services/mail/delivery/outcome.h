// SPDX-License-Identifier: BSD-3-Clause
// What a try to deliver to a recipient leads to: how far the recipient is then, when it is tried
// again (RFC 5321 section 4.5.4.1), and what its sender hears of it (RFC 3461 section 6.2). Pure;
// thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/mail/delivery/settings.h"
#include "services/mail/message/dsn.h"
#include "services/mail/message/reply.h"
#include "services/mail/queue/queued.h"

namespace postern::mail {

constexpr uint32_t kTriesMin = 3;

struct Attempt {
  Reply reply;
  std::string remote;     // who said it: "mail.isp.example[192.0.2.25]:587"; empty: we
  bool has_dsn = false;   // the next hop tells the sender what becomes of it
  bool was_tried = true;  // false: its next hop is out of reach, whoever it is for
};

// How long until the next try; twice as long each time, and up to an eighth longer, other for each
// message, so that what failed together does not come back together.
Duration back_off(const DeliverySettings& settings, uint32_t attempts, uint64_t number);

// When it is to be tried: next_s, but at once where no wait leads there, as the clock was set back.
int64_t due_of(const Progress& progress, const DeliverySettings& settings, int64_t now_s);

// It has waited for longer than settings.expiry. By the clock, where that can be right; where the
// message came by one that was not set yet, or is set back now, this is never so.
bool is_overdue(const QueuedMessage& message, const DeliverySettings& settings, int64_t now_s);

// Of the recipient at `place`, which is waiting. Fails by expiry behind kTriesMin tries at least.
Progress progress_after(const Attempt& attempt, const QueuedMessage& message, size_t place,
                        const DeliverySettings& settings, int64_t now_s);

// When a message that no scanner has seen counts as tried in vain, without which nobody would hear
// of it: by the warning, and from the expiry on. Nothing: none of its recipients waits.
std::optional<int64_t> unscanned_due(const QueuedMessage& message,
                                     const DeliverySettings& settings);

// Whether the sender is to hear now that it takes long.
bool is_late(const QueuedMessage& message, size_t place, const DeliverySettings& settings,
             int64_t now_s);

// What is said about a recipient in a notification; of one that waits: that it is late.
DsnRecipient dsn_recipient(const QueuedMessage& message, size_t place,
                           const DeliverySettings& settings, int64_t now_s);

}  // namespace postern::mail
