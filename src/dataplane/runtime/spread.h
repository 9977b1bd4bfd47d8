// SPDX-License-Identifier: BSD-3-Clause
// Spreader: has a NIC put ordinary frames into the queue of the worker that owns them (shards.h):
// by the source address where inside hosts are, by the destination port where external endpoints
// are.
//
//   plan()     what the device says it can
//   enable()   hash and key, with the configuration of the device
//   finish()   once it runs: table, where need be rules for the hash; then all is read back
//
// Some drivers take "source only" and "destination port only" with the configuration, others as
// rules (rte_flow). Where anything is refused the port hands off: frames are spread over the queues
// by a hash that is the same for both directions of a flow, and go on over the rings between
// workers. Nothing depends on the NIC's keeping to it: owner_of() is asked for every packet that
// the fast path finds no session for.
// Thread: control.
#pragma once

#include <rte_ethdev.h>

#include <array>
#include <string>
#include <vector>

#include "dataplane/nat/shards.h"
#include "dataplane/runtime/dataplane.h"

namespace postern {

class Spreader {
 public:
  struct Settings {
    unsigned queues = 1, workers = 1;
    bool is_outside = false;
  };
  void plan(const rte_eth_dev_info& device, const Settings& settings);
  void enable(rte_eth_conf& conf);
  // From now on the port hands off. False: it did so before.
  bool give_up(const std::string& reason);
  void finish(uint16_t port, const Shards& shards);

  Spread spread() const { return spread_; }
  // "handed over between workers: 1 receive queue for 2 workers"
  std::string text() const;
  // Entries of the device's table; 0: it is not used.
  unsigned table_size() const { return is_by_hardware(spread_) ? table_size_ : 0; }

 private:
  static constexpr size_t kKeyMax = 64;

  uint16_t hash_key() const;
  bool set_rules(uint16_t port) const;
  bool set_table(uint16_t port, const Shards& shards) const;
  bool holds_table(uint16_t port, const std::vector<rte_eth_rss_reta_entry64>& wanted) const;
  bool holds_hash(uint16_t port) const;

  Settings settings_;
  Spread spread_ = Spread::alone;
  std::string reason_;    // why it hands off
  uint64_t offered_ = 0;  // kinds of hashes
  bool by_rules_ = false;
  unsigned table_size_ = 0;
  std::array<uint8_t, kKeyMax> key_ = {};
  uint8_t key_size_ = 0;
};

}  // namespace postern
