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

KeySide side_of(Endpoint endpoint) {
  return {endpoint.address.wire(), be16(endpoint.port)};
}

KeyWords internal_key(uint8_t protocol, Endpoint internal, Endpoint remote) {
  return words_of(side_of(internal), side_of(remote), protocol, KeySpace::internal_endpoint);
}

KeyWords external_key(uint8_t protocol, Endpoint external) {
  return words_of(side_of(external), {}, protocol, KeySpace::external_endpoint);
}

KeyWords internal_key(const Mapping& mapping) {
  return internal_key(mapping.protocol, mapping.internal, mapping.remote);
}

KeyWords external_key(const Mapping& mapping) {
  return external_key(mapping.protocol, mapping.external);
}

}  // namespace

MappingTable::MappingTable(uint32_t capacity, const HashSeed& seed)
    : seed_(seed), mappings_(capacity), index_(capacity * 2) {
  POSTERN_ASSERT(capacity < 0x7FFFFFFF);  // the index keeps a bit for the side
  for (uint32_t i = capacity; i-- > 0;) {
    mappings_[i].next_alike = free_;
    free_ = i;
  }
}

uint32_t MappingTable::find(KeyWords key, uint64_t hash, Side side) const {
  uint32_t value = index_.find(hash, [&](uint32_t candidate) {
    const Mapping& mapping = mappings_[candidate >> 1];
    if (candidate != value_of(candidate >> 1, side)) return false;
    return (side == Side::internal ? internal_key(mapping) : external_key(mapping)) == key;
  });
  return value == kNone ? kNone : value >> 1;
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
MappingTable::Found MappingTable::look_up_internal(uint8_t protocol, Endpoint internal,
                                                   Endpoint remote, Ipv4Address external_address,
                                                   MappingBehavior behavior) const {
  const KeyWords key = internal_key(protocol, internal, remote_part(remote, behavior));
  Found found;
  found.hash = hash(key);
  found.first = find(key, found.hash, Side::internal);
  found.mapping = find_alike(found.first, external_address, behavior);
  return found;
}

uint32_t MappingTable::find_external(uint8_t protocol, Endpoint external) const {
  const KeyWords key = external_key(protocol, external);
  return find(key, hash(key), Side::external);
}

void MappingTable::look_ahead_internal(uint8_t protocol, be32 address, be16 port) const {
  index_.prefetch(hash(words_of({address, port}, {}, protocol, KeySpace::internal_endpoint)));
}

void MappingTable::look_ahead_external(uint8_t protocol, Endpoint external) const {
  index_.prefetch(hash(external_key(protocol, external)));
}

void MappingTable::look_ahead_erase(uint32_t index) const {
  index_.prefetch(hash(internal_key(mappings_[index])));
  index_.prefetch(hash(external_key(mappings_[index])));
}

uint32_t MappingTable::create(const Mapping& mapping, const Found& found) {
  uint32_t index = free_;
  if (index == kNone || found.mapping != kNone) return kNone;
  const KeyWords outside = external_key(mapping);
  const uint64_t outside_hash = hash(outside);
  // RFC4787-REQ3: an external endpoint belongs to one mapping.
  if (find(outside, outside_hash, Side::external) != kNone) return kNone;
  index_.insert(outside_hash, value_of(index, Side::external));
  Mapping& added = mappings_[index];
  free_ = added.next_alike;
  if (free_ != kNone) look_ahead(free_);  // for the next one
  added = mapping;
  added.remote = remote_part(mapping.remote, mapping.behavior);
  added.in_use = true;
  if (found.first == kNone) {
    index_.insert(found.hash, value_of(index, Side::internal));
    added.next_alike = kNone;
  } else {
    added.next_alike = mappings_[found.first].next_alike;
    mappings_[found.first].next_alike = index;
  }
  ++size_;
  return index;
}

void MappingTable::erase(uint32_t index) {
  Mapping& mapping = mappings_[index];
  POSTERN_DCHECK(mapping.in_use);
  const KeyWords inside = internal_key(mapping);
  const uint64_t inside_hash = hash(inside), outside_hash = hash(external_key(mapping));
  if (index_.erase(inside_hash, value_of(index, Side::internal))) {
    if (mapping.next_alike != kNone) {
      index_.insert(inside_hash, value_of(mapping.next_alike, Side::internal));
    }
  } else {
    uint32_t before = find(inside, inside_hash, Side::internal);
    while (mappings_[before].next_alike != index)
      before = mappings_[before].next_alike;
    mappings_[before].next_alike = mapping.next_alike;
  }
  index_.erase(outside_hash, value_of(index, Side::external));
  mapping.in_use = false;
  mapping.next_alike = free_;
  free_ = index;
  --size_;
}

}  // namespace postern
