// SPDX-License-Identifier: BSD-3-Clause
// LocalDelivery: messages of the queue into mailboxes here, so that they share the disk's time:
//
//   read -> written and synced, many at once -> all that are written get their places together
//
// Each delivery is there once (Maildir): one that a crash may have left behind in a mailbox is
// looked for in a list that is made when that mailbox first gets such a message, not in the
// mailbox each time; one that failed while this was running, in the mailbox itself.
//
// Bounds: kAtOnce deliveries with their texts; a number and a place for those that wait; the list
// has ids of messages of the queue only. Thread: control; deliveries on threads of their own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "services/io/job_pool.h"
#include "services/mail/delivery/earlier_deliveries.h"
#include "services/mail/mailbox/mailboxes.h"
#include "services/mail/queue/queue.h"
#include "services/mail/seams.h"

namespace postern::mail {

class LocalDelivery {
 public:
  static constexpr size_t kAtOnce = 64;
  static constexpr unsigned kThreads = 16;

  struct Key {
    uint64_t number = 0;
    size_t place = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  // How it went; nullptr: it was not tried, as the message is held or gone.
  using Done = std::function<void(const Key& key, const Result<void>* done)>;

  // Messages that `queue` has by now may have been delivered before.
  LocalDelivery(boost::asio::io_context& context, Queue& queue, const Mailboxes& mailboxes,
                const Seams& seams, Done done);
  ~LocalDelivery();
  LocalDelivery(const LocalDelivery&) = delete;
  LocalDelivery& operator=(const LocalDelivery&) = delete;

  // Its recipient has a mailbox. `done` is called once, never from within this.
  void add(const Key& key);
  // The message is gone.
  void forget(uint64_t number);

 private:
  void pump();
  void begin(const Key& key);
  void deliver(const Key& key, const std::shared_ptr<const Body>& text);
  void written(const Key& key, const Result<Maildir::Written>& done);
  void place();
  void end(const Key& key, const Result<void>* done);
  void pump_later();

  boost::asio::io_context& context_;
  Queue& queue_;
  const Mailboxes& mailboxes_;
  const Seams& seams_;
  Done done_;
  std::shared_ptr<EarlierDeliveries> earlier_;
  std::deque<Key> waiting_;
  size_t running_ = 0;
  std::set<Key> failed_;  // since the start; waiting to be tried again
  uint64_t last_number_ = 0;
  std::weak_ptr<const Body> last_text_;  // of that message, for its further recipients
  bool is_pump_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<std::pair<Key, Maildir::Written>> written_;  // to be placed
  bool is_placing_ = false;
  io::JobPool placer_;  // these two last: their threads end first
  io::JobPool writers_;
};

}  // namespace postern::mail
