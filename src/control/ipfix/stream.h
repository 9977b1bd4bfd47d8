// SPDX-License-Identifier: BSD-3-Clause
// Stream: records on their way to the collector (RFC 7011), without a thread and without waiting.
//
//   push() -> queue -> Message -> CollectorLink -> arrived: gone from the queue
//
// A record stays in the queue until its message has arrived, as far as the transport tells
// (collector_link.h); a connection that ends, or another collector, gets all others again. Each
// connection is a transport session of its own: it begins with the templates, and its sequence
// numbers with 0. By UDP the templates come again every template_refresh.
//
// Bounds: kQueueMax records; who finds no room leaves them where they are. Thread: one.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/config/model_ipfix.h"
#include "control/ipfix/message.h"
#include "control/log/collector_link.h"

namespace postern::ipfix {

using InterfaceNames = std::vector<std::pair<uint32_t, std::string>>;  // by interface_number()

struct Destination {
  config::Ipfix to;
  InterfaceNames interfaces;

  friend bool operator==(const Destination&, const Destination&) = default;
};

class Stream {
 public:
  static constexpr size_t kQueueMax = 131072;
  using Clock = CollectorLink::Clock;

  explicit Stream(const Limits& limits) : limits_(limits) {}

  // Where records go from now on, those that wait included.
  void direct(const Destination& destination);
  // Nowhere: what waits is forgotten. Returns how many records that is.
  uint64_t end();
  bool is_directed() const { return is_directed_; }

  size_t room() const { return kQueueMax - queue_.size(); }
  void push(const FlowRecord& record) { queue_.push_back(record); }
  // What was lost so far; told to the collector, once a second at most.
  void set_loss(const Loss& loss) { loss_ = loss; }
  // Does what can be done now. `offset_ns` from the clock of the records to that of the wall.
  void turn(int64_t offset_ns);
  // Whether another turn should come soon.
  bool is_busy() const { return link_ && (!link_->is_open() || in_flight_ < queue_.size()); }

  bool is_proven() const { return link_ && link_->is_proven(); }
  const std::string& fault() const { return fault_; }  // of the last attempt; empty: none
  size_t waiting() const { return queue_.size(); }
  uint64_t sent() const { return sent_; }  // records that have arrived

 private:
  void look_after_link();
  void introduce(bool with_templates);
  void tell_loss();
  void send_records();
  void begin_message() { message_.begin(message_max_); }
  bool send(uint32_t records);

  Limits limits_;
  Destination destination_;
  bool is_directed_ = false;
  std::deque<FlowRecord> queue_;   // the first in_flight_ are on their way
  std::deque<uint32_t> messages_;  // on their way: how many of these each has
  size_t in_flight_ = 0;
  uint64_t sent_ = 0;
  Loss loss_, told_loss_;

  std::unique_ptr<CollectorLink> link_;
  std::string fault_;
  unsigned attempts_ = 0;
  Clock::time_point retry_at_, refresh_at_, loss_told_at_;
  bool is_introduced_ = false, knows_interfaces_ = false;
  uint32_t sequence_ = 0;
  size_t message_max_ = 0;
  int64_t offset_ns_ = 0;
  Message message_;
};

}  // namespace postern::ipfix
