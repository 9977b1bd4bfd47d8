// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/sender.h"

#include <algorithm>
#include <bit>

#include "dataplane/packet/reply.h"
#include "dataplane/policy/policy.h"

namespace postern {
namespace {

// A device that takes only part of a burst is asked again so often: its ring may be drained by the
// asking itself (AF_PACKET, AF_XDP), but nobody waits for a slow peer.
constexpr unsigned kTransmitTries = 3;
// PMD TAP sends no longer frames, whatever the MTU of its device; the kernel puts the pieces
// together.
constexpr uint16_t kHostMtu = 1500;

}  // namespace

Sender::Sender(const Settings& settings) : settings_(settings) {
  for (const InterfacePorts& ports : *settings_.ports) {
    for (const Side side : {wire, host}) {
      const EthPort* port = side == wire ? ports.wire : ports.host;
      if (port == nullptr || port->egress_ring() == nullptr) continue;
      if (port->may_transmit(settings_.worker)) owned_rings_.push_back({port, side});
    }
  }
}

void Sender::drop_at_down_port(InterfaceId interface, Side side, rte_mbuf* frame) {
  count_drop(DropReason::port_down, interface);
  trace({&frame, 1}, TracePoint::dropped, side == wire ? interface : kGateway,
        DropReason::port_down);
  rte_pktmbuf_free(frame);
}

inline void Sender::put(InterfaceId interface, Side side, rte_mbuf* frame) {
  const EthPort* port = port_of(interface, side);
  if (port == nullptr || !port->is_started()) [[unlikely]]
    return drop_at_down_port(interface, side, frame);
  Lane& lane = lanes_[interface][side];
  lane.frames[lane.count++] = frame;
  waiting_[side] |= uint64_t{1} << interface;
  if (lane.count == lane.frames.size()) flush(interface, side);
}

inline void Sender::forward(const Packet& packet, const Policy* policy) {
  if (packet.needs_fragmentation && policy != nullptr &&
      packet.egress < policy->interfaces.size()) {
    cut(packet, policy->interfaces[packet.egress].mtu, wire);
    return;
  }
  put(packet.egress, wire, buffer_of(packet));
}

size_t Sender::deliver(Outbox& outbox, const Policy* policy) {
  size_t left = 0;
  for (const Outbox::Item& item : outbox.items()) {
    Packet& packet = *item.packet;
    if (item.verdict.fate == Fate::forward && !is_discarding_) [[likely]] {
      ++left;
      forward(packet, policy);
      continue;
    }
    left += keep_or_divert(packet, item.verdict);
  }
  outbox.clear();
  return left;
}

size_t Sender::keep_or_divert(Packet& packet, Verdict verdict) {
  const Fate fate = is_discarding_ && verdict.fate != Fate::hold ? Fate::drop : verdict.fate;
  switch (fate) {
    case Fate::hold:
      return 0;
    case Fate::forward:
      break;  // deliver() has done it
    case Fate::host:
      deliver_to_host(packet);
      break;
    case Fate::hand_off:
      hand_over(packet, verdict.worker);
      break;
    case Fate::drop:
      rte_pktmbuf_free(static_cast<rte_mbuf*>(packet.buffer));
      break;
  }
  return 1;
}

void Sender::deliver_to_host(const Packet& packet) {
  if (packet.kind == PacketKind::ipv4 && packet.l3_length > kHostMtu) {
    cut(packet, kHostMtu, host);
    return;
  }
  put(packet.egress, host, buffer_of(packet));
}

void Sender::cut(const Packet& packet, uint16_t mtu, Side side) {
  const unsigned pieces = fragments_needed(packet, mtu);
  rte_mempool* pool = settings_.buffers->pool_of_room(mtu + uint32_t{kFrameOverhead});
  for (unsigned index = 0; index < pieces; ++index) {
    rte_mbuf* piece = pool != nullptr ? rte_pktmbuf_alloc(pool) : nullptr;
    if (piece == nullptr) {
      count_drop(DropReason::buffers_exhausted, packet.egress);
      break;
    }
    const uint16_t length = write_fragment(packet, mtu, index, rte_pktmbuf_mtod(piece, uint8_t*));
    piece->data_len = length;
    piece->pkt_len = length;
    kept_packet(piece).trace = packet.trace;
    put(packet.egress, side, piece);
  }
  rte_pktmbuf_free(static_cast<rte_mbuf*>(packet.buffer));
}

void Sender::hand_over(const Packet& packet, WorkerId worker) {
  rte_mbuf* buffer = buffer_of(packet);
  POSTERN_DCHECK(worker < settings_.hand_off_rings.size());
  kept_packet(buffer) = packet;
  if (rte_ring_enqueue(settings_.hand_off_rings[worker], buffer) == 0) {
    to_wake_ |= uint64_t{1} << worker;
    return;
  }
  settings_.counters->drops[static_cast<size_t>(DropReason::hand_off_full)].add(1);
  trace({&buffer, 1}, TracePoint::dropped, packet.from_host ? kGateway : packet.ingress,
        DropReason::hand_off_full);
  if (packet.ingress < kInterfacesMax) {
    settings_.counters->interfaces[packet.ingress].rx_drops.add(1);
  }
  rte_pktmbuf_free(buffer);
}

void Sender::send(InterfaceId interface, rte_mbuf* frame) {
  put(interface, wire, frame);
}

unsigned Sender::push(const EthPort& port, std::span<rte_mbuf*> frames) {
  if (port.may_transmit(settings_.worker)) return transmit(port, frames);
  to_wake_ |= uint64_t{1} << port.owner();
  return rte_ring_enqueue_burst(port.egress_ring(), reinterpret_cast<void**>(frames.data()),
                                static_cast<unsigned>(frames.size()), nullptr);
}

unsigned Sender::transmit(const EthPort& port, std::span<rte_mbuf*> frames) {
  const InterfaceId seen_at = port.is_host() ? kGateway : port.interface();
  trace(frames, TracePoint::sent, seen_at);
  uint64_t bytes = 0;
  for (const rte_mbuf* frame : frames)
    bytes += frame->pkt_len;
  unsigned sent = 0;
  for (unsigned tries = 0; tries < kTransmitTries && sent < frames.size(); ++tries) {
    sent += port.transmit(settings_.worker, frames.subspan(sent));
  }
  for (const rte_mbuf* frame : frames.subspan(sent))
    bytes -= frame->pkt_len;
  InterfaceCounters& counters = settings_.counters->interfaces[port.interface()];
  (port.is_host() ? counters.host_tx_packets : counters.tx_packets).add(sent);
  if (!port.is_host()) counters.tx_bytes.add(bytes);
  return sent;
}

void Sender::flush(InterfaceId interface, Side side) {
  Lane& lane = lanes_[interface][side];
  const unsigned count = lane.count;
  const unsigned sent = push(*port_of(interface, side), {lane.frames.data(), count});
  lane.count = 0;
  waiting_[side] &= ~(uint64_t{1} << interface);
  if (sent == count) return;
  const DropReason reason = side == wire ? DropReason::transmit_full : DropReason::host_full;
  trace({lane.frames.data() + sent, count - sent}, TracePoint::dropped,
        side == wire ? interface : kGateway, reason);
  rte_pktmbuf_free_bulk(lane.frames.data() + sent, count - sent);
  count_drop(reason, interface, count - sent);
}

void Sender::trace(std::span<rte_mbuf* const> frames, TracePoint point, InterfaceId interface,
                   DropReason reason) {
  if (!settings_.tap->is_on()) [[likely]]
    return;
  for (rte_mbuf* frame : frames) {
    Tap::Sight sight = sight_of(frame, point, interface, reason);
    sight.packet = kept_packet(frame).trace;
    settings_.tap->see(sight);
  }
}

void Sender::flush() {
  for (const Side side : {wire, host}) {
    while (waiting_[side] != 0) {
      flush(static_cast<InterfaceId>(std::countr_zero(waiting_[side])), side);
    }
  }
  for (; to_wake_ != 0; to_wake_ &= to_wake_ - 1)
    settings_.bells[static_cast<size_t>(std::countr_zero(to_wake_))]->ring_sleeper();
}

bool Sender::has_egress() const {
  return std::ranges::any_of(owned_rings_, [](const OwnedRing& owned) {
    return rte_ring_empty(owned.port->egress_ring()) == 0;
  });
}

size_t Sender::empty_egress_rings() {
  size_t moved = 0;
  for (const OwnedRing& owned : owned_rings_) {
    std::array<void*, kBurstMax> frames;
    const unsigned count =
        rte_ring_dequeue_burst(owned.port->egress_ring(), frames.data(), kBurstMax, nullptr);
    for (unsigned i = 0; i < count; ++i) {
      put(owned.port->interface(), owned.side, static_cast<rte_mbuf*>(frames[i]));
    }
    moved += count;
  }
  return moved;
}

void Sender::count_drop(DropReason reason, InterfaceId interface, unsigned frames) {
  settings_.counters->drops[static_cast<size_t>(reason)].add(frames);
  if (interface < kInterfacesMax) settings_.counters->interfaces[interface].tx_drops.add(frames);
}

}  // namespace postern
