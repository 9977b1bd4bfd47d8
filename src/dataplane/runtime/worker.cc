// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/worker.h"

#include <pthread.h>
#include <rte_lcore.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "base/prefetch.h"
#include "dataplane/policy/policy.h"

namespace postern {
namespace {

constexpr size_t kInjectedPerTurn = 8;
// The longest sleep: policies are taken up, ages looked at, the watchdog reassured.
constexpr Duration kSleepMax = milliseconds(10);
// How far ahead the last turns of a pipeline are, so that whatever it holds has waited too long,
// and how many of them there may be.
constexpr Duration kAfterAllWaits = seconds(3600);
constexpr unsigned kDrainTurnsMax = 4096;

// Packets come before whatever else runs on a shared core, yet leave it something.
constexpr int kNiceness = -10;

void settle_thread(WorkerId id, uint32_t core) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), ("postern-w" + std::to_string(id)).c_str());
  prctl(PR_SET_TIMERSLACK, 1);  // naps of microseconds; the default adds 50
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  // A core that is gone leaves the worker where the kernel puts it.
  pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
  // Without the privilege it stays as it is.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
}

Pipeline::Shared shared_of(const Worker::Shared& shared, Tap& tap) {
  return Pipeline::Shared{
      shared.neighbors,  &shared.desk->log,  &shared.desk->events, &shared.desk->counters, &tap,
      shared.identities, &shared.desk->flows};
}

Sender::Settings sender_of(const Worker::Settings& settings, const Worker::Shared& shared,
                           Tap& tap) {
  return Sender::Settings{settings.id,
                          shared.ports,
                          shared.buffers,
                          shared.hand_off_rings,
                          shared.bells,
                          &shared.desk->counters,
                          &tap};
}

}  // namespace

Worker::Worker(const Settings& settings, const Shared& shared)
    : settings_(settings),
      shared_(shared),
      tap_(*shared.captures, settings.id),
      pipeline_(settings.pipeline, shared_of(shared, tap_)),
      sender_(sender_of(settings, shared, tap_)),
      wakeups_(shared.desk->wake) {
  find_sources();
}

void Worker::find_sources() {
  for (const InterfacePorts& ports : *shared_.ports) {
    for (const EthPort* port : {ports.wire, ports.host}) {
      if (port == nullptr) continue;
      for (unsigned queue = 0; queue < port->rx_queues(); ++queue) {
        if (port->receiver_of(queue) != settings_.id) continue;
        (port->is_host() ? hosts_ : wires_).push_back(Source{port, queue});
        can_wait_ = wakeups_.watch(*port) && can_wait_;
      }
    }
  }
}

bool Worker::settle() {
  settle_thread(settings_.id, settings_.core);
  return rte_thread_register() == 0;
}

void Worker::run() {
  WorkerCounters& counters = shared_.desk->counters;
  Instant began;  // the turn before, if it moved something
  bool was_busy = false;
  while (!shared_.is_stopping->load(std::memory_order_acquire)) {
    const size_t moved = turn();
    if (was_busy) counters.busy_ns.add(static_cast<uint64_t>((now_ - began).ns));
    began = now_;
    was_busy = moved != 0;
    counters.turns.add(1);
    if (moved != 0) {
      counters.busy_turns.add(1);
      nap_.reset();
      was_woken_ = false;
      continue;
    }
    if (settings_.idle == Idle::sleep) rest();
  }
  drain();
  rte_thread_unregister();
}

void Worker::rest() {
  const Duration length = nap_.next();
  if (length.ns == 0) return;
  // Woken for nothing, by a port that is not started yet or is down: no reason to spin.
  const bool was_woken = std::exchange(was_woken_, false);
  if (!can_wait_ || was_woken || pipeline_.has_work() || shared_.desk->dump.is_asked()) {
    return Nap::sleep(length);
  }
  wakeups_.arm();
  if (!has_waiting()) was_woken_ = wakeups_.wait(kSleepMax);
  wakeups_.disarm();
}

// What is left for us without a descriptor to tell of it; whoever leaves something rings.
bool Worker::has_waiting() const {
  return shared_.is_stopping->load(std::memory_order_relaxed) ||
         !shared_.desk->injected.is_empty() || sender_.has_egress() ||
         (!shared_.hand_off_rings.empty() &&
          rte_ring_empty(shared_.hand_off_rings[settings_.id]) == 0);
}

size_t Worker::turn() {
  policy_ = shared_.policies->acquire();
  now_ = settings_.clock.now(settings_.clock.context);
  tap_.begin_turn(now_, policy_ != nullptr ? policy_->generation : 0);
  size_t moved = 0;
  for (const Source& source : wires_)
    moved += receive(source);
  moved += receive_hand_offs();
  if (host_pace_.is_due(now_, moved == 0)) moved += receive_from_hosts();
  if (settings_.id == 0) moved += send_injected();

  pipeline_.turn(policy_, now_, outbox_);
  deliver();
  moved += sender_.empty_egress_rings();
  sender_.flush();

  shared_.desk->dump.serve(pipeline_);
  ring_bells();
  if (policy_ != nullptr) shared_.policies->finished(settings_.id, policy_->generation);
  return moved;
}

size_t Worker::receive_from_hosts() {
  size_t moved = 0;
  for (const Source& source : hosts_)
    moved += receive(source);
  host_pace_.note(now_, moved != 0);
  return moved;
}

size_t Worker::receive(const Source& source) {
  if (!source.port->is_started()) return 0;
  std::array<rte_mbuf*, kBurstMax> buffers;
  const unsigned received = source.port->receive(source.queue, buffers);
  if (received == 0) return 0;
  for (unsigned i = 0; i < received; ++i)
    prefetch_for_write(rte_pktmbuf_mtod(buffers[i], void*));
  if (tap_.is_on()) [[unlikely]]
    trace_received({buffers.data(), received}, *source.port);
  size_t count = 0;
  for (unsigned i = 0; i < received; ++i) {
    if (!admit(buffers[i], source.port->interface())) continue;
    begin_packet(burst_[count++], buffers[i], source.port->interface(), source.port->is_host());
  }
  if (tap_.is_following()) [[unlikely]] {
    for (size_t i = 0; i < count; ++i)
      tap_.follow(burst_[i]);
  }
  process({burst_.data(), count});
  return received;
}

void Worker::trace_received(std::span<rte_mbuf* const> burst, const EthPort& port) {
  for (const rte_mbuf* buffer : burst) {
    tap_.see(sight_of(buffer, TracePoint::received, port.is_host() ? kGateway : port.interface()));
  }
}

void Worker::trace_verdicts() {
  const bool is_following = tap_.is_following();
  for (const Outbox::Item& item : outbox_.items()) {
    const Packet& packet = *item.packet;
    if (item.verdict.is_drop()) {
      tap_.dropped(packet, item.verdict.reason, item.verdict.rule);
    } else if (is_following) {
      kept_packet(static_cast<rte_mbuf*>(packet.buffer)).trace = packet.trace;
      if (item.verdict.fate == Fate::hand_off && packet.trace != 0) {
        tap_.handed_over(packet, item.verdict.worker);
      }
    }
  }
}

bool Worker::admit(rte_mbuf*& buffer, InterfaceId interface) {
  DropReason reason = DropReason::none;
  if ((buffer->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 && buffer->vlan_tci != 0) {
    // The device took the tag off: without it the frame would seem to belong to this network.
    reason = DropReason::ethertype_unsupported;
    if (tap_.is_on()) tap_.see(sight_of(buffer, TracePoint::dropped, interface, reason));
    rte_pktmbuf_free(buffer);
  } else if (!is_plain(*shared_.buffers, buffer)) {
    bool is_too_long = false;
    buffer = make_plain(*shared_.buffers, buffer, is_too_long);
    if (buffer == nullptr) {
      reason = is_too_long ? DropReason::frame_malformed : DropReason::buffers_exhausted;
    }
  }
  if (reason == DropReason::none) return true;
  shared_.desk->counters.drops[static_cast<size_t>(reason)].add(1);
  shared_.desk->counters.interfaces[interface].rx_drops.add(1);
  return false;
}

size_t Worker::receive_hand_offs() {
  if (shared_.hand_off_rings.empty()) return 0;
  std::array<void*, kBurstMax> buffers;
  const unsigned count = rte_ring_dequeue_burst(shared_.hand_off_rings[settings_.id],
                                                buffers.data(), kBurstMax, nullptr);
  for (unsigned i = 0; i < count; ++i) {
    burst_[i] = kept_packet(static_cast<rte_mbuf*>(buffers[i]));
  }
  return process({burst_.data(), count});
}

size_t Worker::process(std::span<Packet> burst) {
  if (burst.empty()) return 0;
  inside_ += burst.size();
  pipeline_.process(burst, policy_, now_, outbox_);
  deliver();
  return burst.size();
}

void Worker::deliver() {
  if (tap_.is_on()) [[unlikely]]
    trace_verdicts();
  inside_ -= sender_.deliver(outbox_, policy_);
}

size_t Worker::send_injected() {
  if (shared_.desk->injected.is_empty()) return 0;
  size_t sent = 0;
  InjectedFrame frame;
  while (sent < kInjectedPerTurn && shared_.desk->injected.pop({&frame, 1}) == 1) {
    ++sent;
    rte_mempool* pool = shared_.buffers->pool_of_room(frame.length);
    rte_mbuf* buffer = pool != nullptr ? rte_pktmbuf_alloc(pool) : nullptr;
    if (buffer == nullptr) {
      constexpr auto kReason = static_cast<size_t>(DropReason::buffers_exhausted);
      shared_.desk->counters.drops[kReason].add(1);
      continue;
    }
    buffer->data_len = frame.length;
    buffer->pkt_len = frame.length;
    kept_packet(buffer).trace = 0;
    std::copy_n(frame.bytes.data(), frame.length, rte_pktmbuf_mtod(buffer, uint8_t*));
    sender_.send(frame.interface, buffer);
  }
  return sent;
}

void Worker::ring_bells() {
  if (shared_.event_bell->is_armed() && !shared_.desk->events.is_empty()) {
    shared_.event_bell->ring();
  }
  if (shared_.log_bell->is_armed() && !shared_.desk->log.is_empty()) shared_.log_bell->ring();
}

void Worker::drain() {
  sender_.discard();
  const Instant end = settings_.clock.now(settings_.clock.context) + kAfterAllWaits;
  for (unsigned i = 0; i < kDrainTurnsMax && inside_ != 0; ++i) {
    pipeline_.turn(nullptr, end, outbox_);
    deliver();
  }
  // Whoever waits for this worker to be done with a policy or a capture waits no longer.
  shared_.policies->finished(settings_.id, UINT32_MAX);
  shared_.identities->finished(settings_.id, UINT32_MAX);
  tap_.end();
}

}  // namespace postern
