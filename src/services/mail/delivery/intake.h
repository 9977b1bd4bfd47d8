// SPDX-License-Identifier: BSD-3-Clause
// Intake: a message that came in becomes one of the queue, whoever brought it.
//
//   who gets it (router.h) -> on the disk -> scanned -> the answer -> Dispatcher
//
// What was answered with 2xx is on the disk, and is delivered or its sender told. Without scanners
// the answer comes with the disk's; with them the message waits in the queue as unscanned, so that
// no scanner, and no crash beside one, can lose it. What a crash left unscanned, and what is held
// because no scanner could be asked (F54), is scanned again, some messages at a time for as long as
// there are answers; its sender hears of the delay, and of the end of it, by the Dispatcher.
//
// Bounds: those of the queue; Scan has its own. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "services/mail/delivery/dispatcher.h"
#include "services/mail/message/header.h"
#include "services/mail/message/reply.h"
#include "services/mail/queue/queue.h"
#include "services/mail/seams.h"
#include "services/mail/service/settings.h"

namespace postern::mail {

struct ScanJob;      // scan/scanner.h
struct ScanVerdict;  // of the same

class Intake {
 public:
  // Scanner::scan(); asked only where settings want scanners.
  using Scan =
      std::function<void(ScanJob job, const std::function<void(const ScanVerdict&)>& then)>;

  // Both outlive this, and all Incoming that are given to it.
  Intake(Queue& queue, Dispatcher& dispatcher, Scan scan, const Seams& seams);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Of settings: host, book, sorting, scan.
  void follow(const MailSettings& settings);
  // Once a second.
  void tick();

  // The text is whole; `envelope` has the recipients as they were said, and all of them were
  // accepted (acceptance_of()). `by`: smtp, submission or fetch. `then` once, perhaps at once:
  // 250 2.0.0 and it is ours; 4xx: the disk, or a scanner that wants it later; 5xx: a scanner, or
  // too many recipients. It is logged here.
  using Then = std::function<void(const Reply& reply)>;
  void finish(std::unique_ptr<Incoming> incoming, Envelope envelope, const HeaderFields& fields,
              std::string_view by, const Then& then);
  // A message that was brought by `fetch` and answered with 2xx: it is known as fetched on the
  // disk, so it may be delivered. (What a crash leaves between the two is delivered after the
  // start.)
  void go(uint64_t number);

  struct Counters {
    uint64_t received = 0;   // messages, of `by` smtp and submission
    uint64_t fetched = 0;    // messages
    uint64_t refused = 0;    // messages
    uint64_t held = 0;       // messages
    uint64_t discarded = 0;  // messages
  };
  Counters counters() const;

 private:
  class Self;
  std::shared_ptr<Self> self_;
};

}  // namespace postern::mail
