// SPDX-License-Identifier: BSD-3-Clause
// Testbed: the bare pipeline as a gateway. N workers run one after the other on this thread and
// hand packets over as the daemon's do; neighbors answer at once (02:00:00:00:01:xx behind
// interface xx) unless told to be silent.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "control/config/model.h"
#include "control/identity/identity_board.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/policy.h"
#include "support/flow_bed.h"

namespace postern::test {

class Testbed : public FlowBed {
 public:
  explicit Testbed(unsigned workers = 1);
  ~Testbed() override;

  Result<void> load(const std::string& yaml) override;
  Result<void> load(const config::Model& model);  // valid
  std::vector<Effect> inject(const std::string& interface, std::span<const uint8_t> frame) override;
  std::vector<Effect> inject_from_host(const std::string& interface,
                                       std::span<const uint8_t> frame) override;
  std::vector<Effect> advance(Duration duration) override;
  std::vector<Effect> log_in(Ipv4Address host, const std::vector<std::string>& who) override;
  uint64_t counter(const std::string& name) override;
  MacAddress gateway_mac(const std::string& interface) override;
  MacAddress neighbor_mac(const std::string& interface) override;

  // This neighbor answers no ARP (any more).
  void silence(Ipv4Address neighbor);
  // It answers again, also what was asked before.
  void wake(const std::string& interface, Ipv4Address neighbor);
  // The worker that takes the next frames from ports, owner or not; by default the first.
  void receive_at(WorkerId worker) { receiver_ = worker; }
  const Policy& policy() const { return *policy_; }
  const Pipeline& pipeline(WorkerId worker) const { return *workers_[worker]->pipeline; }
  WorkerCounters& counters(WorkerId worker) { return workers_[worker]->counters; }
  std::vector<LogRecord> take_log();
  std::vector<FlowRecord> take_flows();
  Instant now() const { return now_; }
  IdentityBoard& identities() { return identities_; }
  // No packet takes the fast path: all are followed. Before the first load().
  void take_long_way() { takes_long_way_ = true; }
  // Buffers given in and not yet come out: held packets.
  size_t held() const { return held_; }

 private:
  struct Frame;
  struct Worker {
    WorkerCounters counters;
    SpscRing<LogRecord> log{kLogRing};
    SpscRing<ControlEvent> events{kEventRing};
    SpscRing<FlowRecord> flows{kFlowRing};
    std::unique_ptr<Tap> tap;  // with take_long_way()
    std::unique_ptr<Pipeline> pipeline;
    std::deque<Packet> inbox;
  };

  InterfaceId id_of(const std::string& interface) const;
  std::vector<Effect> run(InterfaceId ingress, bool from_host, std::span<const uint8_t> frame);
  void settle(std::vector<Effect>& effects);
  void finish(Worker& worker, std::vector<Effect>& effects);
  void resolve();
  void follow_all();

  unsigned workers_count_;
  WorkerId receiver_ = 0;
  Instant now_{1'000'000'000};
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<Policy> retired_;
  IdentitySlot identity_slot_;
  IdentityBoard identities_;
  std::map<std::string, uint64_t> rule_totals_;
  bool takes_long_way_ = false;
  CaptureSlot captures_;
  Capture capture_;
  CaptureSet capture_set_;
  NeighborTable neighbors_{HashSeed{{3, 5}}};
  std::set<Ipv4Address> silent_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Outbox> outbox_;
  uint32_t generation_ = 0;
  size_t held_ = 0;
};

}  // namespace postern::test
