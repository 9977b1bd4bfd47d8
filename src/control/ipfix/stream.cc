// SPDX-License-Identifier: BSD-3-Clause
#include "control/ipfix/stream.h"

#include <algorithm>
#include <ctime>
#include <iterator>

namespace postern::ipfix {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kRetryFirst(250), kRetryMax(5000);
constexpr Milliseconds kLossEvery(1000);
constexpr size_t kTcpMessage = 4096;  // octets; by UDP what the way carries

CollectorLink::Way way_to(const config::Ipfix& ipfix) {
  CollectorLink::Way way;
  way.address = ipfix.collector;
  way.port = ipfix.port;
  const bool is_udp = ipfix.transport == config::IpfixTransport::udp;
  way.transport = is_udp ? CollectorLink::Transport::udp : CollectorLink::Transport::tcp;
  return way;
}

bool is_udp(const Destination& destination) {
  return destination.to.transport == config::IpfixTransport::udp;
}

}  // namespace

void Stream::direct(const Destination& destination) {
  if (is_directed_ && destination == destination_) return;
  if (is_directed_ && destination.to == destination_.to) {
    knows_interfaces_ = false;
  } else {
    link_.reset();
    messages_.clear();
    in_flight_ = 0;
    attempts_ = 0;
    retry_at_ = {};
    fault_.clear();
  }
  destination_ = destination;
  is_directed_ = true;
}

uint64_t Stream::end() {
  const uint64_t forgotten = queue_.size();
  link_.reset();
  queue_.clear();
  messages_.clear();
  in_flight_ = 0;
  fault_.clear();
  is_directed_ = false;
  return forgotten;
}

void Stream::turn(int64_t offset_ns) {
  if (!is_directed_) return;
  offset_ns_ = offset_ns;
  look_after_link();
  if (!link_ || !link_->is_open()) return;
  const Clock::time_point now = Clock::now();
  const bool is_due = is_udp(destination_) && now >= refresh_at_;
  if (!is_introduced_ || is_due) {
    introduce(true);
  } else if (!knows_interfaces_) {
    introduce(false);
  }
  if (!(loss_ == told_loss_) && now >= loss_told_at_ + kLossEvery) tell_loss();
  send_records();
}

void Stream::look_after_link() {
  if (!link_) {
    if (Clock::now() < retry_at_) return;
    link_ = CollectorLink::open(way_to(destination_.to));
    message_max_ = is_udp(destination_) ? link_->message_max() : kTcpMessage;
    is_introduced_ = false;
    sequence_ = 0;
  }
  link_->turn();
  for (size_t arrived = link_->arrived(); arrived > 0 && !messages_.empty(); --arrived) {
    const uint32_t records = messages_.front();
    messages_.pop_front();
    queue_.erase(queue_.begin(), queue_.begin() + records);
    in_flight_ -= records;
    sent_ += records;
  }
  if (link_->is_proven()) {
    attempts_ = 0;
    fault_.clear();
  }
  if (link_->fault().empty()) return;
  fault_ = link_->fault();
  link_.reset();
  messages_.clear();
  in_flight_ = 0;
  const Milliseconds pause = kRetryFirst * (1u << std::min(attempts_++, 5u));
  retry_at_ = Clock::now() + std::min(pause, kRetryMax);
}

// What a collector must know before it understands records.
void Stream::introduce(bool with_templates) {
  begin_message();
  bool is_taken = true;
  auto add = [this, &is_taken](auto&& one) {
    if (one()) return;
    is_taken = send(0) && is_taken;
    begin_message();
    one();
  };
  for (const Template& each : templates()) {
    if (with_templates) add([&] { return message_.add(each); });
  }
  for (const auto& [number, name] : destination_.interfaces)
    add([&, number = number, &name = name] { return message_.add_interface(number, name); });
  is_taken = send(0) && is_taken;
  if (!is_taken) return;  // all of it once more
  is_introduced_ = knows_interfaces_ = true;
  refresh_at_ = Clock::now() + std::chrono::nanoseconds(destination_.to.template_refresh.ns);
  if (loss_.records != 0) tell_loss();
}

void Stream::tell_loss() {
  begin_message();
  message_.add(loss_);
  if (!send(0)) return;
  told_loss_ = loss_;
  loss_told_at_ = Clock::now();
}

void Stream::send_records() {
  while (link_->has_room() && in_flight_ < queue_.size()) {
    begin_message();
    uint32_t taken = 0;
    while (in_flight_ + taken < queue_.size() &&
           message_.add(queue_[in_flight_ + taken], offset_ns_, limits_)) {
      ++taken;
    }
    if (!send(taken)) return;
  }
}

// The message, which has so many records of the queue. False: there is no room for it now.
bool Stream::send(uint32_t records) {
  if (message_.is_empty()) return true;
  const auto now_s = static_cast<uint32_t>(std::time(nullptr));
  if (!link_->send(message_.finish({destination_.to.domain, sequence_, now_s}))) return false;
  sequence_ += message_.records();
  messages_.push_back(records);
  in_flight_ += records;
  return true;
}

}  // namespace postern::ipfix
