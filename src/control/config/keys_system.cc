// SPDX-License-Identifier: BSD-3-Clause
// The keys of the machine: file, system, interfaces, routes, objects, admin.
#include "base/limits.h"
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kTimeoutMaxMs = 30LL * 24 * 3600 * 1000;

constexpr KeySpec kWorkersKeys[] = {
    {.key = "count",
     .type = Type::number,
     .help = "worker threads, one core each",
     .min = 1,
     .max = kWorkersMax,
     .fallback = "1"},
    {.key = "cores",
     .type = Type::number,
     .help = "core numbers, as many as count; empty: chosen at start",
     .min = 0,
     .max = 1023,
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "idle",
     .type = Type::word,
     .help = "what a worker does when its queues stay empty: sleep saves power, poll saves latency",
     .words = "sleep|poll",
     .fallback = "sleep"},
    {.key = "wake_us",
     .type = Type::number,
     .help = "with idle: sleep, how long any core of the machine may take to leave an idle state: "
             "fewer save latency, more save power; 0: cores do not halt, at full power",
     .min = 0,
     .max = 1'000'000,
     .unit = "us",
     .fallback = "20"},
};
constexpr SectionSpec kWorkers{"system.workers", kWorkersKeys};

constexpr KeySpec kMemoryKeys[] = {
    {.key = "hugepages",
     .type = Type::word,
     .help = "auto: where reserved; off: never; required: refuse to start without",
     .words = "auto|off|required",
     .fallback = "auto"},
    {.key = "mib",
     .type = Type::number,
     .help = "packet buffers and driver memory",
     .min = 32,
     .max = 65536,
     .unit = "MiB",
     .fallback = "256"},
};
constexpr SectionSpec kMemory{"system.memory", kMemoryKeys};

constexpr int64_t kTableMax = 1LL << 26;  // 67 million sessions: 12 GiB

constexpr KeySpec kLimitsKeys[] = {
    {.key = "sessions",
     .type = Type::number,
     .help = "sessions of all workers together; 128 bytes each, 192 with a mapping of its own, "
             "allocated at start",
     .min = 1024,
     .max = kTableMax,
     .fallback = "65536"},
    {.key = "mappings",
     .type = Type::number,
     .help = "address and port translations in use",
     .min = 1024,
     .max = kTableMax,
     .fallback = "65536"},
    {.key = "hosts",
     .type = Type::number,
     .help = "hosts whose sessions are counted",
     .min = 64,
     .max = kTableMax,
     .fallback = "16384"},
    {.key = "sessions_from_host",
     .type = Type::number,
     .help = "sessions that one host may open; 0: no limit",
     .min = 0,
     .max = kTableMax,
     .fallback = "16384"},
    {.key = "sessions_to_host",
     .type = Type::number,
     .help = "sessions that one host may receive; 0: no limit",
     .min = 0,
     .max = kTableMax,
     .fallback = "0"},
};
constexpr SectionSpec kLimits{"system.limits", kLimitsKeys};

constexpr KeySpec kTimeoutsKeys[] = {
    {.key = "udp",
     .type = Type::duration,
     .help = "idle UDP session (RFC 4787: at least 2m)",
     .min = kSecondMs,
     .max = kTimeoutMaxMs,
     .fallback = "300s"},
    {.key = "tcp_established",
     .type = Type::duration,
     .help = "idle established TCP session (RFC 5382: at least 2h 4m)",
     .min = kSecondMs,
     .max = kTimeoutMaxMs,
     .fallback = "7440s"},
    {.key = "tcp_transitory",
     .type = Type::duration,
     .help = "TCP session opening or closing (RFC 5382: at least 4m)",
     .min = kSecondMs,
     .max = kTimeoutMaxMs,
     .fallback = "240s"},
    {.key = "icmp_query",
     .type = Type::duration,
     .help = "ICMP query (RFC 5508: at least 60s)",
     .min = kSecondMs,
     .max = kTimeoutMaxMs,
     .fallback = "60s"},
    {.key = "other",
     .type = Type::duration,
     .help = "other protocols: GRE, ESP, ...",
     .min = kSecondMs,
     .max = kTimeoutMaxMs,
     .fallback = "600s"},
};
constexpr SectionSpec kTimeouts{"system.timeouts", kTimeoutsKeys};

constexpr KeySpec kSystemKeys[] = {
    {.key = "name",
     .type = Type::system_name,
     .help = "name of this gateway, in logs and prompts",
     .fallback = "postern"},
    {.key = "workers",
     .type = Type::section,
     .help = "threads that forward packets",
     .section = &kWorkers},
    {.key = "memory", .type = Type::section, .help = "memory of DPDK", .section = &kMemory},
    {.key = "limits",
     .type = Type::section,
     .help = "table sizes, fixed at start",
     .section = &kLimits},
    {.key = "timeouts",
     .type = Type::section,
     .help = "how long an idle session lives",
     .section = &kTimeouts},
    {.key = "eal_args",
     .type = Type::eal_arg,
     .help = "further arguments for DPDK; rarely needed",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
};

constexpr KeySpec kTrustedKeys[] = {
    {.key = "trusted",
     .type = Type::address_item,
     .help = "addresses that may use Windows sharing over this interface",
     .required = true,
     .list = true},
};
constexpr SectionSpec kTrusted{"interfaces.*.windows_sharing", kTrustedKeys};

constexpr KeySpec kInterfaceKeys[] = {
    {.key = "description", .type = Type::text, .help = "free text", .max = 200},
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: the port is not touched",
     .fallback = "true"},
    {.key = "port",
     .type = Type::port_string,
     .help = "pci:ADDRESS, kernel:DEVICE or vdev:DPDK-DEVICE,ARGUMENTS",
     .required = true},
    {.key = "driver",
     .type = Type::word,
     .help = "how a kernel port is opened; auto: AF_XDP, else AF_PACKET",
     .words = "auto|af_xdp|af_packet",
     .fallback = "auto"},
    {.key = "zone",
     .type = Type::word,
     .help = "what is behind the port",
     .words = "external|internal|dmz",
     .required = true},
    {.key = "address",
     .type = Type::interface_address,
     .help = "addresses of the gateway with prefix length; the first is its choice as source",
     .max = kAddressesPerInterfaceMax,
     .list = true},
    {.key = "mac", .type = Type::mac, .help = "hardware address instead of the port's own"},
    {.key = "mtu",
     .type = Type::number,
     .help = "largest IP packet",
     .min = kMtuMin,
     .max = kMtuMax,
     .unit = "bytes",
     .fallback = "1500"},
    {.key = "mss_clamp",
     .type = Type::mss_clamp,
     .help = "ceiling of the TCP segment size; auto: the MTU less 40 bytes",
     .min = 64,
     .max = kMtuMax - 40,
     .unit = "bytes",
     .fallback = "auto"},
    {.key = "neighbors", .type = Type::neighbors, .help = "static ARP entries: address to MAC"},
    {.key = "spoof_allow",
     .type = Type::address_item,
     .help = "sources accepted here beyond what the routes say",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "windows_sharing",
     .type = Type::sharing_guard,
     .help = "NetBIOS and SMB over this interface: off: the filter decides; block: never; trusted: "
             "for these addresses alone",
     .words = "off|block",
     .fallback = "off",
     .section = &kTrusted},
    {.key = "host_device",
     .type = Type::device_name,
     .help = "kernel device of the gateway's own traffic; default: gw- and the interface's name"},
};

constexpr KeySpec kRouteKeys[] = {
    {.key = "to", .type = Type::route_to, .help = "default or a network", .required = true},
    {.key = "via", .type = Type::address, .help = "next hop", .required = true},
    {.key = "interface",
     .type = Type::interface_ref,
     .help = "interface of the next hop; default: the one whose network holds it"},
};

constexpr KeySpec kObjectsKeys[] = {
    {.key = "addresses",
     .type = Type::address_objects,
     .help = "named lists of addresses, ranges, networks and other lists"},
    {.key = "services",
     .type = Type::service_objects,
     .help = "named lists of protocols, ports and other lists"},
    {.key = "times", .type = Type::time_objects, .help = "named times of the week"},
};

constexpr KeySpec kSocketKeys[] = {
    {.key = "group",
     .type = Type::group_name,
     .help = "Unix group that may use the admin socket beside root; default: root alone"},
    {.key = "role",
     .type = Type::word,
     .help = "what members of the group may do that have no account of their login name in users",
     .words = "none|viewer|operator|admin",
     .fallback = "admin"},
};
constexpr SectionSpec kSocket{"admin.socket", kSocketKeys};

constexpr KeySpec kAdminKeys[] = {
    {.key = "socket", .type = Type::section, .help = "the local admin socket", .section = &kSocket},
    {.key = "remote",
     .type = Type::section,
     .help = "administration over the network; default: none",
     .section = &kRemoteSection},
    {.key = "metrics",
     .type = Type::section,
     .help = "what the gateway counts, over HTTP for Prometheus; default: not told",
     .section = &kMetricsSection},
};

constexpr KeySpec kFileKeys[] = {
    {.key = "version",
     .type = Type::number,
     .help = "version of this format",
     .min = 1,
     .max = 1,
     .required = true},
    {.key = "system", .type = Type::section, .help = "the machine", .section = &kSystemSection},
    {.key = "interfaces",
     .type = Type::named_sections,
     .help = "ports of the gateway by name",
     .max = kInterfacesMax,
     .required = true,
     .section = &kInterfaceSection},
    {.key = "routes",
     .type = Type::sections,
     .help = "static routes",
     .max = 4096,
     .section = &kRouteSection},
    {.key = "objects",
     .type = Type::section,
     .help = "named addresses, services and times",
     .section = &kObjectsSection},
    {.key = "nat", .type = Type::section, .help = "address translation", .section = &kNatSection},
    {.key = "filter",
     .type = Type::section,
     .help = "the ordered rules; nothing else passes",
     .section = &kFilterSection},
    {.key = "services",
     .type = Type::section,
     .help = "what the gateway itself does for the hosts inside",
     .section = &kServicesSection},
    {.key = "users",
     .type = Type::section,
     .help = "accounts of people, and what their passwords must be like",
     .section = &kUsersSection},
    {.key = "admin", .type = Type::section, .help = "administration", .section = &kAdminSection},
    {.key = "logging", .type = Type::section, .help = "logs", .section = &kLoggingSection},
    {.key = "tests",
     .type = Type::sections,
     .help = "packets and what must become of them; a configuration that fails one is refused",
     .max = 1000,
     .section = &kPolicyTestSection},
};

}  // namespace

const SectionSpec kFile{"", kFileKeys};
const SectionSpec kSystemSection{"system", kSystemKeys};
const SectionSpec kInterfaceSection{"interfaces.*", kInterfaceKeys};
const SectionSpec kRouteSection{"routes[]", kRouteKeys};
const SectionSpec kObjectsSection{"objects", kObjectsKeys};
const SectionSpec kAdminSection{"admin", kAdminKeys};

const KeySpec* find_key(const SectionSpec& section, std::string_view key) {
  for (const KeySpec& spec : section.keys) {
    if (spec.key == key) return &spec;
  }
  return nullptr;
}

}  // namespace postern::config
