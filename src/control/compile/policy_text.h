// SPDX-License-Identifier: BSD-3-Clause
// A Policy and its parts as readable text: for golden tests, `postern show` and log lines. The text
// of equal policies is equal, byte for byte. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "dataplane/policy/policy.h"

namespace postern {

// Everything, one line an item, with an end of line behind the last one.
std::string to_text(const Policy& policy);

// The name of an interface, "gateway", or "-" for none.
std::string interface_text(InterfaceId id, const Policy& policy);
// "any", "none", or names and "gateway": "lan dmz gateway".
std::string to_text(InterfaceSet set, const Policy& policy);
// "any", "none", or ranges in their shortest form: "192.168.1.0/24 10.0.0.1-10.0.0.9".
std::string to_text(const AddressSet& set);
// As the configuration writes it: "tcp/80-90 from 1024-65535", "icmp/3/4", "ip/47".
std::string to_text(const ServiceSpec& service);
// "any" for an empty list.
std::string to_text(const std::vector<ServiceSpec>& services);
// Without name: "in lan to 192.168.1.5 service tcp/25 permit log".
std::string to_text(const Rule& rule, const Policy& policy);
std::string to_text(const SourceRule& rule, const Policy& policy);
// "tcp 203.0.113.1:25 -> 192.168.1.5:25", "203.0.113.9 <-> 192.168.1.9".
std::string to_text(const ConfiguredMapping& mapping);

const char* to_word(Zone zone);
const char* to_word(Posture posture);
const char* to_word(SourceAction action);
const char* to_word(MappingBehavior behavior);
const char* to_word(FilteringBehavior behavior);
// "tcp", "udp", "icmp", "gre", "esp", "ah", "igmp", "ospf", "sctp", else "ip/N".
std::string protocol_text(uint8_t protocol);

}  // namespace postern
