// SPDX-License-Identifier: BSD-3-Clause
// Dispatcher: brings what is in the queue to its recipients (RFC 5321 sections 4.5.4 and 6.1).
//
//   due -> mailboxes here, next hops -> delivered, failed, or again later -> the queue
//       -> the sender is told (notification.h)
//
// Each recipient has its own fate; the message goes when all have theirs, and the sender knows what
// is to be known. Who waits for the time of a schedule is not tried, and is not late by that.
//
// Bounds: a message is in memory once, with some octets for each recipient under way; texts of
// those that are just being delivered. No walk over all messages but at the start, and when an
// administrator wants all tried. Thread: control.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "services/mail/mailbox/mailboxes.h"
#include "services/mail/queue/queue.h"
#include "services/mail/relay/next_hops.h"
#include "services/mail/seams.h"
#include "services/mail/service/settings.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

class Dispatcher {
 public:
  struct Parts {
    Queue& queue;
    const Mailboxes& mailboxes;
    NextHops& next_hops;
  };
  // All of them outlive this. What the queue has is due when it says; nothing happens before the
  // first tick().
  Dispatcher(boost::asio::io_context& context, const Parts& parts, const Seams& seams);
  // What is under way is broken off; nothing is lost by that.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Of settings: host, book, sorting, delivery.
  void follow(const MailSettings& settings);
  // Once a second.
  void tick();

  // A message is in the queue: from here on it is taken care of. Held ones, and those that no
  // scanner has seen yet, wait; say it again when they may go. Of the latter their senders hear as
  // of all that is late.
  void added(uint64_t number);
  // Nobody gets it, and nobody is told. `then`: that is on the disk.
  void discard(uint64_t number, const Queue::Done& then = {});

  // Of an administrator. `then`: it is on the disk; not_found: there is no such message.
  void retry(uint64_t number, const Queue::Done& then = {});  // now; held ones are released
  void hold(uint64_t number, const Queue::Done& then = {});
  void remove(uint64_t number, const Queue::Done& then = {});
  void retry_all();  // now, but for those that are held

  struct Counters {
    uint64_t delivered = 0;  // recipients, into mailboxes
    uint64_t relayed = 0;    // recipients
    uint64_t deferred = 0;   // tries of recipients
    uint64_t failed = 0;     // recipients
    uint64_t notified = 0;   // senders
  };
  Counters counters() const;

 private:
  class Self;
  std::unique_ptr<Self> self_;
};

}  // namespace postern::mail
