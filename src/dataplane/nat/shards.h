// SPDX-License-Identifier: BSD-3-Clause
// Shards: which worker owns an inside host and which an external port, by an arithmetic that NICs
// do as well, so that ordinary packets come in where they belong.
//
//   source address on an inside port ----.
//                                        Toeplitz -> low bits: a shard -> table -> worker = queue
//   destination port on an external port '
//
// Receive side scaling is just that: a Toeplitz hash whose low bits lead through a table to a
// queue. Key and table are ours. A key that repeats after 16 bits gives every 16 bits of what is
// hashed the same weight wherever they lie, so it does not matter at which place a NIC has the
// field, and the two halves of an address are added up (XOR) first.
//
// kPortHashKey has one bit, which turns the hash of a port into a rearrangement of its bits such
// that a shard's ports are whole blocks of 64: bits 6 to 12, the lowest one leading. With
// kHostHashKey any 2^n neighbouring addresses, and any 2^n neighbouring networks of 256, are spread
// evenly over 2^n shards and workers.
//
// Workers get consecutive shards, nearly the same number each. The number of shards is that of the
// smallest table among the NICs (64 to 128), the same for all ports. Pure; thread: any.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/address.h"
#include "dataplane/packet/packet.h"

namespace postern {

constexpr uint16_t kHostHashKey = 0xE48E, kPortHashKey = 0x2000;

// The low half of the Toeplitz hash of 16 bits under a key of this period; the high half is equal.
constexpr uint16_t toeplitz(uint16_t key, uint16_t word) {
  uint16_t hash = 0;
  for (int bit = 0; bit < 16; ++bit) {
    if ((word >> (15 - bit) & 1) != 0) hash = static_cast<uint16_t>(hash ^ std::rotl(key, bit));
  }
  return hash;
}

class Shards {
 public:
  static constexpr unsigned kCountMin = 64, kCountMax = 128;

  // `count`: a power of two between those.
  constexpr Shards() : Shards(1) {}
  constexpr explicit Shards(unsigned workers, unsigned count = kCountMax)
      : workers_(workers), bits_(static_cast<unsigned>(std::countr_zero(count))) {}

  constexpr unsigned workers() const { return workers_; }
  constexpr unsigned count() const { return 1u << bits_; }
  // Only the low bits of `shard` count, as in the table of a NIC.
  constexpr WorkerId worker_of(unsigned shard) const {
    return static_cast<WorkerId>((shard & (count() - 1)) * workers_ >> bits_);
  }

  // Linear: the shard of two hosts together is shard_of(a) ^ shard_of(b).
  static unsigned shard_of(Ipv4Address host) {
    return shard_of(kHosts, static_cast<uint16_t>(host.number ^ host.number >> 16));
  }
  static constexpr unsigned shard_of_port(uint16_t port) { return shard_of(kPorts, port); }

  WorkerId owner_of(Ipv4Address host) const { return worker_of(shard_of(host)); }
  // The worker whose slice holds the external port. 64 consecutive ports belong together.
  constexpr WorkerId slice_of(uint16_t port) const { return worker_of(shard_of_port(port)); }

  friend constexpr bool operator==(const Shards&, const Shards&) = default;

 private:
  // The low bits of the hash, by the two bytes of the word.
  using Table = std::array<std::array<uint8_t, 256>, 2>;
  static constexpr Table table_of(uint16_t key) {
    Table table = {};
    for (unsigned byte = 0; byte < 256; ++byte) {
      table[0][byte] =
          static_cast<uint8_t>(toeplitz(key, static_cast<uint16_t>(byte << 8)) % kCountMax);
      table[1][byte] = static_cast<uint8_t>(toeplitz(key, static_cast<uint16_t>(byte)) % kCountMax);
    }
    return table;
  }
  static const Table kHosts, kPorts;
  static constexpr unsigned shard_of(const Table& table, uint16_t word) {
    return table[0][word >> 8] ^ table[1][word & 0xFF];
  }

  unsigned workers_;
  unsigned bits_;
};

inline constexpr Shards::Table Shards::kHosts = Shards::table_of(kHostHashKey);
inline constexpr Shards::Table Shards::kPorts = Shards::table_of(kPortHashKey);

}  // namespace postern
