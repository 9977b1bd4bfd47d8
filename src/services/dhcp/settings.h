// SPDX-License-Identifier: BSD-3-Clause
// What the DHCP server is told to do, resolved to numbers: scopes, reservations, classes, options.
// The control part makes it of the configuration; here everything is taken as valid.
//
// A client gets each option, and each of lease time and boot file, from the most special layer that
// says it: defaults < scope < class < reservation. Classes apply in the order listed, later ones
// over earlier ones. Below all stands what the gateway serves by itself. Plain values. Thread:
// control.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"

namespace postern::dhcp {

// The number of an interface, as its owner counts them.
using LinkId = uint16_t;
constexpr LinkId kNoLink = 0xFFFF;

constexpr uint32_t kForever = 0xFFFFFFFF;  // a lease time without end (RFC 2131 section 3.3)

struct Option {
  uint8_t code = 0;
  std::vector<uint8_t> value;
  bool operator==(const Option&) const = default;
};

// One layer; what is empty is left to the layer below.
struct Profile {
  std::vector<Option> options;  // at most one a code
  std::optional<uint32_t> lease_s;
  std::string boot_file;
  std::string boot_server_name;
  Ipv4Address boot_server;  // siaddr
  bool operator==(const Profile&) const = default;
};

// A client belongs to a class when each field that is not empty holds.
struct ClientClass {
  std::string name;
  std::string vendor_class;             // begins option 60
  std::string user_class;               // is in option 77
  std::vector<uint16_t> architectures;  // option 93 (RFC 4578)
  std::vector<uint8_t> mac_prefix;      // first bytes of the hardware address
  std::string circuit_id;               // of the relay (RFC 3046), whole
  std::string remote_id;
  Profile profile;
  bool operator==(const ClientClass&) const = default;
};

// Exactly one of mac, client_id, host_name says who it is for.
struct Reservation {
  std::string name;  // given to the client as its host name, and to the DNS part
  std::optional<MacAddress> mac;
  std::vector<uint8_t> client_id;
  std::string host_name;  // in small letters
  Ipv4Address address;
  Profile profile;
  bool operator==(const Reservation&) const = default;
};

enum class Bootp : uint8_t { off, reservations, pool };

struct Scope {
  std::string name;
  LinkId link = kNoLink;  // kNoLink: its clients come by a relay alone
  Prefix subnet;
  Ipv4Address server;  // our address in the subnet; unspecified where clients come by a relay
  std::vector<AddressRange> ranges;  // given out, in this order
  std::vector<AddressRange> excluded;
  std::vector<Reservation> reservations;
  Profile profile;
  Profile gateway;  // what the gateway itself serves there; below all other layers
  Bootp bootp = Bootp::reservations;
  bool probe = true;          // ask by ARP before an offer, behind a relay by ICMP echo
  bool authoritative = true;  // NAK what is not known
  // Who may relay: the addresses that its messages may come from.
  std::vector<Prefix> relays;
  LinkId relay_link = kNoLink;  // by which those of a scope without a link come
  bool operator==(const Scope&) const = default;
};

struct Settings {
  std::vector<Scope> scopes;
  std::vector<ClientClass> classes;
  Profile defaults;
  std::vector<Ipv4Address> own_addresses;  // what clients may name as the server
  uint32_t lease_s = 12 * 3600;            // where no layer says
  uint32_t quarantine_s = 600;             // of an address that is in use by somebody else
  uint32_t messages_per_second = 20;       // of one client; 0: no limit
  bool operator==(const Settings&) const = default;
};

}  // namespace postern::dhcp
