// SPDX-License-Identifier: BSD-3-Clause
// Resolution of address, service and time items of a valid Model to plain data, with nested objects
// flattened. validate.cc has refused unknown names and cycles before, so here nothing fails twice:
// an item that does not resolve is an Error naming it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/config/model.h"

namespace postern::config {

// The word that stands for all interfaces of a zone where interfaces are named.
const char* zone_word(Zone zone);
inline constexpr std::array kZones = {Zone::external, Zone::internal, Zone::dmz};
// The zone of this word; empty when it is none.
std::optional<Zone> find_zone(std::string_view word);

constexpr size_t kObjectDepthMax = 16;  // objects within objects

struct PortRange {
  uint16_t first = 0;
  uint16_t last = 65535;
  bool operator==(const PortRange&) const = default;
};

// One service as the filter sees it. Text forms: "any", "tcp", "tcp/80", "tcp/80-90", "tcp/>1023",
// "tcp/<1024", "udp/53", "tcp+udp/53", "tcp/80 from 1024-65535" (source ports), "icmp",
// "icmp/echo-request", "icmp/3", "icmp/3/4", "ip/47", "gre", "esp", "ah", "igmp", "ospf", "sctp",
// "pptp" (tcp/1723 and GRE).
struct ServiceMatch {
  bool any_protocol = false;
  uint8_t protocol = 0;        // IANA number
  PortRange destination = {};  // TCP, UDP
  PortRange source = {};
  int icmp_type = -1;  // -1: any
  int icmp_code = -1;
  bool operator==(const ServiceMatch&) const = default;
};

// Minutes of the local week in which a time object holds: [first, last), minute 0 is Monday 00:00.
struct WeekInterval {
  uint32_t first = 0;
  uint32_t last = 0;
  bool operator==(const WeekInterval&) const = default;
};

// Sorted, merged ranges. "any" gives 0.0.0.0-255.255.255.255. "gateway" is not an address item
// here: the compiler handles it.
Result<std::vector<AddressRange>> resolve_addresses(const Objects& objects,
                                                    const std::vector<std::string>& items);
Result<std::vector<ServiceMatch>> resolve_services(const Objects& objects,
                                                   const std::vector<std::string>& items);
// Sorted, merged intervals. "any" and "always" give the whole week.
Result<std::vector<WeekInterval>> resolve_times(const Objects& objects,
                                                const std::vector<std::string>& items);

// The same for many lists against the same objects: each object is looked up by binary search and
// flattened once. `objects` must outlive it and not change.
class Resolver {
 public:
  explicit Resolver(const Objects& objects);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  Result<std::vector<AddressRange>> addresses(const std::vector<std::string>& items);
  Result<std::vector<ServiceMatch>> services(const std::vector<std::string>& items);
  Result<std::vector<WeekInterval>> times(const std::vector<std::string>& items);

  // Whether `items` resolve within kMatchItemsMax; cheap, because few lists come near it.
  Result<void> check_addresses(const std::vector<std::string>& items);
  Result<void> check_services(const std::vector<std::string>& items);

 private:
  struct Kinds;
  std::unique_ptr<Kinds> kinds_;
};

}  // namespace postern::config
