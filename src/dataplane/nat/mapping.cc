// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/mapping.h"

#include "base/assert.h"

namespace postern {
namespace {

// The part of `remote` that tells mappings apart (RFC 4787 section 4.1).
Endpoint remote_part(Endpoint remote, MappingBehavior behavior) {
  switch (behavior) {
    case MappingBehavior::endpoint_independent:
      return {};
    case MappingBehavior::address_dependent:
      return {remote.address, 0};
    case MappingBehavior::address_and_port_dependent:
      return remote;
  }
  return remote;
}

FlowKey internal_key(uint8_t protocol, Endpoint internal, Endpoint remote) {
  return {internal.address.wire(),
          remote.address.wire(),
          be16(internal.port),
          be16(remote.port),
          protocol,
          KeySpace::internal_endpoint,
          0};
}

FlowKey external_key(uint8_t protocol, Endpoint external) {
  return {external.address.wire(),     be32(), be16(external.port), be16(), protocol,
          KeySpace::external_endpoint, 0};
}

FlowKey internal_key(const Mapping& mapping) {
  return internal_key(mapping.protocol, mapping.internal, mapping.remote);
}

}  // namespace

MappingTable::MappingTable(uint32_t capacity, const HashSeed& seed)
    : mappings_(capacity), index_(capacity * 2, seed) {
  for (uint32_t i = capacity; i-- > 0;) {
    mappings_[i].next_alike = free_;
    free_ = i;
  }
}

// A chain has one mapping per external address that the internal endpoint uses towards the same
// remote: one, unless source rules send it out under several addresses.
uint32_t MappingTable::find_alike(uint32_t first, Ipv4Address external,
                                  MappingBehavior behavior) const {
  uint32_t index = first;
  while (index != kNone &&
         (mappings_[index].external.address != external || mappings_[index].behavior != behavior))
    index = mappings_[index].next_alike;
  return index;
}

// RFC4787-REQ1: endpoint-independent mappings are the same for every remote.
uint32_t MappingTable::find_internal(uint8_t protocol, Endpoint internal, Endpoint remote,
                                     Ipv4Address external_address, MappingBehavior behavior) const {
  FlowKey key = internal_key(protocol, internal, remote_part(remote, behavior));
  return find_alike(index_.find(key), external_address, behavior);
}

uint32_t MappingTable::find_external(uint8_t protocol, Endpoint external) const {
  return index_.find(external_key(protocol, external));
}

uint32_t MappingTable::create(const Mapping& mapping) {
  uint32_t index = free_;
  if (index == kNone) return kNone;
  Mapping added = mapping;
  added.remote = remote_part(mapping.remote, mapping.behavior);
  FlowKey key = internal_key(added);
  uint32_t first = index_.find(key);
  if (find_alike(first, added.external.address, added.behavior) != kNone) return kNone;
  // RFC4787-REQ3: an external endpoint belongs to one mapping.
  if (!index_.insert(external_key(added.protocol, added.external), index)) return kNone;
  free_ = mappings_[index].next_alike;
  added.in_use = true;
  if (first == kNone) {
    index_.insert(key, index);
    added.next_alike = kNone;
  } else {
    added.next_alike = mappings_[first].next_alike;
    mappings_[first].next_alike = index;
  }
  mappings_[index] = added;
  ++size_;
  return index;
}

void MappingTable::erase(uint32_t index) {
  Mapping& mapping = mappings_[index];
  POSTERN_DCHECK(mapping.in_use);
  FlowKey key = internal_key(mapping);
  uint32_t first = index_.find(key);
  if (first == index) {
    index_.erase(key);
    if (mapping.next_alike != kNone) index_.insert(key, mapping.next_alike);
  } else {
    uint32_t before = first;
    while (mappings_[before].next_alike != index)
      before = mappings_[before].next_alike;
    mappings_[before].next_alike = mapping.next_alike;
  }
  index_.erase(external_key(mapping.protocol, mapping.external));
  mapping.in_use = false;
  mapping.next_alike = free_;
  free_ = index;
  --size_;
}

}  // namespace postern
