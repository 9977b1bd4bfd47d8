// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dhcp_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/config/dhcp_subnet.h"
#include "control/services/whole_seconds.h"

namespace postern {
namespace {

dhcp::Profile lowered(const config::DhcpProfile& source) {
  dhcp::Profile profile;
  for (const config::DhcpOption& option : source.options)
    profile.options.push_back({option.code, option.value});
  if (source.lease_time) profile.lease_s = whole_seconds(*source.lease_time);
  profile.boot_file = source.boot_file;
  profile.boot_server_name = source.boot_server_name;
  profile.boot_server = source.boot_server.value_or(Ipv4Address());
  return profile;
}

std::vector<uint8_t> bytes_of(Ipv4Address address) {
  return {static_cast<uint8_t>(address.number >> 24), static_cast<uint8_t>(address.number >> 16),
          static_cast<uint8_t>(address.number >> 8), static_cast<uint8_t>(address.number)};
}

// The lowest layer: the gateway is the router, and whatever else it serves.
dhcp::Profile gateway_profile(Ipv4Address own, const Prefix& subnet,
                              const ServedByGateway& served) {
  dhcp::Profile profile;
  profile.options.push_back({dhcp::option::routers, bytes_of(own)});
  if (subnet.length < 31) {
    profile.options.push_back({dhcp::option::broadcast_address, bytes_of(subnet.last())});
  }
  if (std::ranges::find(served.dns, own) != served.dns.end()) {
    profile.options.push_back({dhcp::option::dns_servers, bytes_of(own)});
  }
  if (!served.domain.empty()) {
    profile.options.push_back(
        {dhcp::option::domain_name, {served.domain.begin(), served.domain.end()}});
  }
  for (const io::ListenAddress& at : served.pac) {
    if (at.address != own) continue;
    const std::string url = fmt::format("http://{}:{}/wpad.dat", to_text(own), at.port);
    profile.options.push_back({dhcp::option::wpad_url, {url.begin(), url.end()}});
  }
  return profile;
}

dhcp::ClientClass lowered(const config::DhcpClass& source) {
  return {source.name,       source.vendor_class, source.user_class, source.architectures,
          source.mac_prefix, source.circuit_id,   source.remote_id,  lowered(source.profile)};
}

// Whose messages a scope believes to be relayed. Nobody listed: whoever is in its network, which
// could ask for itself as well, and where that lies behind a router, the router by its address on
// our link. Nobody else: neither hosts of other links nor of other networks behind that router.
std::vector<Prefix> relays_of(const config::DhcpScope& source, const Prefix& subnet,
                              const config::Model& model) {
  std::vector<Prefix> relays;
  for (Ipv4Address listed : source.relays)
    relays.push_back({listed, 32});
  if (!relays.empty()) return relays;
  relays.push_back(subnet);
  const config::Route* way = config::relay_route_of(source, model);
  if (source.interface.empty() && way != nullptr) relays.push_back({way->via, 32});
  return relays;
}

dhcp::Scope lowered(const config::DhcpScope& source, const config::Model& model,
                    const ServedByGateway& served) {
  const config::Interface* interface = config::server_interface_of(source, model);
  dhcp::Scope scope;
  scope.name = config::name_of(source);
  scope.subnet = config::subnet_of(source, interface).value_or(Prefix{});
  scope.ranges = source.ranges;
  scope.excluded = source.excluded;
  for (const config::DhcpReservation& r : source.reservations) {
    scope.reservations.push_back(
        {r.name, r.mac, r.client_id, r.host_name, r.address, lowered(r.profile)});
  }
  scope.profile = lowered(source.profile);
  scope.bootp = static_cast<dhcp::Bootp>(source.bootp);
  scope.probe = source.probe;
  scope.authoritative = source.authoritative;
  scope.relays = relays_of(source, scope.subnet, model);
  if (interface == nullptr) return scope;
  auto link = static_cast<dhcp::LinkId>(interface - model.interfaces.data());
  if (source.interface.empty()) {
    scope.relay_link = link;
    return scope;
  }
  scope.link = link;
  for (const Prefix& own : interface->addresses) {
    if (!scope.subnet.contains(own.address) || !scope.server.is_unspecified()) continue;
    scope.server = own.address;
    scope.gateway = gateway_profile(own.address, scope.subnet, served);
  }
  return scope;
}

}  // namespace

dhcp::Settings dhcp_settings(const config::Model& model, const ServedByGateway& served) {
  dhcp::Settings settings;
  for (const config::Interface& interface : model.interfaces) {
    for (const Prefix& own : interface.addresses)
      settings.own_addresses.push_back(own.address);
  }
  if (!model.services.dhcp) return settings;
  const config::Dhcp& source = *model.services.dhcp;
  settings.defaults = lowered(source.defaults);
  settings.quarantine_s = whole_seconds(source.quarantine);
  settings.messages_per_second = source.messages_per_second;
  for (const config::DhcpClass& item : source.classes)
    settings.classes.push_back(lowered(item));
  for (const config::DhcpScope& scope : source.scopes) {
    if (config::server_interface_of(scope, model) == nullptr) continue;  // the interface is off
    settings.scopes.push_back(lowered(scope, model, served));
  }
  return settings;
}

std::vector<dhcp::ServerLink> dhcp_links(const config::Model& model, const Policy& policy,
                                         const std::function<std::string(InterfaceId)>& device_of) {
  std::vector<dhcp::ServerLink> links;
  if (!model.services.dhcp) return links;
  for (const config::DhcpScope& scope : model.services.dhcp->scopes) {
    const config::Interface* interface = config::server_interface_of(scope, model);
    if (interface == nullptr) continue;
    auto id = static_cast<InterfaceId>(interface - model.interfaces.data());
    bool is_there = std::any_of(links.begin(), links.end(),
                                [&](const dhcp::ServerLink& link) { return link.id == id; });
    const PolicyInterface& compiled = policy.interfaces[id];
    std::string device = device_of(id);
    if (is_there || device.empty() || compiled.addresses.empty()) continue;
    links.push_back(
        {id, interface->name, device, compiled.mac, compiled.addresses.front().address});
  }
  return links;
}

}  // namespace postern
