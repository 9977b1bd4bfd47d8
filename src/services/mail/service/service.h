// SPDX-License-Identifier: BSD-3-Clause
// Service: the mail service as a whole, without the daemon around it.
//
//   SMTP server, fetching -> intake: who gets it, scanners -> queue -> mailboxes, relay,
//   notifications
//                                                             mailboxes -> POP3 server
//
// Thread: control. Its parts have threads for the disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/mail/queue/queue.h"
#include "services/mail/seams.h"
#include "services/mail/service/settings.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

struct MailCounters {
  uint64_t received = 0;   // messages, by SMTP
  uint64_t fetched = 0;    // messages
  uint64_t refused = 0;    // recipients, senders and messages
  uint64_t delivered = 0;  // recipients, into mailboxes
  uint64_t relayed = 0;    // recipients
  uint64_t deferred = 0;   // tries
  uint64_t failed = 0;     // recipients
  uint64_t held = 0;       // messages, by scanners
  uint64_t discarded = 0;  // messages
  uint64_t logins_refused = 0;
  uint64_t smtp_sessions = 0;  // now
  uint64_t pop3_sessions = 0;  // now
  QueueCounters queue;
};

class Service {
 public:
  struct Options {
    std::string folder;  // of queue/, mailboxes/ and what else has to be kept
    MailSettings settings;
    Seams seams;
    std::string spf_program;  // path of postern-spf
  };
  // Reads the queue, listens. The error says what to do.
  static Result<std::unique_ptr<Service>> open(boost::asio::io_context& context, Options options);
  // What is under way is broken off; nothing that was answered for is lost.
  virtual ~Service() = default;

  // What is under way goes on by the settings before. The error: a socket that cannot be opened,
  // or a certificate that cannot be used; everything else is followed.
  virtual Result<void> follow(MailSettings settings) = 0;
  // The accounts changed and nothing else: passwords, certificates and connections stay.
  virtual Result<void> follow_book(RecipientBook book) = 0;
  // Once a second.
  virtual void tick() = 0;
  // An outside link came up: ETRN is said, what waits for a relay is tried.
  virtual void link_is_up() = 0;

  virtual std::vector<io::ListenAddress> listening() const = 0;
  virtual MailCounters counters() const = 0;
  virtual const Queue& queue() const = 0;

  using Done = Queue::Done;
  // Messages of an administrator's choice; not_found: there is no such message.
  virtual void retry(uint64_t number, const Done& then) = 0;  // held ones are released, too
  virtual void hold(uint64_t number, const Done& then) = 0;
  virtual void remove(uint64_t number, const Done& then) = 0;
  virtual void retry_all() = 0;

  struct FetchState {
    std::string name;
    int64_t last_s = 0;    // UTC; 0: never
    uint64_t fetched = 0;  // messages, since the start
    std::string outcome;   // in words; empty: it went well
    bool is_running = false;
  };
  virtual std::vector<FetchState> fetches() const = 0;
  // Now, whatever the schedule says. not_found: there is no such account.
  virtual Result<void> fetch_now(const std::string& name) = 0;
};

}  // namespace postern::mail
