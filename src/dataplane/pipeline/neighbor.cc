// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/neighbor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint64_t kUsed = uint64_t{1} << 63;
constexpr uint64_t kValid = uint64_t{1} << 63;
constexpr Duration kHoldMax = seconds(3);
constexpr uint32_t kProbesMax = 64;  // slots looked at for one key

uint64_t key_of(InterfaceId interface, Ipv4Address address) {
  return kUsed | uint64_t{interface} << 32 | address.number;
}

uint64_t pack(const MacAddress& mac) {
  uint64_t packed = 0;
  std::memcpy(&packed, mac.bytes.data(), mac.bytes.size());
  return packed | kValid;
}

MacAddress unpack(uint64_t packed) {
  MacAddress mac;
  std::memcpy(mac.bytes.data(), &packed, mac.bytes.size());
  return mac;
}

// Whom a next hop that this packet waits for counts for.
unsigned source_of(const Packet& packet) {
  return packet.from_host || packet.ingress >= kInterfacesMax ? kInterfacesMax : packet.ingress;
}

}  // namespace

// The probe sequence of a key never shrinks: erased slots keep their key, so a reader may stop at
// the first slot that was never used.
NeighborTable::NeighborTable(const HashSeed& seed) : seed_(seed), slots_(new Slot[kSlots]) {}

uint32_t NeighborTable::place_of(uint64_t key) const {
  return static_cast<uint32_t>(hash_of(KeyWords{key, 0}, seed_) >> 40);
}

bool NeighborTable::find(InterfaceId interface, Ipv4Address address, MacAddress& mac) const {
  const uint64_t wanted = key_of(interface, address);
  const uint32_t first = place_of(wanted);
  for (uint32_t i = 0; i < kProbesMax; ++i) {
    const Slot& slot = slots_[(first + i) % kSlots];
    uint64_t key = slot.key.load(std::memory_order_acquire);
    if (key == 0) return false;
    if (key != wanted) continue;
    uint64_t packed = slot.mac.load(std::memory_order_acquire);
    if (slot.key.load(std::memory_order_acquire) != wanted) return false;
    if ((packed & kValid) == 0) return false;
    mac = unpack(packed);
    return true;
  }
  return false;
}

bool NeighborTable::set(InterfaceId interface, Ipv4Address address, const MacAddress& mac) {
  const uint64_t wanted = key_of(interface, address);
  const uint32_t first = place_of(wanted);
  Slot* place = nullptr;
  for (uint32_t i = 0; i < kProbesMax; ++i) {
    Slot& slot = slots_[(first + i) % kSlots];
    uint64_t key = slot.key.load(std::memory_order_relaxed);
    bool is_erased = (slot.mac.load(std::memory_order_relaxed) & kValid) == 0;
    if (key == wanted) {
      place = &slot;
      break;
    }
    if (is_erased && place == nullptr) place = &slot;  // never used, or erased
    if (key == 0) break;
  }
  if (place == nullptr) return false;
  if ((place->mac.load(std::memory_order_relaxed) & kValid) == 0) {
    if (used_ >= kNeighborsMax) return false;
    ++used_;
  }
  place->key.store(wanted, std::memory_order_release);
  place->mac.store(pack(mac), std::memory_order_release);
  version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  return true;
}

void NeighborTable::erase(InterfaceId interface, Ipv4Address address) {
  const uint64_t wanted = key_of(interface, address);
  const uint32_t first = place_of(wanted);
  for (uint32_t i = 0; i < kProbesMax; ++i) {
    Slot& slot = slots_[(first + i) % kSlots];
    uint64_t key = slot.key.load(std::memory_order_relaxed);
    if (key == 0) return;
    if (key != wanted) continue;
    if ((slot.mac.load(std::memory_order_relaxed) & kValid) == 0) return;
    slot.mac.store(0, std::memory_order_release);
    --used_;
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    return;
  }
}

bool HeldQueue::add(const Packet& packet, Instant now, bool& is_new) {
  const uint64_t wanted = key_of(packet.egress, packet.next_hop);
  auto place = std::find(keys_.begin(), keys_.end(), wanted);
  is_new = place == keys_.end();
  const unsigned source = source_of(packet);
  if (is_new && taken_[source] >= free_) {
    is_new = false;
    return false;
  }
  if (is_new) place = std::find(keys_.begin(), keys_.end(), 0u);
  Entry& entry = entries_[static_cast<size_t>(place - keys_.begin())];
  if (entry.count == kHeldPerNeighbor) return false;
  *place = wanted;
  if (is_new) {
    entry.since = now;
    entry.source = source;
    ++taken_[source];
    --free_;
  }
  entry.packets[entry.count++] = packet;
  ++waiting_;
  return true;
}

// Empties entry `index` into `out`, which has room.
size_t HeldQueue::take(unsigned index, std::span<Packet> out) {
  Entry& entry = entries_[index];
  std::copy_n(entry.packets, entry.count, out.begin());
  waiting_ -= entry.count;
  keys_[index] = 0;
  --taken_[entry.source];
  ++free_;
  return std::exchange(entry.count, 0u);
}

size_t HeldQueue::release(const NeighborTable& neighbors, std::span<Packet> out) {
  size_t released = 0;
  for (unsigned i = 0; i < kHeldNeighborsMax && waiting_ > 0; ++i) {
    if (keys_[i] == 0 || out.size() - released < entries_[i].count) continue;
    const Packet& first = entries_[i].packets[0];
    MacAddress mac;
    if (!neighbors.find(first.egress, first.next_hop, mac)) continue;
    std::span<Packet> taken = out.subspan(released, take(i, out.subspan(released)));
    for (Packet& packet : taken)
      ethernet_at(packet.frame).destination = mac;
    released += taken.size();
  }
  return released;
}

size_t HeldQueue::expire(Instant now, std::span<Packet> out) {
  size_t expired = 0;
  for (unsigned i = 0; i < kHeldNeighborsMax && waiting_ > 0; ++i) {
    if (keys_[i] == 0 || now - entries_[i].since < kHoldMax) continue;
    if (out.size() - expired < entries_[i].count) break;
    expired += take(i, out.subspan(expired));
  }
  return expired;
}

}  // namespace postern
