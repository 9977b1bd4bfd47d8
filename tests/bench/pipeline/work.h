// SPDX-License-Identifier: BSD-3-Clause
// One kind of work that a gateway is measured at: the frames of each burst, and what must have
// become of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/common/flow.h"
#include "bench/pipeline/gateway.h"

namespace postern::bench {

struct Row {
  std::string work = "outbound";
  uint32_t sessions = 65536;
  unsigned rules = 1000;
  unsigned bytes = 64;
};

// The first `count` flows as far as a NIC would give their inside hosts to this worker.
std::vector<Flow> flows_of(const Shards& shards, WorkerId id, uint32_t count);

// A worker with its sessions open, which the rows of one scene share.
class Stage {
 public:
  // `flows`: to be opened; must be the worker's own.
  Stage(Site& site, WorkerId id, std::vector<Flow> flows);

  Gateway& gateway() { return gateway_; }
  // In an order that has nothing to do with that in which the sessions were opened.
  const std::vector<Flow>& flows() const { return flows_; }

 private:
  Gateway gateway_;
  std::vector<Flow> flows_;
};

class Work {
 public:
  virtual ~Work() = default;
  // Writes the frame of a slot. Not timed.
  virtual void write(uint8_t* frame, unsigned slot) = 0;
  virtual InterfaceId ingress(unsigned slot) const = 0;
  virtual uint16_t length() const = 0;
  // Whether that was the right end for the packet of this slot. Not timed.
  virtual bool is_right(const Outbox::Item& item, unsigned slot) = 0;
  // Before and after each burst; what after_burst() does is timed, and its ticks are returned.
  virtual void before_burst(Gateway&) {}
  virtual uint64_t after_burst(Gateway&) { return 0; }
  // Packets of a round, and rounds before those that count.
  virtual size_t packets_in_round() const = 0;
  virtual unsigned warm_rounds() const { return 1; }
  // A work that asks what something else costs has a control: the same without it, measured in
  // turns.
  virtual bool has_control() const { return false; }
  virtual void be_control(bool) {}
};

// nullptr: no such work.
std::unique_ptr<Work> make_work(const Row& row, Stage& stage);
const std::vector<std::string>& all_works();
bool is_established(const std::string& work);  // packets of sessions that exist, nothing else
Scene scene_of(const Row& row);
uint32_t opened_before(const Row& row);  // sessions that are there when the work begins
// Rows with the same key may follow one another on one stage; empty: it needs one of its own.
std::string stage_key(const Row& row);

struct Sum {
  uint64_t ticks = 0, packets = 0, interrupted = 0;
};

// Blocks of frames are written, then go through the gateway burst by burst.
//
// Timed is what the pipeline does with a burst and with the turn after it, and nothing else. A
// block of frames is written before its first burst, so that a frame has left the first-level
// cache when its turn comes. A burst during which another program had the core does not count.
// Ends the process with a message when a packet did not go the right way.
class Rounds {
 public:
  Rounds(const Row& row, Stage& stage);

  Sum run(size_t packets, bool is_timed);
  Work& work() { return *work_; }

 private:
  void burst(unsigned first, unsigned end, bool is_timed, Sum& sum);
  void check(unsigned expected);

  const Row& row_;
  std::unique_ptr<Work> work_;
  Gateway& gateway_;
  Slots slots_;
  const uint64_t nothing_;
};

struct Measured {
  double ticks_per_packet = 0;       // median of the rounds
  double ticks_per_packet_best = 0;  // least of the rounds
  double control = 0;                // ticks of a packet of the control, median; 0: it has none
  uint64_t packets = 0;              // that were measured, all rounds together
  uint64_t interrupted = 0;          // packets left out: another program had the core meanwhile
  unsigned rounds = 0;

  std::vector<double> costs, control_costs;  // of the rounds

  void add(const Sum& sum);          // a round
  void add_control(const Sum& sum);  // the same of the control
  void finish();                     // after the last one
};

struct Effort {
  unsigned rounds = 9;
  double seconds = 2;  // no more rounds after this, but 3 at least
  size_t packets = 0;  // of a round; 0: as the work says

  bool is_spent(unsigned rounds_done, double seconds_spent) const;
};

Measured measure(const Row& row, Stage& stage, const Effort& effort);

}  // namespace postern::bench
