// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/owner.h"

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

// Whether a client that came in by `in` is seen by the server as it is: not on the server's own
// wire.
bool keeps_source(const Policy& policy, const ConfiguredMapping& mapping, InterfaceId in) {
  if (!mapping.keep_source) return false;
  const Route* route = policy.routes.find(mapping.internal);
  return route != nullptr && route->interface != in;
}

// `inside`: the port by which a host inside sent it; kNoInterface: it comes from elsewhere.
WorkerId owner_of_external(const Policy& policy, const FlowKey& key, InterfaceId inside) {
  const Shards& shards = policy.shards;
  const bool from_inside = inside != kNoInterface;
  const uint16_t port = key.destination_port.value();
  Ipv4Address destination(key.destination);
  // Between inside and an external address that address is all that both directions have: of a
  // hairpin, the one that the client speaks to in its first half, and the one that it speaks from
  // in the second.
  if (!has_identifier(key.protocol)) {
    return shards.worker_of(shard_of(from_inside ? key.destination : key.source));
  }
  const auto* mapping = policy.nat.find_destination(key.protocol, destination, port);
  if (mapping != nullptr && mapping->to_gateway) {
    return owner_at_gateway(policy, mapping->internal_endpoint(port), key.source);
  }
  if (from_inside && mapping != nullptr) {
    const bool kept = keeps_source(policy, *mapping, inside);
    return shards.worker_of(shard_of(key.source) ^
                            (kept ? Shards::shard_of(mapping->internal) : 0));
  }
  if (from_inside && policy.nat.hairpin && policy.nat.is_dynamic_port(port)) {
    return shards.worker_of(shard_of(key.source));
  }
  if (mapping != nullptr) return shards.owner_of(mapping->internal);
  return shards.slice_of(port);
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
  const bool identified = has_identifier(key.protocol);

  if (from_gateway && policy.nat.find_external_address(source) != nullptr) {
    if (identified) return shards.slice_of(key.source_port.value());
    // As the answers from inside, which look like those of a hairpin.
    if (!leads_outside(policy, destination)) return shards.owner_of(source);
  }
  if (policy.nat.find_external_address(destination) != nullptr) {
    return owner_of_external(policy, key, from_outside || from_gateway ? kNoInterface : in);
  }
  if (policy.is_own_address(destination)) return shards.owner_of(source);
  if (from_gateway) return shards.owner_of(destination);
  const bool to_outside = leads_outside(policy, destination);
  if (from_outside == to_outside) {
    return shards.worker_of(Shards::shard_of(source) ^ Shards::shard_of(destination));
  }
  // One side is inside. Without ports the reply to an external address tells only who the remote
  // is.
  bool by_source = identified ? to_outside : from_outside;
  return shards.owner_of(by_source ? source : destination);
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
