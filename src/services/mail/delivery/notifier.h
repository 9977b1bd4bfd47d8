// SPDX-License-Identifier: BSD-3-Clause
// Notifier: tells the sender of a message what became of it (RFC 3461 section 6): the notification
// is a message of the queue, on the disk before who asked for it hears so.
//
// Bounds: kAtOnce notifications are written at a time; of others there are their recipients.
// Thread: control; texts are put together on one of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/io/job_pool.h"
#include "services/mail/delivery/notification.h"
#include "services/mail/queue/queue.h"
#include "services/mail/seams.h"
#include "services/mail/service/settings.h"

namespace postern::mail {

class Notifier {
 public:
  static constexpr size_t kAtOnce = 16;

  // `added`: of the notification.
  using Added = std::function<void(uint64_t number)>;
  Notifier(boost::asio::io_context& context, Queue& queue, const Seams& seams, Added added);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // `settings` stay where they are.
  void follow(const MailSettings& settings) { settings_ = &settings; }

  // About a message that is there, with a sender. `then`, never from within this: whether it is on
  // the disk; not so, too, where the message went meanwhile.
  using Then = std::function<void(bool is_told)>;
  void tell(uint64_t number, std::vector<DsnRecipient> about, const Then& then);

 private:
  struct Task {
    uint64_t number = 0;
    std::vector<DsnRecipient> about;
    Then then;
    std::string front;
    DsnFacts facts;
    Notification made;
  };
  using TaskPtr = std::shared_ptr<Task>;
  void pump();
  void begin(const TaskPtr& task);
  void write(const TaskPtr& task, const std::shared_ptr<const Body>& text);
  void commit(const TaskPtr& task);
  void end(const TaskPtr& task, bool is_told);

  boost::asio::io_context& context_;
  Queue& queue_;
  const Seams& seams_;
  Added added_;
  const MailSettings* settings_ = nullptr;
  std::deque<TaskPtr> waiting_;
  size_t running_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  io::JobPool pool_;  // last: its thread ends first
};

}  // namespace postern::mail
