// SPDX-License-Identifier: BSD-3-Clause
// MappingTable: dynamic mappings, internal endpoint <-> external endpoint (RFC 4787 section 4), of
// one worker. Configured mappings are part of the policy (nat/nat_policy.h) and need no entry here.
//
// A mapping lives as long as a session uses it: their timeouts are its own (RFC 4787 REQ-5, REQ-6).
// Thread: the owning worker. Full: create() returns kNone and the caller drops with
// mapping_table_full. Fixed memory: 64 bytes a mapping.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/prefetch.h"
#include "base/time.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/table/flow_index.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/table_memory.h"

namespace postern {

enum class MappingBehavior : uint8_t {
  endpoint_independent,
  address_dependent,
  address_and_port_dependent
};  // RFC 4787 section 4.1
enum class FilteringBehavior : uint8_t {
  endpoint_independent,
  address_dependent,
  address_and_port_dependent
};  // RFC 4787 section 5

struct Mapping {
  Endpoint internal;
  Endpoint external;
  Endpoint remote;  // the part that counts by `behavior`, else zero
  uint8_t protocol = 0;
  MappingBehavior behavior = MappingBehavior::endpoint_independent;
  FilteringBehavior filtering = FilteringBehavior::address_and_port_dependent;
  uint8_t internal_interface = 0xff;  // where the internal host is, as far as known
  uint8_t external_interface = 0xff;
  bool in_use = false;
  uint32_t sessions = 0;  // that refer to it; 0: the caller erases it
  // MappingTable's own: same internal endpoint and remote, other address.
  uint32_t next_alike = kNone;
  Instant created;
};
static_assert(sizeof(Mapping) == 48);

class MappingTable {
 public:
  MappingTable(uint32_t capacity, const HashSeed& seed);

  // What a look-up by the internal side came upon; create() goes on from there.
  struct Found {
    uint32_t mapping = kNone;  // the one that was meant
    uint32_t first = kNone;    // of its chain
    uint64_t hash = 0;         // of the internal side
  };
  // The mapping of `internal` towards `remote` on external address `external_address`. `remote`
  // counts as far as `behavior` says.
  Found look_up_internal(uint8_t protocol, Endpoint internal, Endpoint remote,
                         Ipv4Address external_address, MappingBehavior behavior) const;
  uint32_t find_internal(uint8_t protocol, Endpoint internal, Endpoint remote,
                         Ipv4Address external_address, MappingBehavior behavior) const {
    return look_up_internal(protocol, internal, remote, external_address, behavior).mapping;
  }
  uint32_t find_external(uint8_t protocol, Endpoint external) const;
  // Asks the cache for the place of find_internal(), for endpoint-independent mappings, which most
  // are; of find_external(); and for a mapping.
  void look_ahead_internal(uint8_t protocol, be32 address, be16 port) const;
  void look_ahead_external(uint8_t protocol, Endpoint external) const;
  void look_ahead(uint32_t index) const { prefetch(&mappings_[index]); }
  // Asks the cache for what erase() of a mapping will change.
  void look_ahead_erase(uint32_t index) const;
  // kNone: full, or one of both sides is mapped already. `found`: what look_up_internal() found for
  // this very mapping, with no change to the table since.
  uint32_t create(const Mapping& mapping, const Found& found);
  uint32_t create(const Mapping& mapping) {
    return create(mapping, look_up_internal(mapping.protocol, mapping.internal, mapping.remote,
                                            mapping.external.address, mapping.behavior));
  }
  void erase(uint32_t index);

  Mapping& at(uint32_t index) { return mappings_[index]; }
  const Mapping& at(uint32_t index) const { return mappings_[index]; }
  uint32_t size() const { return size_; }
  size_t bytes() const { return mappings_.bytes() + index_.bytes(); }
  uint32_t capacity() const { return static_cast<uint32_t>(mappings_.size()); }

 private:
  // A mapping is in the index twice, by each side.
  enum class Side : uint8_t { internal, external };
  static uint32_t value_of(uint32_t index, Side side) {
    return index << 1 | static_cast<uint32_t>(side);
  }
  // The index of the mapping with this key on this side, or kNone.
  uint32_t find(KeyWords key, uint64_t hash, Side side) const;
  uint64_t hash(KeyWords key) const { return hash_of(key, seed_); }
  uint32_t find_alike(uint32_t first, Ipv4Address external, MappingBehavior behavior) const;

  uint32_t size_ = 0;
  uint32_t free_ = kNone;  // list through Mapping::next_alike
  HashSeed seed_;
  TableArray<Mapping> mappings_;
  FlowIndex index_;  // the internal side leads to a chain through next_alike
};

}  // namespace postern
