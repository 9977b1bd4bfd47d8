// SPDX-License-Identifier: BSD-3-Clause
// RelayLanes: messages of the queue on their way to next hops, a line of them for each hop.
//
// A message's text is read shortly before its turn. A hop that nobody could connect to rests for a
// while, and what waits for it is put off at once: each message by itself would wait in vain for as
// long as a connection takes to fail. One that refuses a connection beside others gets no more than
// those for a while.
//
// Bounds: texts of kAhead messages a hop, those that NextHops has room for beside; some octets for
// those that wait. At most kPerTurn are dealt with in one go. Thread: control.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/mail/queue/queue.h"
#include "services/mail/relay/next_hops.h"
#include "services/mail/seams.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

class RelayLanes {
 public:
  static constexpr size_t kAhead = 8;
  static constexpr size_t kPerTurn = 200;
  static constexpr Duration kRest = seconds(60);

  // Recipients of one message that go the same way.
  struct Group {
    uint64_t number = 0;
    std::vector<size_t> places;
  };
  // How it went; nullptr: it was not tried, as the message is held or gone, or it is not the time
  // for relaying.
  using Done = std::function<void(const Group& group, const RelayResult* result)>;

  RelayLanes(boost::asio::io_context& context, Queue& queue, NextHops& next_hops,
             const Seams& seams, Done done);
  ~RelayLanes();
  RelayLanes(const RelayLanes&) = delete;
  RelayLanes& operator=(const RelayLanes&) = delete;

  // `done` is called once, never from within this.
  void add(const std::string& hop, Group group);
  // Once a second: connections may have room again.
  void tick();
  // No hop rests any more.
  void wake();
  // Hops stand for other hosts now: what waits for one is done without a try.
  void let_go();

 private:
  struct Lane;
  using Lanes = std::map<std::string, Lane>;
  void pump_later(const std::string& hop, Lane& lane);
  void pump(const std::string& hop);
  bool step(const std::string& hop, Lane& lane);
  bool put_off(Lane& lane, bool may_go);
  void read(const std::string& hop, Lane& lane, Group group);
  void send(const std::string& hop, Lane& lane);
  void sent(const std::string& hop, uint64_t ways, const Group& group, const RelayResult& result);
  void release_later();
  void fail(const Group& group, const Reply& reply, const std::string& remote);
  bool is_wanted(uint64_t number) const;

  boost::asio::io_context& context_;
  Queue& queue_;
  NextHops& next_hops_;
  const Seams& seams_;
  Done done_;
  Lanes lanes_;
  uint64_t ways_ = 0;           // how often let_go() was called
  std::deque<Group> released_;  // to be told of
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace postern::mail
