// SPDX-License-Identifier: BSD-3-Clause
// Interfaces, neighbors and routes as JSON.
#include "control/admin/show.h"
#include "control/compile/policy_text.h"
#include "control/gateway.h"

namespace postern::admin {
namespace {

Json addresses_json(const std::vector<Prefix>& addresses) {
  Json list = Json::array();
  for (const Prefix& prefix : addresses)
    list.push_back(to_text(prefix));
  return list;
}

// Of an interface that gets its address from a DHCP server; else null.
Json dhcp_json(Gateway& gateway, const std::string& interface) {
  auto row = gateway.dhcp_clients().row(interface);
  if (!row) return Json();
  Json dhcp = {{"state", dhcp::to_word(row->state)}};
  if (row->lease == nullptr) return dhcp;
  Json servers = Json::array();
  for (Ipv4Address server : row->lease->dns_servers)
    servers.push_back(to_text(server));
  dhcp["server"] = to_text(row->lease->server);
  dhcp["lease_s"] = row->lease->lease_s;
  dhcp["ends"] = row->ends == 0 ? Json() : Json(utc_text(row->ends));
  dhcp["dns_servers"] = std::move(servers);
  return dhcp;
}

struct Traffic {
  uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
  uint64_t host_rx_packets = 0, host_tx_packets = 0, rx_drops = 0, tx_drops = 0;
};

Traffic traffic_of(Gateway& gateway, InterfaceId id) {
  Traffic sum;
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    const InterfaceCounters& c = gateway.dataplane().counters(worker).interfaces[id];
    sum.rx_packets += c.rx_packets.read();
    sum.rx_bytes += c.rx_bytes.read();
    sum.tx_packets += c.tx_packets.read();
    sum.tx_bytes += c.tx_bytes.read();
    sum.host_rx_packets += c.host_rx_packets.read();
    sum.host_tx_packets += c.host_tx_packets.read();
    sum.rx_drops += c.rx_drops.read();
    sum.tx_drops += c.tx_drops.read();
  }
  return sum;
}

Json interface_json(Gateway& gateway, InterfaceId id) {
  const PolicyInterface& interface = gateway.publisher().current()->interfaces[id];
  const config::Interface& configured = gateway.configuration().model().interfaces[id];
  PortFacts port = gateway.dataplane().port(id);
  DriverStatistics driver = gateway.dataplane().driver_statistics(id);
  Traffic traffic = traffic_of(gateway, id);
  return {{"name", interface.name},
          {"description", configured.description},
          {"zone", to_word(interface.zone)},
          {"port", port.device},
          {"driver", port.driver},
          {"host_device", port.host_device},
          {"link", port.link_up ? "up" : "down"},
          {"speed_mbps", port.link_mbps},
          {"mac", to_text(port.mac)},
          {"mtu_bytes", interface.mtu},
          {"addresses", addresses_json(interface.addresses)},
          {"dhcp", dhcp_json(gateway, interface.name)},
          {"rx_queues", port.rx_queues},
          {"tx_queues", port.tx_queues},
          {"spread", to_word(port.spread)},
          {"spread_text", port.spread_text},
          {"rx_packets", traffic.rx_packets},
          {"rx_bytes", traffic.rx_bytes},
          {"tx_packets", traffic.tx_packets},
          {"tx_bytes", traffic.tx_bytes},
          {"rx_drops", traffic.rx_drops},
          {"tx_drops", traffic.tx_drops},
          {"host_rx_packets", traffic.host_rx_packets},
          {"host_tx_packets", traffic.host_tx_packets},
          {"rx_missed", driver.rx_missed},
          {"rx_no_buffer", driver.rx_no_buffer},
          {"rx_errors", driver.rx_errors},
          {"tx_errors", driver.tx_errors}};
}

}  // namespace

Json show_interfaces(Gateway& gateway) {
  Json list = Json::array();
  const auto& interfaces = gateway.publisher().current()->interfaces;
  for (size_t i = 0; i < interfaces.size(); ++i) {
    auto id = static_cast<InterfaceId>(i);
    if (interfaces[i].exists && gateway.dataplane().has_port(id)) {
      list.push_back(interface_json(gateway, id));
    }
  }
  return {{"since", utc_text(gateway.status().started)}, {"interfaces", list}};
}

Json show_neighbors(Gateway& gateway) {
  Json list = Json::array();
  const Policy& policy = *gateway.publisher().current();
  for (const Resolver::Row& row : gateway.resolver().rows(gateway.dataplane().now())) {
    bool is_known = !row.mac.is_zero();
    bool was_confirmed =
        row.state == Resolver::State::known || row.state == Resolver::State::probing;
    list.push_back({{"address", to_text(row.address)},
                    {"interface", interface_text(row.interface, policy)},
                    {"mac", is_known ? Json(to_text(row.mac)) : Json()},
                    {"state", to_word(row.state)},
                    {"confirmed_s_ago",
                     was_confirmed ? Json(row.since_confirmed.ns / 1'000'000'000) : Json()}});
  }
  return {{"neighbors", list}};
}

Json show_routes(Gateway& gateway) {
  Json list = Json::array();
  const Policy& policy = *gateway.publisher().current();
  for (const Route& route : policy.routes.routes()) {
    bool is_own = route.interface == kGateway;
    const char* kind = is_own ? "own" : route.connected ? "connected" : "static";
    list.push_back({{"to", to_text(route.to)},
                    {"via", route.via.is_unspecified() ? Json() : Json(to_text(route.via))},
                    {"interface", interface_text(route.interface, policy)},
                    {"kind", kind}});
  }
  return {{"routes", list}};
}

}  // namespace postern::admin
