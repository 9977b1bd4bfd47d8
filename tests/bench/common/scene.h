// SPDX-License-Identifier: BSD-3-Clause
// The scene that every bench plays: a gateway between an inside and an outside wire, N sessions, M
// rules of which only the last one permits. Written as a configuration for Postern and as rules for
// nftables, so that all peers do the same work.
//
//   10.0.0.0/8 --- 192.168.1.2 --lan-- gateway --wan-- 192.0.2.2 --- 198.18.0.0/15 (RFC 2544)
//   hosts          their router                                      4,096 remotes, UDP port 443
//
// Flow f belongs to inside host f / 64, from a port of its own, and has a mapping of its own: as
// many mappings as sessions is the worst case. The external addresses are a pool from 203.0.113.0
// on, one for each 32,768 sessions, rounded up to a power of two.
#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"

namespace postern::bench {

struct Scene {
  uint32_t sessions = 65536;
  unsigned rules = 1000;     // the last one permits what comes from inside
  bool log_default = false;  // log what falls through the rules
  // For a daemon; the bare pipeline has no ports.
  std::string wan_port = "vdev:net_null0", lan_port = "vdev:net_null1";
  int core = -1;            // of the worker; -1: chosen by the daemon
  unsigned memory_mib = 0;  // packet buffers on hugepages; 0: the daemon's default
};

constexpr Ipv4Address kWanAddress{192, 0, 2, 1}, kWanRouter{192, 0, 2, 2};
constexpr Ipv4Address kLanAddress{192, 168, 1, 1}, kLanRouter{192, 168, 1, 2};
constexpr MacAddress kWanMac{{2, 0, 0, 0, 2, 1}}, kWanRouterMac{{2, 0, 0, 0, 2, 2}};
constexpr MacAddress kLanMac{{2, 0, 0, 0, 1, 1}}, kLanRouterMac{{2, 0, 0, 0, 1, 2}};
constexpr Ipv4Address kFirstHost{10, 0, 0, 1}, kFirstRemote{198, 18, 0, 1};
constexpr Ipv4Address kPool{203, 0, 113, 0};
constexpr uint32_t kRemotes = 4096;
constexpr uint32_t kFlowsPerHost = 64;
constexpr uint16_t kRemotePort = 443;

// External addresses that so many sessions share.
uint32_t pool_size(uint32_t sessions);
// Room in the session table: an eighth more than the sessions that live at once.
uint32_t table_size(uint32_t sessions);

// The whole configuration file.
std::string postern_config(const Scene& scene);
// The same rules as lines of an nftables chain; permitted packets meet `accept`.
std::string nftables_rules(unsigned rules);

}  // namespace postern::bench
