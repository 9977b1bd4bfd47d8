// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/match.h"

#include <algorithm>

namespace postern {

bool AddressSet::contains(Ipv4Address address) const {
  if (any) return true;
  // The first range that begins above the address; the one before it is the only candidate.
  auto above = std::upper_bound(
      ranges.begin(), ranges.end(), address,
      [](Ipv4Address value, const AddressRange& range) { return value < range.first; });
  return above != ranges.begin() && address <= std::prev(above)->last;
}

bool UserSet::contains(const Identity* who) const {
  if (all) return true;
  if (who == nullptr) return false;
  if (anybody) return true;
  auto holds = [this](SubjectId subject) {
    return std::binary_search(subjects.begin(), subjects.end(), subject);
  };
  return holds(who->user) || std::any_of(who->groups.begin(), who->groups.end(), holds);
}

bool matches(const ServiceSpec& service, const FlowQuery& query) {
  if (service.any_protocol) return true;
  if (service.protocol != query.protocol) return false;
  if (has_ports(query.protocol)) {
    return service.first_destination <= query.destination_port &&
           query.destination_port <= service.last_destination &&
           service.first_source <= query.source_port && query.source_port <= service.last_source;
  }
  if (query.protocol == protocol::icmp) {
    return (service.icmp_type < 0 || service.icmp_type == query.icmp_type) &&
           (service.icmp_code < 0 || service.icmp_code == query.icmp_code);
  }
  return true;
}

bool matches_any(const std::vector<ServiceSpec>& services, const FlowQuery& query) {
  if (services.empty()) return true;
  return std::any_of(services.begin(), services.end(),
                     [&](const ServiceSpec& service) { return matches(service, query); });
}

}  // namespace postern
