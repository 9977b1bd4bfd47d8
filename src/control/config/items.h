// SPDX-License-Identifier: BSD-3-Clause
// The text grammar of names and of address, service and time literals. Pure functions of the text;
// whether a name exists is for resolve.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/config/resolve.h"

namespace postern::config {

constexpr size_t kNameMax = 63;           // as a DNS label: fits a log line and a table column
constexpr size_t kInterfaceNameMax = 11;  // "gw-" + name + NUL is within IFNAMSIZ

// A letter, then letters, digits, '-' and '_'; at most kNameMax bytes.
bool is_name(std::string_view text);
// A small letter, then small letters, digits, '-' and '_'; at most kInterfaceNameMax bytes.
bool is_interface_name(std::string_view text);

// Words of the grammar that no object may be called.
bool is_address_keyword(std::string_view text);
bool is_service_keyword(std::string_view text);
bool is_time_keyword(std::string_view text);

// Each reads one literal; the error says what is wrong with it. An item that is_name() and no
// keyword is not a literal but the name of an object.
Result<AddressRange> parse_address_literal(std::string_view text);
Result<std::vector<ServiceMatch>> parse_service_literal(std::string_view text);
Result<std::vector<WeekInterval>> parse_time_literal(std::string_view text);

// Labels of letters, digits, hyphens and underscores; the last dot may be there. RFC 1035 2.3.4.
bool is_domain_name(std::string_view text);
// The port is 53 where it is not said, and 853 for TLS.
struct DnsServer {
  Ipv4Address address;
  uint16_t port = 53;
  std::string tls;  // DNS over TLS: a name, pins of keys, or both, with commas; empty: plain
};
// "192.0.2.53", "192.0.2.53:5353", "192.0.2.53#dns.example", "192.0.2.53#sha256/BASE64".
std::optional<DnsServer> parse_dns_server(std::string_view text);

// "80", "80-90", ">1023", "<1024".
std::optional<PortRange> parse_ports(std::string_view text);
// Decimal without sign or leading zeros, at most `max`.
std::optional<uint32_t> parse_number(std::string_view text, uint32_t max);

}  // namespace postern::config
