// SPDX-License-Identifier: BSD-3-Clause
// services.dhcp as typed data; part of Model, see model.h. Options are bytes already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/model_mark.h"

namespace postern::config {

struct DhcpOption {
  uint8_t code = 0;
  std::vector<uint8_t> value;
  bool operator==(const DhcpOption&) const = default;
};

// What each layer may say: all clients, a scope, a class, a reservation.
struct DhcpProfile {
  std::vector<DhcpOption> options;
  std::optional<Duration> lease_time;
  std::string boot_file;
  std::string boot_server_name;
  std::optional<Ipv4Address> boot_server;
  bool operator==(const DhcpProfile&) const = default;
};

struct DhcpClass {
  std::string name;
  std::string vendor_class;
  std::string user_class;
  std::vector<uint16_t> architectures;
  std::vector<uint8_t> mac_prefix;
  std::string circuit_id;
  std::string remote_id;
  DhcpProfile profile;
  Mark mark;
  bool operator==(const DhcpClass&) const = default;
};

struct DhcpReservation {
  std::string name;
  std::optional<MacAddress> mac;
  std::vector<uint8_t> client_id;
  std::string host_name;  // in small letters
  Ipv4Address address;
  DhcpProfile profile;
  Mark mark;
  bool operator==(const DhcpReservation&) const = default;
};

enum class DhcpBootp { off, reservations, pool };

struct DhcpScope {
  std::string name;              // empty: the interface's
  std::string interface;         // empty: its clients come by a relay
  std::optional<Prefix> subnet;  // else the network of the interface's first address
  std::vector<AddressRange> ranges;
  std::vector<AddressRange> excluded;
  std::vector<Ipv4Address> relays;  // empty: those that the routes tell
  std::vector<DhcpReservation> reservations;
  DhcpProfile profile;
  DhcpBootp bootp = DhcpBootp::reservations;
  bool probe = true;
  bool authoritative = true;
  Mark mark;
  bool operator==(const DhcpScope&) const = default;
};

struct Dhcp {
  DhcpProfile defaults;
  Duration quarantine = seconds(600);
  uint32_t messages_per_second = 20;
  std::vector<DhcpClass> classes;
  std::vector<DhcpScope> scopes;
  bool operator==(const Dhcp&) const = default;
};

}  // namespace postern::config
