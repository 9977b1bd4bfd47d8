// SPDX-License-Identifier: BSD-3-Clause
#include "runtime/ring_bed.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "control/compile/compile.h"
#include "control/config/load.h"

namespace postern::test {
namespace {

constexpr unsigned kQuietRounds = 2;
constexpr auto kPatience = std::chrono::seconds(20);  // sanitizers and busy machines are slow

MacAddress mac_with(uint8_t side, InterfaceId id) {
  return MacAddress{{2, 0, 0, 0, side, id}};
}

Instant read_clock(void* now_ns) {
  return Instant{static_cast<std::atomic<int64_t>*>(now_ns)->load(std::memory_order_acquire)};
}

bool may_be_answered(DropReason reason) {
  return reason == DropReason::filter_deny || reason == DropReason::ttl_expired ||
         reason == DropReason::mtu_exceeded || reason == DropReason::no_route;
}

std::string errors_of(const config::Loaded& loaded) {
  std::string text;
  for (const auto& finding : loaded.findings)
    text += config::to_text(finding, "test") + "\n";
  return text;
}

}  // namespace

RingBed::RingBed(unsigned workers) : workers_(workers) {
  start_test_eal();
}

RingBed::~RingBed() {
  if (dataplane_ != nullptr) dataplane_->stop();
}

Result<void> RingBed::begin(const std::string& yaml) {
  config::Loaded loaded = config::load(yaml);
  if (!loaded.ok()) return Error{ErrorCode::invalid, errors_of(loaded)};
  DataplaneSettings settings;
  settings.workers = workers_;
  settings.hugepages = Hugepages::off;
  settings.memory_mib = 256;
  const auto& limits = loaded.model.system.limits;
  settings.sessions = limits.sessions;
  settings.mappings = limits.mappings;
  settings.hosts = limits.hosts;
  settings.sessions_from_host = limits.sessions_from_host;
  settings.sessions_to_host = limits.sessions_to_host;
  settings.hash_seed = HashSeed{{0x1234567890ABCDEF, 0xFEDCBA0987654321}};
  settings.random_seed = 7;
  settings.clock = Clock{read_clock, &now_ns_};
  for (const auto& interface : loaded.model.interfaces) {
    const auto id = static_cast<InterfaceId>(wires_.size());
    if (!interface.enabled) {
      wires_.push_back({interface.name, nullptr, nullptr, nullptr});
      continue;
    }
    wires_.push_back({interface.name, std::make_unique<RingWire>(interface.name, workers_),
                      std::make_unique<RingWire>(interface.name + "_host", 1), nullptr});
    if (prepare_) {
      wires_.back().nic = std::make_unique<RssNic>(wires_.back().wire->device());
      prepare_(*wires_.back().nic);
    }
    PortSpec port;
    port.id = id;
    port.name = interface.name;
    port.kind = PortKind::vdev;
    port.device = wires_.back().wire->device();
    port.zone = interface.zone == config::Zone::external ? Zone::external : Zone::internal;
    port.mtu = static_cast<uint16_t>(interface.mtu);
    port.mac = mac_with(0, id);
    port.host_device = "gw-" + interface.name;
    port.host_vdev = wires_.back().host->device();
    settings.ports.push_back(port);
  }
  auto created = Dataplane::create(settings);
  if (!created) return std::move(created).error();
  dataplane_ = std::move(*created);
  publisher_ = std::make_unique<Publisher>(dataplane_->policies());
  identities_ = std::make_unique<IdentityBoard>(dataplane_->identities(), workers_);
  return {};
}

Result<void> RingBed::publish(const std::string& yaml) {
  config::Loaded loaded = config::load(yaml);
  if (!loaded.ok()) return Error{ErrorCode::invalid, errors_of(loaded)};
  CompileInputs inputs;
  inputs.generation = publisher_->next_generation();
  inputs.shards = dataplane_->shards();
  inputs.is_on_trial = loads_on_trial;
  for (size_t i = 0; i < loaded.model.interfaces.size(); ++i) {
    inputs.ports.push_back({dataplane_->mac_of(static_cast<InterfaceId>(i)), 0});
  }
  auto compiled = compile(loaded.model, inputs);
  if (!compiled) return std::move(compiled).error();
  const bool is_first = publisher_->current() == nullptr;
  if (auto done = publisher_->publish(std::move(*compiled)); !done || is_first) return done;
  wait_for_turns();
  publisher_->collect();
  POSTERN_ASSERT(publisher_->retired() == 0);
  return {};
}

Result<void> RingBed::load(const std::string& yaml) {
  const bool is_first = dataplane_ == nullptr;
  if (is_first) {
    if (auto begun = begin(yaml); !begun) return begun;
  }
  if (auto published = publish(yaml); !published) return published;
  if (!is_first) return {};
  if (auto started = dataplane_->start_workers(); !started) return started;
  seen_ = totals();
  return dataplane_->start_ports();
}

std::vector<Effect> RingBed::log_in(Ipv4Address host, const std::vector<std::string>& who) {
  if (who.empty()) {
    identities_->erase(host);
  } else {
    identities_->set(host, who[0], {who.begin() + 1, who.end()});
  }
  wait_for_turns();
  identities_->turn();
  POSTERN_ASSERT(identities_->retired() == 0);
  return settle();
}

InterfaceId RingBed::id_of(const std::string& interface) const {
  for (size_t i = 0; i < wires_.size(); ++i) {
    if (wires_[i].name == interface) return static_cast<InterfaceId>(i);
  }
  assertion_failed(("no interface " + interface).c_str(), __FILE__, __LINE__);
}

MacAddress RingBed::gateway_mac(const std::string& interface) {
  return dataplane_->mac_of(id_of(interface));
}
MacAddress RingBed::neighbor_mac(const std::string& interface) {
  return mac_with(1, id_of(interface));
}

unsigned RingBed::next_queue(const Wire& wire, std::span<const uint8_t> frame) {
  if (wire.nic != nullptr) return wire.nic->queue_of(frame);
  return receiver_ == kInTurn ? turn_++ % workers_ : receiver_;
}

void RingBed::put(const std::string& interface, std::span<const uint8_t> frame) {
  const Wire& wire = wires_[id_of(interface)];
  wire.wire->put(next_queue(wire, frame), frame);
}

std::vector<Effect> RingBed::inject(const std::string& interface, std::span<const uint8_t> frame) {
  put(interface, frame);
  return settle();
}

std::vector<Effect> RingBed::inject_from_host(const std::string& interface,
                                              std::span<const uint8_t> frame) {
  wires_[id_of(interface)].host->put(0, frame);
  return settle();
}

std::vector<Effect> RingBed::advance(Duration duration) {
  std::vector<Effect> effects;
  const int64_t end = now_ns_ + duration.ns;
  const int64_t step = std::max(duration.ns / 20, milliseconds(250).ns);
  while (now_ns_ < end) {
    now_ns_ = std::min(now_ns_ + step, end);
    auto more = settle();
    std::move(more.begin(), more.end(), std::back_inserter(effects));
  }
  return effects;
}

uint64_t RingBed::total(Counter WorkerCounters::*counter) const {
  uint64_t sum = 0;
  for (unsigned id = 0; id < workers_; ++id) {
    sum += (dataplane_->counters(static_cast<WorkerId>(id)).*counter).read();
  }
  return sum;
}

// Drops by reason, then by interface, replies, then whatever else moves when packets do.
RingBed::Totals RingBed::totals() const {
  Totals sums(kDropReasons + wires_.size(), 0);
  for (unsigned id = 0; id < workers_; ++id) {
    const WorkerCounters& counters = dataplane_->counters(static_cast<WorkerId>(id));
    for (size_t i = 0; i < kDropReasons; ++i)
      sums[i] += counters.drops[i].read();
    for (size_t i = 0; i < wires_.size(); ++i) {
      sums[kDropReasons + i] += counters.interfaces[i].rx_drops.read();
    }
  }
  for (const auto counter : {&WorkerCounters::replies_sent, &WorkerCounters::busy_turns,
                             &WorkerCounters::sessions, &WorkerCounters::mappings,
                             &WorkerCounters::sessions_expired, &WorkerCounters::fragments_held,
                             &WorkerCounters::neighbors_waiting, &WorkerCounters::handed_off}) {
    sums.push_back(total(counter));
  }
  return sums;
}

bool RingBed::are_wires_drained() const {
  return std::ranges::all_of(wires_, [](const Wire& wire) {
    // An interface that is off has neither.
    return wire.wire == nullptr || (wire.wire->is_drained() && wire.host->is_drained());
  });
}

// Every worker ends the turn it is in and another one.
void RingBed::wait_for_turns() const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (unsigned id = 0; id < workers_; ++id) {
    const Counter& turns = dataplane_->counters(static_cast<WorkerId>(id)).turns;
    const uint64_t goal = turns.read() + 2;
    while (turns.read() < goal) {
      POSTERN_ASSERT(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

std::vector<Effect> RingBed::settle() {
  std::vector<Effect> effects;
  Totals before = totals();
  for (unsigned quiet = 0; quiet < kQuietRounds;) {
    wait_for_turns();
    resolve();
    const size_t had = effects.size();
    collect(effects);
    Totals after = totals();
    const bool is_quiet = after == before && effects.size() == had && are_wires_drained();
    quiet = is_quiet ? quiet + 1 : 0;
    before = std::move(after);
  }
  collect_drops(seen_, effects);
  seen_ = std::move(before);
  return effects;
}

void RingBed::resolve() {
  for (unsigned id = 0; id < workers_; ++id) {
    ControlEvent event;
    while (dataplane_->events(static_cast<WorkerId>(id)).pop({&event, 1}) == 1) {
      if (event.kind == EventKind::address_conflict) continue;
      if (silent_.contains(event.address)) continue;
      dataplane_->neighbors().set(event.interface, event.address, mac_with(1, event.interface));
    }
    LogRecord record;
    while (dataplane_->log_ring(static_cast<WorkerId>(id)).pop({&record, 1}) == 1)
      continue;
  }
}

void RingBed::collect(std::vector<Effect>& effects) {
  for (Wire& wire : wires_) {
    if (wire.wire == nullptr) continue;
    for (auto& frame : wire.wire->take()) {
      effects.push_back({Effect::Kind::out, wire.name, std::move(frame), DropReason::none});
    }
    for (auto& frame : wire.host->take()) {
      effects.push_back({Effect::Kind::host, wire.name, std::move(frame), DropReason::none});
    }
  }
}

// The counters tell how often and why; where several came in by different interfaces at once, the
// pairs are a guess. A packet that was answered is counted as dropped, yet what became of it is its
// reply, which has been collected.
void RingBed::collect_drops(const Totals& before, std::vector<Effect>& effects) const {
  const Totals now = totals();
  std::vector<std::string> interfaces;
  for (size_t i = 0; i < wires_.size(); ++i) {
    const size_t at = kDropReasons + i;
    interfaces.insert(interfaces.end(), now[at] - before[at], wires_[i].name);
  }
  const size_t replies_at = kDropReasons + wires_.size();
  uint64_t answered = now[replies_at] - before[replies_at];
  for (size_t i = 0; i < kDropReasons; ++i) {
    for (uint64_t n = before[i]; n < now[i]; ++n) {
      Effect effect;
      effect.reason = static_cast<DropReason>(i);
      if (!interfaces.empty()) {
        effect.interface = interfaces.back();
        interfaces.pop_back();
      }
      const bool was_answered = answered > 0 && may_be_answered(effect.reason);
      if (was_answered) {
        --answered;
      } else {
        effects.push_back(std::move(effect));
      }
    }
  }
}

uint64_t RingBed::counter(const std::string& name) {
  if (name.starts_with("drop.")) {
    return totals()[static_cast<size_t>(drop_reason_from(name.substr(5).c_str()))];
  }
  if (name.starts_with("rule.")) {
    const Ruleset& rules = publisher_->current()->rules;
    for (uint16_t i = 0; i < rules.size(); ++i) {
      if (rules.at(i).name == name.substr(5)) return publisher_->totals()[i].packets;
    }
    return 0;
  }
  auto found = std::ranges::find(kWorkerCounters, name, &NamedCounter::name);
  POSTERN_ASSERT(found != std::end(kWorkerCounters));
  return total(found->counter);
}

}  // namespace postern::test
