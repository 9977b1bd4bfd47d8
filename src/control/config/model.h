// SPDX-License-Identifier: BSD-3-Clause
// The configuration as typed data: what parse() reads out of the YAML file, with names still names.
//
// Theory of operation: parse.cc fills it and guarantees the form of every field (an address is an
// address, an enum is one of its words); validate.cc guarantees what holds between fields (names
// exist, networks do not overlap); control/compile lowers it to a Policy. Every item that a user
// may be told about later (a rule in a log line, a map in `postern explain`) carries its Mark.
//
// Plain values, no pointers; two models compare equal when they mean the same (marks apart).
// Thread: control. Bounds: the file is at most 4 MiB, lists as in base/limits.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/model_dhcp.h"
#include "control/config/model_dns.h"
#include "control/config/model_http.h"
#include "control/config/model_logging.h"
#include "control/config/model_mail.h"
#include "control/config/model_mark.h"
#include "control/config/model_metrics.h"
#include "control/config/model_portal.h"
#include "control/config/model_remote.h"
#include "control/config/model_tests.h"
#include "control/config/model_users.h"

namespace postern::config {

// --- system -------------------------------------------------------------------------------------
enum class IdleMode { sleep, poll };
enum class HugepageMode { automatic, off, required };

struct Workers {
  uint32_t count = 1;           // 1..kWorkersMax
  std::vector<uint32_t> cores;  // empty: chosen at start; else exactly `count` core numbers
  IdleMode idle = IdleMode::sleep;
  uint32_t wake_us = 20;  // how long the processor may take to wake for a worker that sleeps
  bool operator==(const Workers&) const = default;
};

struct Memory {
  HugepageMode hugepages = HugepageMode::automatic;
  uint32_t mib = 256;  // packet buffers and driver memory, MiB
  bool operator==(const Memory&) const = default;
};

struct Limits {  // all workers together; fixed at start
  uint32_t sessions = 65536;
  uint32_t mappings = 65536;
  uint32_t hosts = 16384;               // hosts whose sessions are counted
  uint32_t sessions_from_host = 16384;  // 0: no limit
  uint32_t sessions_to_host = 0;        // 0: no limit
  bool operator==(const Limits&) const = default;
};

struct Timeouts {  // RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 5508 REQ-2
  Duration udp = seconds(300);
  Duration tcp_established = seconds(7440);
  Duration tcp_transitory = seconds(240);
  Duration icmp_query = seconds(60);
  Duration other = seconds(600);
  bool operator==(const Timeouts&) const = default;
};

struct System {
  std::string name = "postern";
  Workers workers;
  Memory memory;
  Limits limits;
  Timeouts timeouts;
  std::vector<std::string> eal_args;  // the escape hatch: appended to what Postern passes to DPDK
  bool operator==(const System&) const = default;
};

// --- interfaces ---------------------------------------------------------------------------------
enum class PortKind { pci, kernel, vdev };
enum class KernelDriver { automatic, af_xdp, af_packet };
enum class Zone { external, internal, dmz };

struct Port {
  PortKind kind = PortKind::kernel;
  std::string name;  // PCI address, kernel interface, or DPDK vdev string (net_x,args)
  KernelDriver driver = KernelDriver::automatic;  // kernel ports only
  bool operator==(const Port&) const = default;
};

struct Neighbor {
  Ipv4Address address;
  MacAddress mac;
  Mark mark;
  bool operator==(const Neighbor&) const = default;
};

enum class SharingGuard { off, block, trusted };

struct Interface {
  std::string name;  // 1..11 of [a-z0-9_-], begins with a letter
  std::string description;
  bool enabled = true;
  Port port;
  Zone zone = Zone::internal;
  std::vector<Prefix> addresses;  // host bits kept; the first is its own choice of source
  bool dhcp = false;              // its address, routes and name servers come from a DHCP server
  std::optional<MacAddress> mac;  // else the port's
  uint32_t mtu = 1500;            // bytes of IP packet, kMtuMin..kMtuMax
  uint32_t mss_clamp = 0;         // TCP MSS ceiling in bytes; 0 from MTU ("auto"), 0xFFFFFFFF "off"
  std::vector<Neighbor> neighbors;       // static ARP entries
  std::vector<std::string> spoof_allow;  // address objects or literals accepted beyond the routes
  SharingGuard windows_sharing = SharingGuard::off;  // F30
  std::vector<std::string> windows_sharing_trusted;  // address items, with SharingGuard::trusted
  std::string host_device;  // kernel device of the host path; empty: "gw-" + name
  Mark mark;
  bool operator==(const Interface&) const = default;
};
constexpr uint32_t kMssClampAuto = 0;
constexpr uint32_t kMssClampOff = 0xFFFFFFFF;

// --- routes -------------------------------------------------------------------------------------
struct Route {
  Prefix to;              // default is 0.0.0.0/0
  Ipv4Address via;        // on a network of one interface
  std::string interface;  // empty: the one whose network holds `via`
  Mark mark;
  bool operator==(const Route&) const = default;
};

// --- objects ------------------------------------------------------------------------------------
// Items stay text until compiled: a literal ("192.0.2.0/24", "tcp/80") or another object's name.
struct Object {
  std::string name;
  std::vector<std::string> items;
  Mark mark;
  bool operator==(const Object&) const = default;
};

struct Objects {
  std::vector<Object> addresses;
  std::vector<Object> services;
  std::vector<Object> times;  // "mon-fri 08:00-18:00", several joined
  bool operator==(const Objects&) const = default;
};

// --- nat ----------------------------------------------------------------------------------------
enum class MappingBehavior { endpoint_independent, address_dependent, address_and_port_dependent };
enum class FilteringBehavior {
  endpoint_independent,
  address_dependent,
  address_and_port_dependent
};
enum class SourceAction { none, masquerade, pool };
enum class HairpinSource { rewrite, keep };

struct SourceNat {
  std::string name;  // empty: "source-N", N from 1
  bool enabled = true;
  std::vector<std::string> in;    // interfaces; empty: any
  std::vector<std::string> out;   // interfaces; at least one
  std::vector<std::string> from;  // address items; empty: any
  std::vector<std::string> to;    // address items; empty: any
  std::vector<std::string> service;
  SourceAction action = SourceAction::masquerade;
  std::vector<std::string> pool;  // address items, with SourceAction::pool
  std::optional<MappingBehavior> mapping;
  std::optional<FilteringBehavior> filtering;
  bool log = false;
  Mark mark;
  bool operator==(const SourceNat&) const = default;
};

struct OneToOne {
  std::string name;  // empty: "one-to-one-N"
  bool enabled = true;
  Ipv4Address external;
  Ipv4Address internal;
  std::string on;  // interface where `external` is seen
  bool log = false;
  Mark mark;
  bool operator==(const OneToOne&) const = default;
};

struct PortMap {
  std::string name;
  bool enabled = true;
  std::string on;                       // interface
  std::optional<Ipv4Address> listen;    // else every address of the interface
  std::vector<std::string> service;     // tcp and udp ports, without source ports
  Ipv4Address to;                       // inside host, or an address of the gateway itself
  std::optional<uint16_t> to_port;      // first inside port; else the same as outside
  std::vector<std::string> allow_from;  // adds the one permit rule; empty: the filter decides
  HairpinSource hairpin_source = HairpinSource::rewrite;
  bool log = false;
  Mark mark;
  bool operator==(const PortMap&) const = default;
};

struct Nat {
  MappingBehavior mapping = MappingBehavior::endpoint_independent;
  FilteringBehavior filtering = FilteringBehavior::address_and_port_dependent;
  uint16_t first_port = 1024;  // external ports for dynamic mappings
  uint16_t last_port = 65535;
  std::vector<uint16_t> reserved_ports;  // never given out (the gateway's own services)
  bool hairpin = true;
  std::vector<SourceNat> source;
  std::vector<OneToOne> one_to_one;
  std::vector<PortMap> port_maps;
  bool operator==(const Nat&) const = default;
};

// --- filter -------------------------------------------------------------------------------------
enum class Posture { normal, cut_off, open };       // F22
enum class TcpState { any, opening, established };  // F19
enum class Scope { all, forwarded, own };           // F37

struct FilterRule {
  std::string name;
  std::string description;        // F36
  bool enabled = true;            // F35
  std::vector<std::string> in;    // interfaces or zones; "gateway" for the gateway's own packets
  std::vector<std::string> out;   // interfaces or zones; "gateway" for packets to the gateway
  std::vector<std::string> from;  // address items; "gateway"; empty: any
  std::vector<std::string> to;
  std::vector<std::string> to_original;  // destination before destination NAT
  std::vector<std::string> service;
  std::vector<std::string> users;  // user items; empty: anybody, logged in or not
  TcpState tcp = TcpState::any;
  Scope scope = Scope::all;
  std::vector<std::string> when;  // time objects; empty: always
  RuleAction action = RuleAction::drop;
  bool log = false;           // F28
  bool alert = false;         // F28, beside log
  bool emergency = false;     // stays in force in posture cut_off
  std::string from_template;  // name of the template that this rule came from, else empty
  Mark mark;
  bool operator==(const FilterRule&) const = default;
};

struct Filter {
  Posture posture = Posture::normal;
  bool log_default = true;        // log what no rule matched
  std::vector<FilterRule> rules;  // templates already expanded in place
  bool operator==(const Filter&) const = default;
};

// --- admin --------------------------------------------------------------------------------------
struct AdminSocket {
  std::string group;        // may use the admin socket beside root; empty: root alone
  Role role = Role::admin;  // of its members that have no account of their own
  bool operator==(const AdminSocket&) const = default;
};

struct Admin {
  AdminSocket socket;
  std::optional<Metrics> metrics;     // empty: told to nobody
  std::optional<AdminRemote> remote;  // empty: the socket alone
  bool operator==(const Admin&) const = default;
};

// --- services -----------------------------------------------------------------------------------
struct Services {
  std::optional<Dns> dns;
  std::optional<Dhcp> dhcp;      // empty: not served
  std::optional<Portal> portal;  // empty: nobody can log in
  std::optional<Http> http;      // empty: no proxy
  std::optional<Mail> mail;      // empty: no mail service
  bool operator==(const Services&) const = default;
};

struct Model {
  System system;
  std::vector<Interface> interfaces;  // in file order; disabled ones included
  std::vector<Route> routes;
  Objects objects;
  Nat nat;
  Filter filter;
  Services services;
  Users users;
  Admin admin;
  Logging logging;
  std::vector<PolicyTest> tests;
  bool operator==(const Model&) const = default;
};

}  // namespace postern::config
