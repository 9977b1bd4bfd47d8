// SPDX-License-Identifier: BSD-3-Clause
#include "support/testbed.h"

#include <algorithm>

#include "control/compile/compile.h"
#include "control/config/load.h"
#include "dataplane/packet/reply.h"

namespace postern::test {
namespace {

constexpr size_t kFollowedBytes = size_t{1} << 16;
constexpr size_t kFrameMax = 10'000;

MacAddress gateway_mac_of(InterfaceId id) {
  return MacAddress{{2, 0, 0, 0, 0, id}};
}
MacAddress neighbor_mac_of(InterfaceId id) {
  return MacAddress{{2, 0, 0, 0, 1, id}};
}

std::string errors_of(const config::Loaded& loaded) {
  std::string text;
  for (const auto& finding : loaded.findings)
    text += config::to_text(finding, "script") + "\n";
  return text;
}

}  // namespace

struct Testbed::Frame {
  uint8_t bytes[kHeadroomMin + kFrameMax];
};

Testbed::Testbed(unsigned workers)
    : workers_count_(workers),
      identity_slot_(workers),
      identities_(identity_slot_, workers),
      captures_(workers),
      outbox_(std::make_unique<Outbox>()) {}

Testbed::~Testbed() {
  // Held packets end with the program; their frames are given back by advancing past every timeout.
  if (policy_ != nullptr) advance(seconds(100'000));
}

void Testbed::follow_all() {
  capture_.follows = true;
  for (unsigned id = 0; id < workers_count_; ++id)
    capture_.rings.push_back(std::make_unique<CaptureRing>(kFollowedBytes));
  capture_set_ = CaptureSet{1, 1, {&capture_}};
  captures_.publish(&capture_set_);
}

Result<void> Testbed::load(const std::string& yaml) {
  config::Loaded loaded = config::load(yaml);
  if (!loaded.ok()) return Error{ErrorCode::invalid, errors_of(loaded)};
  return load(loaded.model);
}

Result<void> Testbed::load(const config::Model& model) {
  CompileInputs inputs;
  inputs.generation = generation_ + 1;
  inputs.shards = Shards(workers_count_);
  inputs.is_on_trial = loads_on_trial;
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    inputs.ports.push_back({gateway_mac_of(static_cast<InterfaceId>(i)), 0});
  }
  auto compiled = compile(model, inputs);
  if (!compiled) return compiled.error();
  ++generation_;
  if (policy_ != nullptr) {
    for (size_t i = 0; i < policy_->rules.size(); ++i) {
      for (auto& counters : policy_->rule_counters) {
        rule_totals_[policy_->rules.at(static_cast<uint16_t>(i)).name] +=
            counters[i].packets.read();
      }
    }
  }
  retired_ = std::move(policy_);
  policy_ = std::move(compiled).value();
  if (!workers_.empty()) return {};
  if (takes_long_way_) follow_all();
  const auto& limits = model.system.limits;
  for (unsigned id = 0; id < workers_count_; ++id) {
    auto worker = std::make_unique<Worker>();
    Pipeline::Settings settings;
    settings.worker = static_cast<WorkerId>(id);
    settings.shards = Shards(workers_count_);
    settings.limits = {limits.sessions / workers_count_, limits.hosts / workers_count_,
                       limits.sessions_from_host, limits.sessions_to_host};
    settings.mappings_max = limits.mappings / workers_count_;
    settings.seed = HashSeed{{0x1234567890ABCDEF, 0xFEDCBA0987654321}};
    settings.random_seed = id + 1;
    Pipeline::Shared shared{&neighbors_, &worker->log, &worker->events, &worker->counters};
    shared.identities = &identity_slot_;
    shared.flows = &worker->flows;
    if (takes_long_way_) {
      worker->tap = std::make_unique<Tap>(captures_, static_cast<WorkerId>(id));
      shared.tap = worker->tap.get();
    }
    worker->pipeline = std::make_unique<Pipeline>(settings, shared);
    workers_.push_back(std::move(worker));
  }
  return {};
}

std::vector<Effect> Testbed::log_in(Ipv4Address host, const std::vector<std::string>& who) {
  if (who.empty()) {
    identities_.erase(host);
  } else {
    identities_.set(host, who[0], {who.begin() + 1, who.end()});
  }
  std::vector<Effect> effects;
  settle(effects);
  return effects;
}

InterfaceId Testbed::id_of(const std::string& interface) const {
  for (size_t i = 0; i < policy_->interfaces.size(); ++i) {
    if (policy_->interfaces[i].name == interface) return static_cast<InterfaceId>(i);
  }
  assertion_failed(("no interface " + interface).c_str(), __FILE__, __LINE__);
}

MacAddress Testbed::gateway_mac(const std::string& interface) {
  return policy_->interfaces[id_of(interface)].mac;
}
MacAddress Testbed::neighbor_mac(const std::string& interface) {
  return neighbor_mac_of(id_of(interface));
}

std::vector<Effect> Testbed::inject(const std::string& interface, std::span<const uint8_t> frame) {
  return run(id_of(interface), false, frame);
}
std::vector<Effect> Testbed::inject_from_host(const std::string& interface,
                                              std::span<const uint8_t> frame) {
  return run(id_of(interface), true, frame);
}

std::vector<Effect> Testbed::run(InterfaceId ingress, bool from_host,
                                 std::span<const uint8_t> bytes) {
  POSTERN_ASSERT(bytes.size() <= kFrameMax);
  auto* frame = new Frame;
  std::copy(bytes.begin(), bytes.end(), frame->bytes + kHeadroomMin);
  Packet packet;
  packet.frame = frame->bytes + kHeadroomMin;
  packet.buffer = frame;
  packet.length = static_cast<uint16_t>(bytes.size());
  packet.ingress = ingress;
  packet.from_host = from_host;
  packet.trace = takes_long_way_ ? 1 : 0;
  ++held_;
  workers_[receiver_]->inbox.push_back(packet);
  std::vector<Effect> effects;
  settle(effects);
  return effects;
}

std::vector<Effect> Testbed::advance(Duration duration) {
  std::vector<Effect> effects;
  const Instant end = now_ + duration;
  // Steps fine enough for every timeout in use, coarse enough for hours.
  Duration step = duration.ns / 50 > seconds(1).ns ? Duration{duration.ns / 50} : milliseconds(250);
  while (now_ < end) {
    now_ = now_ + step < end ? now_ + step : end;
    settle(effects);
  }
  return effects;
}

// Runs every worker until nobody has anything to do.
void Testbed::settle(std::vector<Effect>& effects) {
  identities_.turn();
  for (int quiet = 0; quiet < 3;) {
    bool busy = false;
    for (auto& worker : workers_) {
      outbox_->clear();
      std::vector<Packet> burst;  // lives as long as the outbox refers to it
      while (!worker->inbox.empty() && burst.size() < kBurstMax) {
        burst.push_back(worker->inbox.front());
        worker->inbox.pop_front();
      }
      busy = busy || !burst.empty();
      if (worker->tap) worker->tap->begin_turn(now_, generation_);
      worker->pipeline->process(burst, policy_.get(), now_, *outbox_);
      worker->pipeline->turn(policy_.get(), now_, *outbox_);
      busy = busy || !outbox_->items().empty();
      finish(*worker, effects);
    }
    resolve();
    quiet = busy ? 0 : quiet + 1;
  }
}

void Testbed::finish(Worker&, std::vector<Effect>& effects) {
  for (const Outbox::Item& item : outbox_->items()) {
    Packet& packet = *item.packet;
    if (item.verdict.fate == Fate::hand_off) {
      workers_[item.verdict.worker]->inbox.push_back(packet);
      continue;
    }
    Effect effect;
    effect.reason = item.verdict.reason;
    effect.kind = item.verdict.fate == Fate::forward ? Effect::Kind::out
                  : item.verdict.fate == Fate::host  ? Effect::Kind::host
                                                     : Effect::Kind::drop;
    bool leaves = effect.kind != Effect::Kind::drop;
    effect.interface = policy_->interfaces[leaves ? packet.egress : packet.ingress].name;
    if (effect.kind == Effect::Kind::out && packet.needs_fragmentation) {
      uint16_t mtu = policy_->interfaces[packet.egress].mtu;
      unsigned pieces = fragments_needed(packet, mtu);
      for (unsigned i = 0; i < pieces; ++i) {
        effect.frame.resize(size_t{mtu} + 14);
        effect.frame.resize(write_fragment(packet, mtu, i, effect.frame.data()));
        effects.push_back(effect);
      }
    } else {
      if (leaves) effect.frame.assign(packet.frame, packet.frame + packet.length);
      effects.push_back(effect);
    }
    delete static_cast<Frame*>(packet.buffer);
    --held_;
  }
}

void Testbed::resolve() {
  for (auto& worker : workers_) {
    ControlEvent event;
    while (worker->events.pop({&event, 1}) == 1) {
      if (event.kind == EventKind::address_conflict) continue;
      if (silent_.count(event.address) != 0) continue;
      neighbors_.set(event.interface, event.address, neighbor_mac_of(event.interface));
    }
  }
}

void Testbed::silence(Ipv4Address neighbor) {
  silent_.insert(neighbor);
  for (size_t i = 0; i < policy_->interfaces.size(); ++i) {
    neighbors_.erase(static_cast<InterfaceId>(i), neighbor);
  }
}

void Testbed::wake(const std::string& interface, Ipv4Address neighbor) {
  const InterfaceId id = id_of(interface);
  silent_.erase(neighbor);
  neighbors_.set(id, neighbor, neighbor_mac_of(id));
}

std::vector<LogRecord> Testbed::take_log() {
  std::vector<LogRecord> records;
  LogRecord record;
  for (auto& worker : workers_) {
    while (worker->log.pop({&record, 1}) == 1)
      records.push_back(record);
  }
  return records;
}

std::vector<FlowRecord> Testbed::take_flows() {
  std::vector<FlowRecord> records;
  FlowRecord record;
  for (auto& worker : workers_) {
    while (worker->flows.pop({&record, 1}) == 1)
      records.push_back(record);
  }
  return records;
}

uint64_t Testbed::counter(const std::string& name) {
  uint64_t total = 0;
  if (name.rfind("rule.", 0) == 0) {
    total = rule_totals_[name.substr(5)];
    for (size_t i = 0; i < policy_->rules.size(); ++i) {
      if (policy_->rules.at(static_cast<uint16_t>(i)).name != name.substr(5)) continue;
      for (auto& counters : policy_->rule_counters)
        total += counters[i].packets.read();
    }
    return total;
  }
  for (auto& worker : workers_) {
    WorkerCounters& c = worker->counters;
    if (name.rfind("drop.", 0) == 0) {
      DropReason reason = drop_reason_from(name.substr(5).c_str());
      POSTERN_ASSERT(reason != DropReason::none);
      total += c.drops[static_cast<unsigned>(reason)].read();
      continue;
    }
    auto found = std::ranges::find(kWorkerCounters, name, &NamedCounter::name);
    POSTERN_ASSERT(found != std::end(kWorkerCounters));
    total += (c.*found->counter).read();
  }
  return total;
}

}  // namespace postern::test
