// SPDX-License-Identifier: BSD-3-Clause
// NeighborTable: (interface, address) -> MAC address. Control writes, every worker reads.
//
// Fixed open addressing; each slot is two 64-bit words, the key and the MAC. An erased slot keeps
// its key until another takes its place, so probe sequences never shrink. A reader reads key, MAC,
// key again: a slot that changed in between counts as a miss, which costs one more ARP request and
// nothing else.
//
// Places are keyed by a seed, so that nobody can choose addresses that all fall on one.
//
// HeldQueue: packets of one worker that wait for a MAC, kHeldPerNeighbor for each of
// kHeldNeighborsMax next hops. Every add() walks the keys of all, so these lie side by side (2
// KiB). A next hop counts for the interface by which its first packet came in, and no interface may
// have more of them than are left free: who scans a network of silent addresses takes half, and
// there is room for the packets of others.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.h"
#include "base/limits.h"
#include "base/time.h"
#include "dataplane/packet/packet.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/table_memory.h"

namespace postern {

class NeighborTable {
 public:
  explicit NeighborTable(const HashSeed& seed);

  // Thread: any worker. False: not known.
  bool find(InterfaceId interface, Ipv4Address address, MacAddress& mac) const;

  // Thread: control. False: no room (kNeighborsMax, or all places near this key are taken).
  bool set(InterfaceId interface, Ipv4Address address, const MacAddress& mac);
  void erase(InterfaceId interface, Ipv4Address address);
  // Any thread; grows with every change, so that workers know when to look at their held packets.
  uint32_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  struct Slot {
    std::atomic<uint64_t> key{0};  // 0: never used; bit 63 set: in use
    std::atomic<uint64_t> mac{0};  // low 48 bits; bit 63 set: valid
  };
  static constexpr uint32_t kSlots = kNeighborsMax * 2;
  uint32_t place_of(uint64_t key) const;
  HashSeed seed_;
  uint32_t used_ = 0;  // control
  std::unique_ptr<Slot[]> slots_;
  std::atomic<uint32_t> version_{0};
};

class HeldQueue {
 public:
  // Keeps a packet for (interface, next_hop), taken from packet.egress and packet.next_hop. False:
  // no room left for it, drop it with neighbor_queue_full. `is_new` tells that nobody waited for
  // this next hop yet: ask control to resolve it.
  bool add(const Packet& packet, Instant now, bool& is_new);
  // Packets whose next hop has become known; their Ethernet destination is written. Returns how
  // many.
  size_t release(const NeighborTable& neighbors, std::span<Packet> out);
  // Packets whose next hop has not answered for three seconds; to be dropped with
  // neighbor_unresolved. Returns how many.
  size_t expire(Instant now, std::span<Packet> out);
  uint32_t waiting() const { return waiting_; }

 private:
  struct Entry {
    unsigned count = 0;
    unsigned source = 0;  // whose it is, in taken_
    Instant since;
    Packet packets[kHeldPerNeighbor];
  };
  size_t take(unsigned index, std::span<Packet> out);
  static constexpr unsigned kSources = kInterfacesMax + 1;  // interfaces, and the gateway itself

  std::array<uint64_t, kHeldNeighborsMax> keys_ = {};  // of entries_; 0: free
  TableArray<Entry> entries_{kHeldNeighborsMax};
  std::array<unsigned, kSources> taken_ = {};  // entries by source
  unsigned free_ = kHeldNeighborsMax;          // entries
  uint32_t waiting_ = 0;                       // packets
};

}  // namespace postern
