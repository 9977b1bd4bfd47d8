// SPDX-License-Identifier: BSD-3-Clause
// ExternalPortPool: the external ports (and ICMP query identifiers) that one worker may give out,
// per external address and protocol. Never overloaded: a port is one mapping's (RFC 4787 REQ-3).
//
// Every port number belongs to the slice of one worker (shards.h), so that a packet to an external
// endpoint finds its owner from the port alone. A slice holds ports of both parities and both
// ranges: whole blocks of 64, some of each round of kRound blocks, the same ones in every round.
//
// There is a bitmap of the slice (8 KiB / workers) per address and protocol (TCP, UDP, ICMP), all
// allocated in the constructor: an address gets one when its first port is asked for, and loses it
// to another address when none of its ports is in use and bitmaps run out. More than addresses_max
// at once: no port. Thread: the owning worker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "dataplane/nat/shards.h"
#include "dataplane/packet/packet.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/table_memory.h"

namespace postern {

class ExternalPortPool {
 public:
  struct Settings {
    WorkerId worker = 0;
    Shards shards;
    uint16_t first_port = 1024;  // well-known ports below it go only to such internal ports
    uint16_t last_port = 65535;
    uint64_t random_seed = 0;  // for the choice of ports (RFC 6056)
    unsigned addresses_max = 256;
  };
  explicit ExternalPortPool(const Settings& settings);

  // A port for `preferred` (the internal port, host order) on `address`, not in `reserved`
  // (sorted): the same number where it is free and in this slice, else a random one with its parity
  // (REQ-4) and in its range (REQ-3a; a privileged internal port falls back to the high range),
  // else any in the range. Goes once round the words that have free ports. Empty: none is free.
  std::optional<uint16_t> allocate(uint8_t protocol, Ipv4Address address, uint16_t preferred,
                                   const std::vector<uint16_t>& reserved);
  // False: it is taken already (or not in this slice).
  bool claim(uint8_t protocol, Ipv4Address address, uint16_t port);
  void release(uint8_t protocol, Ipv4Address address, uint16_t port);
  uint32_t in_use(uint8_t protocol, Ipv4Address address) const;
  void set_range(uint16_t first_port, uint16_t last_port);  // on a new policy

  // Which of `count` pool addresses an internal host gets: always the same one (paired pooling,
  // REQ-2).
  static uint32_t paired_index(Ipv4Address internal, uint32_t count);

 private:
  static constexpr uint32_t kRound = Shards::kCountMax;
  // The slice's ports of one address and protocol. A word stands for a block of 64 ports of the
  // slice, in ascending order; bit: in use.
  struct Bitmap {
    be32 address;
    uint8_t protocol = 0;
    uint32_t in_use = 0;
    // Bit w: word w has a free even (0) or odd (1) port, reserved ones included.
    std::array<std::array<uint64_t, 16>, 2> has_free = {};
  };
  struct Range {
    uint16_t first, last;
    bool contains(uint16_t port) const { return first <= port && port <= last; }
  };
  struct Wish;

  uint32_t find(uint8_t protocol, Ipv4Address address) const;
  uint32_t find_or_add(uint8_t protocol, Ipv4Address address);
  uint32_t find_unused();
  void note_free(uint32_t bitmap, uint32_t word);
  void take(uint32_t bitmap, uint16_t port);
  std::optional<uint16_t> search(uint32_t bitmap, const Wish& wish);
  std::optional<uint16_t> search_words(uint32_t bitmap, const Wish& wish, uint32_t from,
                                       uint32_t to);
  std::optional<uint16_t> search_word(uint32_t bitmap, uint32_t word, const Wish& wish);
  uint64_t random();

  uint64_t* words_of(uint32_t bitmap) { return &words_[size_t{bitmap} * words_each_]; }
  const uint64_t* words_of(uint32_t bitmap) const { return &words_[size_t{bitmap} * words_each_]; }
  bool is_in_slice(uint16_t port) const {
    return settings_.shards.slice_of(port) == settings_.worker;
  }
  // How many blocks of the slice lie before `block`.
  uint32_t words_before(uint32_t block) const {
    return block / kRound * words_in_round_ + rank_[block % kRound];
  }
  uint32_t word_of(uint16_t port) const { return words_before(port >> 6); }
  uint16_t first_port_of(uint32_t word) const {
    const uint32_t block = word / words_in_round_ * kRound + place_[word % words_in_round_];
    return static_cast<uint16_t>(block << 6);
  }
  void lay_out();

  Settings settings_;
  uint64_t random_ = 0;  // counter
  uint64_t random_key_ = 0;
  uint32_t words_in_round_ = 0;
  std::array<uint8_t, kRound> rank_ = {};   // blocks of the slice before this one, in a round
  std::array<uint8_t, kRound> place_ = {};  // of the slice's blocks, in a round
  uint32_t words_each_;                     // words in the slice
  uint32_t bitmaps_used_ = 0;
  TableArray<Bitmap> bitmaps_;
  TableArray<uint64_t> words_;
  FlowMap index_;  // address and protocol -> bitmap
  // The bitmaps that find() gave last, by the lowest bits of the address.
  mutable uint32_t found_[16] = {};
};

}  // namespace postern
