// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/pipeline.h"

#include <algorithm>

#include "dataplane/nat/icmp_error.h"
#include "dataplane/packet/parse.h"
#include "dataplane/pipeline/owner.h"
#include "dataplane/pipeline/state.h"

namespace postern {
namespace {

constexpr uint32_t kAdmittedMin = 1024;

ExternalPortPool::Settings pool_settings(const Pipeline::Settings& settings) {
  ExternalPortPool::Settings pool;
  pool.worker = settings.worker;
  pool.shards = settings.shards;
  pool.random_seed = settings.random_seed;
  return pool;
}

// RFC1812-5.3.4: what was sent to all stations of a wire must be for all of them by its address
// too.
bool is_to_all(const Policy& policy, const Packet& packet) {
  Ipv4Address destination(packet.key.destination);
  return destination.is_multicast() || policy.is_local_broadcast(destination);
}

uint32_t admitted_max(const Pipeline::Settings& settings) {
  uint32_t quarter = settings.limits.sessions / 4;
  return quarter < kAdmittedMin ? kAdmittedMin : quarter;
}

}  // namespace

Pipeline::State::State(const Settings& with, const Shared& together)
    : settings(with),
      shared(together),
      sessions(with.limits, with.seed),
      mappings(with.mappings_max, with.seed),
      ports(pool_settings(with)),
      fragments(with.seed),
      admitted(admitted_max(with), with.seed) {}

Pipeline::Pipeline(const Settings& settings, const Shared& shared)
    : state_(std::make_unique<State>(settings, shared)) {}
Pipeline::~Pipeline() = default;

const SessionTable& Pipeline::sessions() const {
  return state_->sessions;
}
const MappingTable& Pipeline::mappings() const {
  return state_->mappings;
}

void Pipeline::process(std::span<Packet> burst, const Policy* policy, Instant now, Outbox& out) {
  State& state = *state_;
  state.begin(policy, now, out);
  POSTERN_DCHECK(burst.size() <= kBurstMax);
  state.run(burst);
}

void Pipeline::turn(const Policy* policy, Instant now, Outbox& out) {
  State& state = *state_;
  state.begin(policy, now, out);
  if (policy != nullptr) {
    state.follow_identities();
    state.expire();
    state.sweep();
    state.sweep_identities();
    state.note_seen();
  }
  state.release_held();
  WorkerCounters& counters = *state.shared.counters;
  counters.sessions.set(state.sessions.size());
  counters.mappings.set(state.mappings.size());
  counters.hosts.set(state.sessions.hosts());
  counters.half_open.set(state.sessions.half_open());
  counters.fragments_held.set(state.fragments.held());
  counters.neighbors_waiting.set(state.held.waiting());
}

bool Pipeline::has_work() const {
  const State& state = *state_;
  return state.has_more_to_expire || state.swept_generation != state.sweeping_generation ||
         state.judged_identities != state.identities_sweep_to || state.fragments.held() != 0 ||
         state.held.waiting() != 0;
}

// What holds for one call; the pool follows a new policy before it gives out a port.
void Pipeline::State::begin(const Policy* with, Instant at, Outbox& to) {
  policy = with;
  now = at;
  out = &to;
  if (policy == nullptr) return;
  rule_counters = policy->rule_counters[settings.worker].data();
  uint32_t version = shared.neighbors->version();
  if (version != adjacent_version || policy->generation != adjacent_generation) {
    std::fill(std::begin(adjacent), std::end(adjacent), Adjacent{});
    adjacent_version = version;
    adjacent_generation = policy->generation;
  }
  if (ports_generation == policy->generation) return;
  ports.set_range(policy->nat.first_port, policy->nat.last_port);
  ports_generation = policy->generation;
}

// `packets` frames that came where `like` did.
void Pipeline::State::count_received(const Packet& like, uint64_t packets, uint64_t bytes) {
  if (like.errand != Errand::none || like.ingress >= kInterfacesMax) return;
  InterfaceCounters& counters = shared.counters->interfaces[like.ingress];
  (like.from_host ? counters.host_rx_packets : counters.rx_packets).add(packets);
  if (!like.from_host) counters.rx_bytes.add(bytes);
}

// A frame as it came from a port, the host path or another worker.
void Pipeline::State::receive(Packet& packet) {
  if (policy == nullptr || packet.ingress >= policy->interfaces.size() ||
      !interface(packet.ingress).exists) {
    return drop(packet, DropReason::no_policy);  // F01, F02
  }
  if (packet.errand == Errand::fragment) return gather(packet);
  if (packet.errand == Errand::session) return look_up(packet);
  DropReason reason = parse(packet, interface(packet.ingress).mac);
  if (reason != DropReason::none) {
    report_refused(packet, reason);
    return drop(packet, reason);
  }
  if (packet.kind == PacketKind::arp) return arp(packet);
  if (packet.to_multicast_mac && !is_to_all(*policy, packet)) [[unlikely]] {
    return drop(packet, DropReason::destination_address_bad);
  }
  if (packet.is_fragment) return gather(packet);
  steer(packet);
}

// RFC4787-REQ14: pieces of a datagram get the ports of the first, in any order.
void Pipeline::State::gather(Packet& packet) {
  // F26: before a forged piece can spoil the train of the host that it claims to be from.
  if (packet.errand == Errand::none && !packet.from_host &&
      !policy->may_come_from(Ipv4Address(packet.key.source), packet.ingress)) {
    report_refused(packet, DropReason::spoofed_source);
    return drop(packet, DropReason::spoofed_source);
  }
  WorkerId keeper = train_owner(*policy, packet.key, packet.identification);
  if (keeper != settings.worker) {
    packet.errand = Errand::fragment;
    shared.counters->handed_off.add(1);
    return out->push(packet, hand_off(keeper));
  }
  Verdict verdict = fragments.admit(packet, now);
  if (verdict.fate == Fate::hold) return;
  if (verdict.is_drop()) {
    report_refused(packet, verdict.reason);
    return drop(packet, verdict.reason);
  }
  steer(packet);
}

void Pipeline::State::steer(Packet& packet) {
  FlowKey key = packet.key;
  if (packet.is_icmp_error) {
    std::optional<FlowKey> quoted = quoted_key(packet);
    if (!quoted) return drop(packet, DropReason::icmp_error_unrelated);
    key = quoted->reversed();
  }
  if (!is_for_another(packet, key)) look_up(packet);
}

// True: `packet`, of the flow of `key`, is on its way to the worker that owns it.
bool Pipeline::State::is_for_another(Packet& packet, const FlowKey& key) {
  InterfaceId in = packet.from_host ? kGateway : packet.ingress;
  WorkerId owner = owner_of(*policy, key, in, packet.rounds);
  if (owner == settings.worker) return false;
  packet.errand = Errand::session;
  shared.counters->handed_off.add(1);
  out->push(packet, hand_off(owner));
  return true;
}

void Pipeline::State::look_up(Packet& packet) {
  if (packet.is_icmp_error) return relay_error(packet);
  uint32_t found = sessions.find(packet.key);
  if (found != kNone && hit(packet, found)) return;
  // Who handed it over may have gone by another policy than ours. Both have the newer one in their
  // next turn, so it does not go to and fro.
  if (packet.errand == Errand::session && is_for_another(packet, packet.key)) return;
  first_packet(packet);
}

}  // namespace postern
