// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/relay_lanes.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace postern::mail {

struct RelayLanes::Lane {
  struct Ready {
    Group group;
    std::shared_ptr<const Body> text;
  };
  std::deque<Group> waiting;
  std::deque<Ready> ready;
  size_t reading = 0;
  size_t sending = 0;
  Instant rests_until = {};
  RelayResult last;  // why it rests
  // So many at once for a while, as a further connection was refused.
  size_t width = 0;
  Instant narrow_until = {};
  bool is_pump_posted = false;

  bool is_full(Instant now) const { return narrow_until > now && sending >= width; }
  bool is_empty() const {
    return waiting.empty() && ready.empty() && reading == 0 && sending == 0 && !is_pump_posted;
  }
};

RelayLanes::RelayLanes(boost::asio::io_context& context, Queue& queue, NextHops& next_hops,
                       const Seams& seams, Done done)
    : context_(context),
      queue_(queue),
      next_hops_(next_hops),
      seams_(seams),
      done_(std::move(done)) {}

RelayLanes::~RelayLanes() {
  *alive_ = false;
}

void RelayLanes::add(const std::string& hop, Group group) {
  Lane& lane = lanes_[hop];
  lane.waiting.push_back(std::move(group));
  pump_later(hop, lane);
}

void RelayLanes::tick() {
  const Instant now = seams_.now();
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    Lane& lane = at->second;
    if (lane.is_empty() && lane.rests_until <= now) {
      at = lanes_.erase(at);
      continue;
    }
    pump_later(at->first, lane);
    ++at;
  }
}

void RelayLanes::wake() {
  for (auto& [hop, lane] : lanes_) {
    lane.rests_until = {};
    lane.narrow_until = {};
  }
}

void RelayLanes::let_go() {
  ++ways_;
  for (auto& [hop, lane] : lanes_) {
    for (Lane::Ready& ready : std::exchange(lane.ready, {}))
      released_.push_back(std::move(ready.group));
    for (Group& group : std::exchange(lane.waiting, {}))
      released_.push_back(std::move(group));
  }
  release_later();
}

void RelayLanes::release_later() {
  if (released_.empty()) return;
  boost::asio::post(context_, [this, alive = alive_] {
    for (size_t i = 0; i < kPerTurn && *alive && !released_.empty(); ++i) {
      const Group group = std::move(released_.front());
      released_.pop_front();
      done_(group, nullptr);
    }
    if (*alive) release_later();
  });
}

void RelayLanes::pump_later(const std::string& hop, Lane& lane) {
  if (lane.is_pump_posted || (lane.waiting.empty() && lane.ready.empty())) return;
  lane.is_pump_posted = true;
  boost::asio::post(context_, [this, alive = alive_, hop] {
    if (*alive) pump(hop);
  });
}

void RelayLanes::pump(const std::string& hop) {
  Lane& lane = lanes_.at(hop);
  size_t steps = 0;
  while (steps < kPerTurn && step(hop, lane))
    ++steps;
  lane.is_pump_posted = false;
  if (steps == kPerTurn) pump_later(hop, lane);
}

// False: there is nothing to be done now.
bool RelayLanes::step(const std::string& hop, Lane& lane) {
  const bool may_go = next_hops_.may_go_now();
  const Instant now = seams_.now();
  if (!may_go || lane.rests_until > now) return put_off(lane, may_go);
  if (lane.is_full(now) || !next_hops_.has_room(hop)) return false;
  if (!lane.ready.empty()) {
    send(hop, lane);
    return true;
  }
  if (lane.waiting.empty() || lane.reading >= kAhead) return false;
  Group group = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  read(hop, lane, std::move(group));
  return true;
}

// The first in the line. False: there is none.
bool RelayLanes::put_off(Lane& lane, bool may_go) {
  Group group;
  if (!lane.ready.empty()) {
    group = std::move(lane.ready.front().group);
    lane.ready.pop_front();
  } else if (!lane.waiting.empty()) {
    group = std::move(lane.waiting.front());
    lane.waiting.pop_front();
  } else {
    return false;
  }
  if (!may_go || !is_wanted(group.number)) {
    done_(group, nullptr);
  } else {
    fail(group, lane.last.replies.front().second, lane.last.remote);
  }
  return true;
}

bool RelayLanes::is_wanted(uint64_t number) const {
  const QueuedMessage* message = queue_.find(number);
  return message != nullptr && !message->is_held();
}

void RelayLanes::read(const std::string& hop, Lane& lane, Group group) {
  if (!is_wanted(group.number)) return done_(group, nullptr);
  ++lane.reading;
  const uint64_t number = group.number;
  queue_.read(number, [this, alive = alive_, hop, ways = ways_,
                       group = std::move(group)](Result<std::shared_ptr<const Body>> text) {
    if (!*alive) return;
    Lane& at = lanes_.at(hop);
    --at.reading;
    const bool is_same_way = ways == ways_;
    if (is_same_way && text) {
      at.ready.push_back({group, std::move(*text)});
    } else if (is_same_way && is_wanted(group.number)) {
      fail(group, {451, "4.3.0", text.error().text}, "");
    } else {
      done_(group, nullptr);
    }
    pump_later(hop, at);
  });
}

void RelayLanes::send(const std::string& hop, Lane& lane) {
  Lane::Ready ready = std::move(lane.ready.front());
  lane.ready.pop_front();
  if (!is_wanted(ready.group.number)) return done_(ready.group, nullptr);
  const QueuedMessage& message = *queue_.find(ready.group.number);
  RelayJob job;
  job.number = message.number;
  job.id = to_queue_id(message.number);
  job.envelope = std::make_shared<const Envelope>(message.envelope);
  job.places = ready.group.places;
  job.front = message.front;
  job.body = std::move(ready.text);
  job.octets = message.octets;
  ++lane.sending;
  next_hops_.send(hop, std::move(job),
                  [this, alive = alive_, hop, ways = ways_,
                   group = std::move(ready.group)](const RelayResult& result) {
                    if (*alive) sent(hop, ways, group, result);
                  });
}

void RelayLanes::sent(const std::string& hop, uint64_t ways, const Group& group,
                      const RelayResult& result) {
  Lane& lane = lanes_.at(hop);
  --lane.sending;
  // What is said of a hop by its name says nothing of the one that has that name now.
  if (!result.was_tried && (ways != ways_ || result.replies.empty())) {
    done_(group, nullptr);
    return pump_later(hop, lane);
  }
  const bool is_out_of_reach = !result.was_tried && !result.replies.empty();
  if (is_out_of_reach && lane.sending != 0) {
    // Others go on: it wants no more of us at once.
    lane.width = lane.sending;
    lane.narrow_until = seams_.now() + kRest;
    lane.waiting.push_front(group);
    return;
  }
  if (is_out_of_reach) {
    lane.rests_until = seams_.now() + kRest;
    lane.last = result;
  }
  done_(group, &result);
  pump_later(hop, lane);
}

void RelayLanes::fail(const Group& group, const Reply& reply, const std::string& remote) {
  RelayResult result;
  result.was_tried = false;
  result.remote = remote;
  result.replies.reserve(group.places.size());
  for (const size_t place : group.places)
    result.replies.emplace_back(place, reply);
  done_(group, &result);
}

}  // namespace postern::mail
