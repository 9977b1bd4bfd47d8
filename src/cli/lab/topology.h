// SPDX-License-Identifier: BSD-3-Clause
// The lab's network as data: which hosts there are, how they are wired, what addresses they have.
//
//   client  192.168.1.10 .12, 172.16.5.10 ─┐
//                                          ├─ lan (switch) ── gateway ── isp ────── internet
//   client2 192.168.1.11 ──────────────────┘             .1 │ .2     .1   198.51.100.10 (web)
//                                                           │ 203.0.113.0/24         .20, .53 (DNS)
//   dmz     10.9.0.10, 10.9.0.9 ────────────────────────────┘
//
// Every host is a network namespace, every wire a veth pair. The gateway's three devices carry no
// addresses: they are posternd's. The configuration that belongs to this is tests/lab/lab.yaml.
#pragma once

#include <span>
#include <string_view>

namespace postern::cli {

struct LabHost {
  std::string_view name;
  std::string_view is;    // one line for people
  bool forwards = false;  // the kernel there is a router
  bool serves = false;    // servers.py runs there, on all its addresses
};

struct LabEnd {
  std::string_view host;
  std::string_view device;
  std::string_view mac;
};

struct LabWire {
  LabEnd a, b;
};

struct LabAddress {
  std::string_view host;
  std::string_view device;
  std::string_view address;  // with prefix length; the first of a device is the host's own choice
};

struct LabRoute {
  std::string_view host;
  std::string_view to;
  std::string_view via;
};

// Where `postern lab sniff` listens: the end of a wire that faces the gateway.
struct LabTap {
  std::string_view name;
  std::string_view host;
  std::string_view device;
};

std::span<const LabHost> lab_hosts();
std::span<const LabWire> lab_wires();
std::span<const LabAddress> lab_addresses();
std::span<const LabRoute> lab_routes();
std::span<const LabTap> lab_taps();

// The host that is a switch: all its devices are ports of one bridge.
constexpr std::string_view kLabSwitch = "lan";
constexpr std::string_view kLabGateway = "gateway";
// Where hosts ask for names; those of the office ask the gateway, and this one where it is silent.
constexpr std::string_view kLabResolver = "198.51.100.53";
constexpr std::string_view kLabOfficeResolver = "192.168.1.1";
constexpr std::string_view kLabOffice[] = {"client", "client2"};

// nullptr when there is none of that name.
const LabHost* find_lab_host(std::string_view name);
const LabTap* find_lab_tap(std::string_view name);

}  // namespace postern::cli
