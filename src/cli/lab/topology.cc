// SPDX-License-Identifier: BSD-3-Clause
#include "cli/lab/topology.h"

namespace postern::cli {
namespace {

constexpr LabHost kHosts[] = {
    {.name = "client", .is = "a host of the office network", .serves = true},
    {.name = "client2", .is = "another one", .serves = true},
    {.name = "lan", .is = "the switch between them and the gateway"},
    {.name = "gateway", .is = "posternd runs here"},
    {.name = "dmz", .is = "the servers that the gateway publishes", .serves = true},
    {.name = "isp", .is = "the provider's router", .forwards = true},
    {.name = "internet", .is = "two hosts and a name server outside", .serves = true},
};

constexpr LabWire kWires[] = {
    {{"client", "eth0", "02:00:00:00:01:0a"}, {"lan", "port1", "02:00:00:00:01:a1"}},
    {{"client2", "eth0", "02:00:00:00:01:0b"}, {"lan", "port2", "02:00:00:00:01:a2"}},
    {{"gateway", "lan0", "02:00:00:00:01:01"}, {"lan", "port0", "02:00:00:00:01:a0"}},
    {{"gateway", "dmz0", "02:00:00:00:09:01"}, {"dmz", "eth0", "02:00:00:00:09:0a"}},
    {{"gateway", "wan0", "02:00:00:00:71:02"}, {"isp", "wan0", "02:00:00:00:71:01"}},
    {{"isp", "net0", "02:00:00:00:64:01"}, {"internet", "eth0", "02:00:00:00:64:0a"}},
};

constexpr LabAddress kAddresses[] = {
    {"client", "eth0", "192.168.1.10/24"},    {"client", "eth0", "192.168.1.12/24"},
    {"client", "eth0", "172.16.5.10/24"},     {"client2", "eth0", "192.168.1.11/24"},
    {"dmz", "eth0", "10.9.0.10/24"},          {"dmz", "eth0", "10.9.0.9/24"},
    {"isp", "wan0", "203.0.113.1/24"},        {"isp", "net0", "198.51.100.1/24"},
    {"internet", "eth0", "198.51.100.10/24"}, {"internet", "eth0", "198.51.100.20/24"},
    {"internet", "eth0", "198.51.100.53/24"},
};

constexpr LabRoute kRoutes[] = {
    {"client", "default", "192.168.1.1"},
    {"client2", "default", "192.168.1.1"},
    {"dmz", "default", "10.9.0.1"},
    {"internet", "default", "198.51.100.1"},
};

constexpr LabTap kTaps[] = {
    {"inside", "lan", "port0"},
    {"outside", "isp", "wan0"},
    {"dmz", "dmz", "eth0"},
};

template <typename T>
const T* find_named(std::span<const T> all, std::string_view name) {
  for (const T& one : all) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

}  // namespace

std::span<const LabHost> lab_hosts() {
  return kHosts;
}
std::span<const LabWire> lab_wires() {
  return kWires;
}
std::span<const LabAddress> lab_addresses() {
  return kAddresses;
}
std::span<const LabRoute> lab_routes() {
  return kRoutes;
}
std::span<const LabTap> lab_taps() {
  return kTaps;
}

const LabHost* find_lab_host(std::string_view name) {
  return find_named(lab_hosts(), name);
}
const LabTap* find_lab_tap(std::string_view name) {
  return find_named(lab_taps(), name);
}

}  // namespace postern::cli
