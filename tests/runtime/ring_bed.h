// SPDX-License-Identifier: BSD-3-Clause
// RingBed: the real dataplane, with its worker threads, between ring devices. Time is the test's
// own; neighbors answer at once (02:00:00:00:01:xx behind interface xx). A step is over when every
// worker has finished whole turns in which nothing changed any more.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "control/identity/identity_board.h"
#include "control/publisher.h"
#include "dataplane/policy/policy.h"
#include "dataplane/runtime/dataplane.h"
#include "runtime/ring_wire.h"
#include "runtime/rss_nic.h"
#include "support/flow_bed.h"

namespace postern::test {

class RingBed : public FlowBed {
 public:
  explicit RingBed(unsigned workers = 1);
  ~RingBed() override;

  Result<void> load(const std::string& yaml) override;
  std::vector<Effect> inject(const std::string& interface, std::span<const uint8_t> frame) override;
  std::vector<Effect> inject_from_host(const std::string& interface,
                                       std::span<const uint8_t> frame) override;
  std::vector<Effect> advance(Duration duration) override;
  std::vector<Effect> log_in(Ipv4Address host, const std::vector<std::string>& who) override;
  uint64_t counter(const std::string& name) override;
  MacAddress gateway_mac(const std::string& interface) override;
  MacAddress neighbor_mac(const std::string& interface) override;

  // From the next load() on, the first one, every interface is a NIC with receive side scaling,
  // made as `prepare` says; its hash chooses the queue of each frame.
  void be_nics(std::function<void(RssNic&)> prepare = [](RssNic&) {}) {
    prepare_ = std::move(prepare);
  }
  RssNic& nic(const std::string& interface) { return *wires_.at(id_of(interface)).nic; }
  // Puts a frame before the program, without waiting for what becomes of it.
  void put(const std::string& interface, std::span<const uint8_t> frame);
  // The worker whose queues take the next frames; `kInTurn`: one after the other.
  static constexpr unsigned kInTurn = ~0u;
  void receive_at(unsigned worker) { receiver_ = worker; }
  // This neighbor answers no ARP.
  void silence(Ipv4Address neighbor) { silent_.insert(neighbor); }
  RingWire& wire(const std::string& interface) { return *wires_.at(id_of(interface)).wire; }
  InterfaceId id_of(const std::string& interface) const;
  Dataplane& dataplane() { return *dataplane_; }
  // Waits until nothing changes any more; what happened meanwhile.
  std::vector<Effect> settle();

 private:
  struct Wire {
    std::string name;
    std::unique_ptr<RingWire> wire, host;
    std::unique_ptr<RssNic> nic;
  };
  using Totals = std::vector<uint64_t>;

  Result<void> begin(const std::string& yaml);
  Result<void> publish(const std::string& yaml);
  unsigned next_queue(const Wire& wire, std::span<const uint8_t> frame);
  uint64_t total(Counter WorkerCounters::*counter) const;
  Totals totals() const;
  bool are_wires_drained() const;
  void wait_for_turns() const;
  void resolve();
  void collect(std::vector<Effect>& effects);
  void collect_drops(const Totals& before, std::vector<Effect>& effects) const;

  unsigned workers_;
  std::function<void(RssNic&)> prepare_;
  unsigned receiver_ = kInTurn;
  unsigned turn_ = 0;
  std::atomic<int64_t> now_ns_{1'000'000'000};
  std::vector<Wire> wires_;                    // by InterfaceId
  std::unique_ptr<IdentityBoard> identities_;  // outlives the workers
  std::unique_ptr<Dataplane> dataplane_;
  std::unique_ptr<Publisher> publisher_;
  std::set<Ipv4Address> silent_;
  Totals seen_;  // drops that were told already
};

}  // namespace postern::test
