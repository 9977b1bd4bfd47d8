// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/destinations.h"

#include <algorithm>

namespace postern::http {
namespace {

constexpr Prefix prefix(uint8_t a, uint8_t b, uint8_t c, uint8_t length) {
  return Prefix{Ipv4Address(a, b, c, 0), length};
}

// Where the system connects to itself.
constexpr Prefix kThisHost = prefix(0, 0, 0, 8);
constexpr Prefix kLoopback = prefix(127, 0, 0, 8);

bool has_exactly(const std::vector<AddressRange>& ranges, Ipv4Address address) {
  return std::find(ranges.begin(), ranges.end(), AddressRange{address, address}) != ranges.end();
}

bool contains(const std::vector<AddressRange>& ranges, Ipv4Address address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [address](const AddressRange& range) { return range.contains(address); });
}

bool contains(const std::vector<uint16_t>& ports, uint16_t port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

}  // namespace

std::vector<uint16_t> ports_of_other_protocols() {
  return {1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,
          42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,  110,
          111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,  389,  427,
          445,  465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,
          563,  587,  601,  636,  993,  995,  989,  990,  1719, 1720, 1723, 2049, 3659, 4045,
          5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080};
}

// A range that is permitted for what else is in it does not mean the gateway.
Barrier judge_address(const DestinationRules& rules, Ipv4Address address) {
  const bool is_own =
      kThisHost.contains(address) || kLoopback.contains(address) || contains(rules.own, address);
  if (is_own) return has_exactly(rules.allowed, address) ? Barrier::none : Barrier::own;
  if (contains(rules.allowed, address) || is_public(address)) return Barrier::none;
  return Barrier::not_public;
}

bool may_connect_port(const DestinationRules& rules, uint16_t port) {
  return contains(rules.connect_ports, port);
}

bool may_fetch_port(const DestinationRules& rules, uint16_t port) {
  return port != 0 && !contains(rules.refused_ports, port);
}

}  // namespace postern::http
