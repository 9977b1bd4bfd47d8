// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/owner.h"

#include "dataplane/pipeline/decide.h"

namespace postern {
namespace {

unsigned shard_of(be32 host) {
  return Shards::shard_of(Ipv4Address(host));
}

bool leads_outside(const Policy& policy, Ipv4Address address) {
  const Route* route = policy.routes.find(address);
  return route == nullptr || (route->interface < policy.interfaces.size() &&
                              policy.interfaces[route->interface].zone == Zone::external);
}

// Packets to the gateway itself: its reply goes by the port where its address is an external one.
WorkerId owner_at_gateway(const Policy& policy, Endpoint own, be32 other) {
  bool shares_ports = policy.nat.find_external_address(own.address) != nullptr;
  return shares_ports ? policy.shards.slice_of(own.port) : policy.shards.worker_of(shard_of(other));
}

// Neither address is one of the gateway's.
WorkerId owner_between(const Policy& policy, const FlowKey& key, bool from_outside) {
  const Shards& shards = policy.shards;
  const bool to_outside = leads_outside(policy, Ipv4Address(key.destination));
  if (from_outside == to_outside) {
    return shards.worker_of(shard_of(key.source) ^ shard_of(key.destination));
  }
  // One side is inside. Without ports the reply to an external address tells only who the remote
  // is.
  bool by_source = has_identifier(key.protocol) ? to_outside : from_outside;
  return shards.worker_of(shard_of(by_source ? key.source : key.destination));
}

// What the host of `mapping` answers to a packet of `key`.
FlowKey answer_of(const ConfiguredMapping& mapping, const FlowKey& key) {
  FlowKey answer = key.reversed();
  const Endpoint inside = mapping.internal_endpoint(key.destination_port.value());
  answer.source = inside.address.wire();
  if (has_ports(key.protocol)) answer.source_port = be16(inside.port);
  return answer;
}

// A host inside speaks to `mapping`.
WorkerId owner_from_inside(const Policy& policy, const FlowKey& key, InterfaceId in,
                           const ConfiguredMapping& mapping) {
  if (keeps_source(policy, key, in)) {
    return owner_between(policy, answer_of(mapping, key), leads_outside(policy, mapping.internal));
  }
  // Without ports the external address is all that both directions have: of a hairpin, the one that
  // the client speaks to in its first half, and the one that it speaks from in the second.
  return policy.shards.worker_of(
      shard_of(has_identifier(key.protocol) ? key.source : key.destination));
}

// `inside`: the port by which a host inside sent it; kNoInterface: it comes from elsewhere.
WorkerId owner_of_external(const Policy& policy, const FlowKey& key, InterfaceId inside,
                           const NatPolicy::ExternalAddress& external) {
  const Shards& shards = policy.shards;
  const bool from_inside = inside != kNoInterface;
  const uint16_t port = key.destination_port.value();
  const auto* mapping =
      policy.nat.find_destination(key.protocol, Ipv4Address(key.destination), port);
  if (mapping != nullptr && mapping->to_gateway && has_identifier(key.protocol)) {
    return owner_at_gateway(policy, mapping->internal_endpoint(port), key.source);
  }
  if (from_inside && inside == external.on) {
    // Seen on an inside port, from which nothing goes round to it.
    if (mapping != nullptr) {
      return owner_between(policy, answer_of(*mapping, key),
                           leads_outside(policy, mapping->internal));
    }
    if (has_identifier(key.protocol)) return shards.slice_of(port);
  } else if (from_inside && mapping != nullptr && policy.nat.hairpin) {
    return owner_from_inside(policy, key, inside, *mapping);
  }
  if (!has_identifier(key.protocol)) {
    return shards.worker_of(shard_of(from_inside ? key.destination : key.source));
  }
  if (from_inside && policy.nat.hairpin && external.dynamic && policy.nat.is_dynamic_port(port)) {
    return shards.worker_of(shard_of(key.source));
  }
  if (!from_inside && mapping != nullptr) return shards.owner_of(mapping->internal);
  return shards.slice_of(port);
}

// The second half of a hairpin, to `mapping`: where its answer comes, which looks like the first
// half of another one.
WorkerId owner_of_second_half(const Policy& policy, const FlowKey& key,
                              const ConfiguredMapping& mapping) {
  const Route* route = policy.routes.find(mapping.internal);
  if (route == nullptr) return policy.shards.owner_of(mapping.internal);
  return owner_of(policy, answer_of(mapping, key), route->interface, 0);
}

}  // namespace

WorkerId owner_of(const Policy& policy, const FlowKey& key, InterfaceId in, unsigned rounds) {
  const Shards& shards = policy.shards;
  if (shards.workers() <= 1) return 0;
  Ipv4Address source(key.source);
  Ipv4Address destination(key.destination);
  const bool from_gateway = in == kGateway;
  const bool from_outside =
      rounds > 0 || (!from_gateway && policy.interfaces[in].zone == Zone::external);

  if (from_gateway && policy.nat.find_external_address(source) != nullptr) {
    if (has_identifier(key.protocol)) return shards.slice_of(key.source_port.value());
    // As the answers from inside, which look like those of a hairpin.
    if (!leads_outside(policy, destination)) return shards.owner_of(source);
  }
  if (const auto* external = policy.nat.find_external_address(destination)) {
    const auto* mapping = rounds == 0 ? nullptr
                                      : policy.nat.find_destination(key.protocol, destination,
                                                                    key.destination_port.value());
    if (mapping != nullptr && !mapping->to_gateway) {
      return owner_of_second_half(policy, key, *mapping);
    }
    const InterfaceId inside = from_outside || from_gateway ? kNoInterface : in;
    return owner_of_external(policy, key, inside, *external);
  }
  if (policy.is_own_address(destination)) return shards.owner_of(source);
  if (from_gateway) return shards.owner_of(destination);
  return owner_between(policy, key, from_outside);
}

WorkerId train_owner(const Policy& policy, const FlowKey& key, uint16_t identification) {
  const unsigned workers = policy.shards.workers();
  if (workers <= 1) return 0;
  const uint64_t pair = uint64_t{key.source.raw()} << 32 | key.destination.raw();
  const uint64_t hash =
      multiply_mix(pair ^ 0x9E3779B97F4A7C15, identification ^ 0xD1B54A32D192ED03);
  return static_cast<WorkerId>((hash >> 32) * workers >> 32);
}

}  // namespace postern
