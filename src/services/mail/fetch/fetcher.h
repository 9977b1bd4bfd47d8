// SPDX-License-Identifier: BSD-3-Clause
// Fetcher: when which mailbox elsewhere is gone through, and when which server is asked to send
// what it has for us (F50, F51, F52).
//
//   every, times, fetch_now(), link_is_up()  ->  FetchSession, EtrnSession  ->  what came of it
//
// Outside the times of an account no connection is made for it; at their beginning it is due at
// once, where `every` has passed. What fails is tried again after `every`, then twice as long each
// time, up to kPauseMax; it is told once, and once more when it works again.
//
// Bounds: kParallel sessions at once. Thread: control; the memory is read and written on a thread
// of its own, but for its opening.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/mail/delivery/intake.h"
#include "services/mail/queue/queue.h"
#include "services/mail/seams.h"
#include "services/mail/service/service.h"
#include "services/mail/service/settings.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

class Fetcher {
 public:
  static constexpr size_t kParallel = 4;
  static constexpr Duration kPauseMax = seconds(3600);
  using FetchState = Service::FetchState;

  // `folder`: where the memory is kept, as fetch.sqlite. Queue and intake outlive this. Before the
  // queue takes anything: what a crash left under way is looked up in it here.
  Fetcher(boost::asio::io_context& context, const Seams& seams, Queue& queue, Intake& intake,
          std::string folder);
  // What is under way is broken off; nothing is lost by that.
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // What is under way goes on by the settings before. The error: the memory cannot be read or made;
  // then nothing is fetched.
  Result<void> follow(const FetchSettings& settings, const MailSettings& all);
  // Once a second.
  void tick();
  // ETRN is said, and what failed is tried again.
  void link_is_up();

  std::vector<FetchState> fetches() const;
  // Now, whatever the schedule says. not_found: there is no such account.
  Result<void> fetch_now(const std::string& name);

 private:
  class Self;
  std::unique_ptr<Self> self_;
};

}  // namespace postern::mail
