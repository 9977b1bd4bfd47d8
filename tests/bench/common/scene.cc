// SPDX-License-Identifier: BSD-3-Clause
#include "bench/common/scene.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace postern::bench {
namespace {

constexpr uint32_t kSessionsMin = 1024;  // what the configuration allows at least
constexpr uint32_t kSessionsPerAddress = 32768;

// One rule that the scene's traffic does not match, though it shares an address, a port or the
// protocol with it. Empty or zero: any.
struct Miss {
  std::string from, to;
  const char* protocol = "udp";
  unsigned first_port = 0, last_port = 0;
  bool permit = true;
};

// A fixed sequence of numbers without a pattern (splitmix64).
uint64_t scrambled(uint64_t n) {
  n += 0x9E3779B97F4A7C15;
  n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9;
  n = (n ^ (n >> 27)) * 0x94D049BB133111EB;
  return n ^ (n >> 31);
}

std::string dotted(unsigned a, unsigned b, unsigned c, unsigned d) {
  return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c) + "." +
         std::to_string(d);
}

Miss miss(unsigned number) {
  const uint64_t mixed = scrambled(number);
  const unsigned x = mixed & 255, y = mixed >> 8 & 255, z = mixed >> 16 & 255;
  const unsigned port = 1000 + number % 30000;
  const bool permit = (mixed >> 24 & 3) != 0;
  switch (number % 5) {
    case 0:  // our hosts and remotes, another service
      return {"10.0." + std::to_string(y) + ".0/24", "198.18.0.0/15", "udp", port, port, permit};
    case 1:  // our remotes and service, other hosts
      return {"172.16." + std::to_string(x) + ".0/24", "198.18.0.0/15", "udp", 443, 443, permit};
    case 2:  // our service and remotes, the other protocol
      return {"", dotted(198, 18, x & 15, y), "tcp", 443, 443, permit};
    case 3:  // our hosts, some of our remotes, a range of ports
      return {"10.0.0.0/8", "198.18." + std::to_string(x & 15) + ".0/24", "udp", port, port + 9,
              permit};
    default:  // one host to one server elsewhere, our service
      return {dotted(10, 0, x, y), dotted(198, 51, 100, z), "udp", 443, 443, permit};
  }
}

std::string ports_text(const Miss& rule) {
  std::string text = std::to_string(rule.first_port);
  return rule.last_port == rule.first_port ? text : text + "-" + std::to_string(rule.last_port);
}

void append_rules(std::string& text, unsigned rules) {
  text += "  rules:\n";
  for (unsigned i = 0; i + 1 < rules; ++i) {
    const Miss rule = miss(i);
    text += "    - { name: r" + std::to_string(i);
    if (!rule.from.empty()) text += ", from: " + rule.from;
    text += ", to: " + rule.to + ", service: " + rule.protocol + "/" + ports_text(rule);
    text += std::string(", action: ") + (rule.permit ? "permit" : "drop") + " }\n";
  }
  text += "    - { name: from-inside, in: lan, action: permit }\n";
}

std::string quoted_mac(const MacAddress& mac) {
  return "\"" + to_text(mac) + "\"";
}

void append_interface(std::string& text, const char* name, const std::string& port) {
  const bool is_wan = name[0] == 'w';
  text += std::string("  ") + name + ": { port: \"" + port + "\", zone: ";
  text += is_wan ? "external" : "internal";
  text += ", address: " + to_text(is_wan ? kWanAddress : kLanAddress) + "/24";
  text += ", mac: " + quoted_mac(is_wan ? kWanMac : kLanMac);
  text += ", neighbors: { " + to_text(is_wan ? kWanRouter : kLanRouter) + ": " +
          quoted_mac(is_wan ? kWanRouterMac : kLanRouterMac) + " } }\n";
}

}  // namespace

uint32_t pool_size(uint32_t sessions) {
  return std::bit_ceil(std::max(1u, (sessions + kSessionsPerAddress - 1) / kSessionsPerAddress));
}

uint32_t table_size(uint32_t sessions) {
  return std::max(kSessionsMin, sessions + sessions / 8);
}

std::string postern_config(const Scene& scene) {
  const std::string table = std::to_string(table_size(scene.sessions));
  const uint32_t hosts = scene.sessions / 32 + 2 * kRemotes;
  std::string text = "version: 1\nsystem:\n  name: bench\n  workers: { count: 1, idle: poll";
  if (scene.core >= 0) text += ", cores: [" + std::to_string(scene.core) + "]";
  text += " }\n";
  if (scene.memory_mib > 0) {
    text += "  memory: { hugepages: required, mib: " + std::to_string(scene.memory_mib) + " }\n";
    // memif without copies needs to pass the packet memory on.
    text += "  eal_args: [\"--single-file-segments\"]\n";
  }
  text += "  limits: { sessions: " + table + ", mappings: " + table +
          ", hosts: " + std::to_string(hosts) + ", sessions_from_host: 0 }\n";
  text += "interfaces:\n";
  append_interface(text, "wan", scene.wan_port);
  append_interface(text, "lan", scene.lan_port);
  text += "routes:\n  - { to: default, via: " + to_text(kWanRouter) + " }\n";
  text += "  - { to: 10.0.0.0/8, via: " + to_text(kLanRouter) + " }\n";
  const unsigned length = 32 - static_cast<unsigned>(std::countr_zero(pool_size(scene.sessions)));
  text += "nat:\n  source:\n    - { name: hide, out: wan, action: pool, pool: " + to_text(kPool) +
          "/" + std::to_string(length) + " }\n";
  text += std::string("filter:\n  log_default: ") + (scene.log_default ? "true" : "false") + "\n";
  append_rules(text, scene.rules);
  return text;
}

std::string nftables_rules(unsigned rules) {
  std::string text;
  for (unsigned i = 0; i + 1 < rules; ++i) {
    const Miss rule = miss(i);
    if (!rule.from.empty()) text += "ip saddr " + rule.from + " ";
    text += "ip daddr " + rule.to + " " + rule.protocol + " dport " + ports_text(rule);
    text += rule.permit ? " accept\n" : " drop\n";
  }
  return text + "iifname \"lan\" accept\n";
}

}  // namespace postern::bench
