// SPDX-License-Identifier: BSD-3-Clause
// The description of the file format: every key with its type, bounds, unit, default and help.
//
// It drives the reader (which keys exist, what their values may be, see section.h), the JSON Schema
// (schema.cc), and the tests that hold conf/gateway.yaml and the model's defaults against it. The
// reader asserts that it asks for every key of a section, so a key cannot be described and ignored.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace postern::config {

enum class Type : uint8_t {
  section,            // a map with the keys of `section`
  sections,           // a list of them
  named_sections,     // a map from a name to one of them
  boolean,            // true, false
  number,             // decimal, min..max
  word,               // one of `words`, in the order of the model's enumerators
  duration,           // number and unit ms|s|m|h|d; min..max in milliseconds
  size,               // number and unit KiB|MiB|GiB|TiB; min..max in octets
  text,               // one line of at most max bytes
  name,               // of a rule, an object, a template
  system_name,        // host name label
  group_name,         // Unix group
  device_name,        // kernel network device
  eal_arg,            // argument for DPDK
  port_string,        // "pci:0000:03:00.0", "kernel:eth0", "vdev:net_memif0,role=server"
  interface_address,  // "192.168.1.1/24", host bits kept
  address,            // "192.0.2.1"
  mac,                // "02:00:00:00:00:01"
  route_to,           // "default" or a prefix
  port_number,        // 1..65535
  port_range,         // "1024-65535"
  mss_clamp,          // auto, off or a number of bytes
  sharing_guard,      // off, block or a map {trusted: [...]}
  target,             // "192.168.1.5" or "192.168.1.5:25"
  interface_ref,      // name of one interface
  interface_item,     // name of an interface or zone, or "gateway"
  address_item,       // address literal or object name
  service_item,       // service literal or object name
  time_item,          // time literal or object name
  user_item,          // "anna", "group:hr" or "any"
  domain_name,        // "office.example"
  host,               // that, or "192.0.2.1"
  dns_zone,           // domain name, or a network for its reverse names
  dns_server,         // "192.0.2.53", "192.0.2.53:5353", "192.0.2.53#dns.example"
  file_path,          // absolute
  neighbors,          // map: address -> MAC address
  address_objects,    // map: name -> address items
  service_objects,    // map: name -> service items
  time_objects,       // map: name -> time items
  address_range,      // "192.168.1.100-192.168.1.199", a prefix or one address
  subnet,             // "192.168.1.0/24", without host bits
  hex_bytes,          // "01:02:0a", or "text:..."
  dhcp_options,       // map: name or number of an option -> value or values
  template_values,    // map: parameter of the template -> value
  account_name,       // of a user or a group of users
  mail_target,        // who gets mail: "anna", "sales", "anna@b.example"
  mail_aliases,       // map: "sales" or "sales@b.example" -> targets
  mail_headers,       // map: field of a header -> pattern
  password_hash,      // "$argon2id$v=19$..."
  public_key,         // "ssh-ed25519 AAAA... comment"
};

struct SectionSpec;

struct KeySpec {
  std::string_view key;
  Type type = Type::text;
  std::string_view help;
  std::string_view words = {};  // Type::word: "sleep|poll"
  int64_t min = 0;
  int64_t max = 0;
  std::string_view unit = {};
  std::string_view fallback = {};  // the default as it is written in the file; empty: none
  bool required = false;
  bool list = false;        // a list; one element may stand without the list
  bool empty_list = false;  // the list may be empty
  const SectionSpec* section = nullptr;
  const SectionSpec* instead = nullptr;  // sections: entries with the first key of this one
  Type names = Type::interface_ref;      // named_sections: what a name looks like
};

struct SectionSpec {
  std::string_view path;  // "interfaces.*", "filter.rules[]"; for messages and tests
  std::span<const KeySpec> keys;
};

// The whole file.
extern const SectionSpec kFile;
extern const SectionSpec kSystemSection;  // keys_system.cc
extern const SectionSpec kInterfaceSection;
extern const SectionSpec kRouteSection;
extern const SectionSpec kObjectsSection;
extern const SectionSpec kAdminSection;
extern const SectionSpec kLoggingSection;   // keys_logging.cc
extern const SectionSpec kIpfixSection;     // keys_ipfix.cc
extern const SectionSpec kMetricsSection;   // keys_metrics.cc
extern const SectionSpec kRemoteSection;    // keys_remote.cc
extern const SectionSpec kServicesSection;  // keys_services.cc
extern const SectionSpec kDnsSection;       // keys_dns.cc
extern const SectionSpec kNatSection;       // keys_policy.cc
extern const SectionSpec kFilterSection;
extern const SectionSpec kRuleSection;
extern const SectionSpec kTemplateUseSection;
extern const SectionSpec kPolicyTestSection;  // keys_tests.cc
extern const SectionSpec kDhcpSection;        // keys_dhcp.cc
extern const SectionSpec kPortalSection;      // keys_portal.cc
extern const SectionSpec kHttpSection;        // keys_http.cc
extern const SectionSpec kMailSection;        // keys_mail.cc
extern const SectionSpec kUsersSection;       // keys_users.cc

// A file of conf/templates (keys_templates.cc).
extern const SectionSpec kTemplateFile;

// nullptr when `section` has no such key.
const KeySpec* find_key(const SectionSpec& section, std::string_view key);

}  // namespace postern::config
