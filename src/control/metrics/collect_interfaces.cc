// SPDX-License-Identifier: BSD-3-Clause
// Interfaces as metrics.
#include <vector>

#include "control/compile/policy_text.h"
#include "control/gateway.h"
#include "control/metrics/collect.h"

namespace postern::metrics {
namespace {

struct Row {
  InterfaceId id = kNoInterface;
  std::string name;
  PortFacts port;
  DriverStatistics driver;
};

std::vector<Row> rows_of(Gateway& gateway) {
  std::vector<Row> rows;
  const auto& interfaces = gateway.publisher().current()->interfaces;
  for (size_t i = 0; i < interfaces.size(); ++i) {
    const auto id = static_cast<InterfaceId>(i);
    if (!interfaces[i].exists || !gateway.dataplane().has_port(id)) continue;
    rows.push_back({id, interfaces[i].name, gateway.dataplane().port(id),
                    gateway.dataplane().driver_statistics(id)});
  }
  return rows;
}

struct Counted {
  std::string_view name;
  std::string_view help;
  Counter InterfaceCounters::*counter;
};
constexpr Counted kCounted[] = {
    {"postern_interface_receive_packets", "frames from the wire", &InterfaceCounters::rx_packets},
    {"postern_interface_receive_bytes", "bytes of these frames", &InterfaceCounters::rx_bytes},
    {"postern_interface_transmit_packets", "frames to the wire", &InterfaceCounters::tx_packets},
    {"postern_interface_transmit_bytes", "bytes of these frames", &InterfaceCounters::tx_bytes},
    {"postern_interface_receive_dropped_packets", "frames from this interface that did not cross",
     &InterfaceCounters::rx_drops},
    {"postern_interface_transmit_dropped_packets", "frames that should have left by this interface",
     &InterfaceCounters::tx_drops},
    {"postern_interface_host_receive_packets", "packets of the gateway itself, from its kernel",
     &InterfaceCounters::host_rx_packets},
    {"postern_interface_host_transmit_packets", "packets to the gateway itself, to its kernel",
     &InterfaceCounters::host_tx_packets},
};

struct OfDriver {
  std::string_view name;
  std::string_view help;
  uint64_t DriverStatistics::*value;
};
constexpr OfDriver kOfDriver[] = {
    {"postern_interface_receive_missed_packets", "frames that the device had no room for",
     &DriverStatistics::rx_missed},
    {"postern_interface_receive_no_buffer_packets", "frames that no packet buffer was free for",
     &DriverStatistics::rx_no_buffer},
    {"postern_interface_receive_errors", "frames that the device found wrong",
     &DriverStatistics::rx_errors},
    {"postern_interface_transmit_errors", "frames that the device could not send",
     &DriverStatistics::tx_errors},
};

void collect_facts(Gateway& gateway, const std::vector<Row>& rows, Exposition& out) {
  const Policy& policy = *gateway.publisher().current();
  out.family("postern_interface", Kind::info, "what an interface is");
  for (const Row& row : rows) {
    out.fact({{"interface", row.name},
              {"zone", to_word(policy.interfaces[row.id].zone)},
              {"port", row.port.device},
              {"driver", row.port.driver},
              {"host_device", row.port.host_device},
              {"spread", to_word(row.port.spread)}});
  }
  out.family("postern_interface_up", Kind::gauge, "1: the link is up");
  for (const Row& row : rows)
    out.sample({{"interface", row.name}}, uint64_t{row.port.link_up});
  out.family("postern_interface_mtu_bytes", Kind::gauge, "largest IP packet");
  for (const Row& row : rows)
    out.sample({{"interface", row.name}}, uint64_t{policy.interfaces[row.id].mtu});
  out.family("postern_interface_speed_bytes_per_second", Kind::gauge, "of the link; 0: unknown");
  for (const Row& row : rows)
    out.sample({{"interface", row.name}}, uint64_t{row.port.link_mbps} * 125'000);
}

}  // namespace

void collect_interfaces(Gateway& gateway, Exposition& out) {
  const std::vector<Row> rows = rows_of(gateway);
  collect_facts(gateway, rows, out);
  for (const Counted& counted : kCounted) {
    out.family(counted.name, Kind::counter, counted.help);
    for (const Row& row : rows) {
      uint64_t sum = 0;
      for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
        const auto& interfaces = gateway.dataplane().counters(worker).interfaces;
        sum += (interfaces[row.id].*counted.counter).read();
      }
      out.sample({{"interface", row.name}}, sum);
    }
  }
  for (const OfDriver& counted : kOfDriver) {
    out.family(counted.name, Kind::counter, counted.help);
    for (const Row& row : rows)
      out.sample({{"interface", row.name}}, row.driver.*counted.value);
  }
}

}  // namespace postern::metrics
