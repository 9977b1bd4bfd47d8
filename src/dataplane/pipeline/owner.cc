// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/owner.h"

#include "dataplane/nat/port_pool.h"

namespace postern {
namespace {

// Spreads neighbouring addresses over all workers. Not keyed: who owns a flow is no secret.
uint32_t spread(uint32_t value) {
  value ^= value >> 16;
  value *= 0x7FEB352Du;
  value ^= value >> 15;
  value *= 0x846CA68Bu;
  return value ^ value >> 16;
}

WorkerId worker_of(uint32_t hash, unsigned workers) {
  return static_cast<WorkerId>(uint64_t{hash} * workers >> 32);
}

uint32_t spread(be32 address) {
  return spread(address.raw());
}

bool leads_outside(const Policy& policy, Ipv4Address address) {
  const Route* route = policy.routes.find(address);
  return route == nullptr || (route->interface < policy.interfaces.size() &&
                              policy.interfaces[route->interface].zone == Zone::external);
}

// Packets to the gateway itself: its reply goes by the port where its address is an external one.
WorkerId owner_at_gateway(const Policy& policy, Endpoint own, be32 other) {
  bool shares_ports = policy.nat.find_external_address(own.address) != nullptr;
  return shares_ports ? slice_of(own.port, policy.workers)
                      : worker_of(spread(other), policy.workers);
}

WorkerId owner_of_external(const Policy& policy, const FlowKey& key, bool from_inside) {
  const unsigned workers = policy.workers;
  const uint16_t port = key.destination_port.value();
  Ipv4Address destination(key.destination);
  if (!has_identifier(key.protocol)) return worker_of(spread(key.source), workers);
  const auto* mapping = policy.nat.find_destination(key.protocol, destination, port);
  if (mapping != nullptr && mapping->to_gateway) {
    return owner_at_gateway(policy, mapping->internal_endpoint(port), key.source);
  }
  if (from_inside && mapping != nullptr) {
    uint32_t inside = mapping->keep_source ? spread(mapping->internal.wire()) : 0;
    return worker_of(spread(key.source) ^ inside, workers);
  }
  if (from_inside && policy.nat.hairpin && policy.nat.is_dynamic_port(port)) {
    return worker_of(spread(key.source), workers);
  }
  if (mapping != nullptr) return worker_of(spread(mapping->internal.wire()), workers);
  return slice_of(port, workers);
}

}  // namespace

WorkerId owner_of(const Policy& policy, const FlowKey& key, InterfaceId in, unsigned rounds) {
  const unsigned workers = policy.workers;
  if (workers <= 1) return 0;
  Ipv4Address source(key.source);
  Ipv4Address destination(key.destination);
  const bool from_gateway = in == kGateway;
  const bool from_outside =
      rounds > 0 || (!from_gateway && policy.interfaces[in].zone == Zone::external);
  const bool identified = has_identifier(key.protocol);

  if (from_gateway && identified && policy.nat.find_external_address(source) != nullptr) {
    return slice_of(key.source_port.value(), workers);
  }
  if (policy.nat.find_external_address(destination) != nullptr) {
    return owner_of_external(policy, key, !from_outside && !from_gateway);
  }
  if (policy.is_own_address(destination)) return worker_of(spread(key.source), workers);
  if (from_gateway) return worker_of(spread(key.destination), workers);
  const bool to_outside = leads_outside(policy, destination);
  if (from_outside == to_outside) {
    return worker_of(spread(key.source) ^ spread(key.destination), workers);
  }
  // One side is inside. Without ports the reply to an external address tells only who the remote
  // is.
  bool by_source = identified ? to_outside : from_outside;
  return worker_of(by_source ? spread(key.source) : spread(key.destination), workers);
}

WorkerId train_owner(const Policy& policy, const FlowKey& key, uint16_t identification) {
  if (policy.workers <= 1) return 0;
  uint32_t hash = spread(spread(key.source) ^ spread(key.destination) ^ identification);
  return worker_of(hash, policy.workers);
}

}  // namespace postern
