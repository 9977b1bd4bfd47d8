// SPDX-License-Identifier: BSD-3-Clause
// RssNic: makes ring devices look like NICs with receive side scaling. The program's calls of
// ethdev come here first (--wrap, meson.build); for a device that stands in the list they are
// answered as such a NIC would, and remembered: key, kinds of hashes, rules, table. queue_of() then
// says where it would put a frame, by the real Toeplitz hash (rte_softrss). Thread: the test's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace postern::test {

// What a NIC can, and what it was told.
struct RssNic {
  // --- can
  unsigned table_size = 128;
  unsigned key_size = 40;
  unsigned queues_max = 64;
  bool takes_fields = true;     // "source only" and "destination port only" with the configuration
  bool takes_rules = false;     // the same by rte_flow
  bool refuses_fields = false;  // ... but not when it comes to it
  bool refuses_table = false;
  bool forgets_table = false;    // says yes and does nothing
  bool compacts_fields = false;  // hashes the one field as if it were the whole tuple
  // --- was told
  unsigned queues = 1;
  uint64_t kinds = 0;
  std::vector<uint64_t> rules;  // kinds of each
  std::vector<uint8_t> key;
  std::vector<uint16_t> table;

  // The queue of a frame, as the NIC would choose it.
  unsigned queue_of(std::span<const uint8_t> frame) const;
  uint32_t hash_of(std::span<const uint8_t> frame) const;

  // The NIC behind the device of this DPDK port; nullptr: it has none. The list holds those that
  // exist: make one before the port is opened.
  static RssNic* find(uint16_t port);
  RssNic(const RssNic&) = delete;
  RssNic& operator=(const RssNic&) = delete;
  explicit RssNic(std::string device);  // "net_ring_lan"
  ~RssNic();

  std::string device;
};

}  // namespace postern::test
