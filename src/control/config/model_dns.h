// SPDX-License-Identifier: BSD-3-Clause
// services.dns as typed data; see model.h for how it comes to be. Names and servers are text in
// sound form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace postern::config {

struct DnsRecord {
  std::string name;
  Ipv4Address address;
  bool operator==(const DnsRecord&) const = default;
};

struct DnsForward {
  std::vector<std::string> zones;    // domains, and networks for their reverse names
  std::vector<std::string> servers;  // as parse_dns_server() reads them
  bool operator==(const DnsForward&) const = default;
};

struct DnsBlock {
  std::vector<std::string> lists;        // files of names to block
  std::vector<std::string> allow_lists;  // files of names never to block
  std::vector<std::string> allow;        // domains never to block
  uint32_t names = 4'000'000;
  bool operator==(const DnsBlock&) const = default;
};

struct Dnssec {
  bool enabled = true;
  std::vector<std::string> anchors = {"/usr/share/dns/root.key"};  // files
  std::vector<std::string> insecure;                               // domains
  bool operator==(const Dnssec&) const = default;
};

enum class DnsStrategy { ordered, parallel };

struct DnsCache {
  uint32_t entries = 100'000;
  uint32_t mib = 64;
  Duration max_ttl = seconds(86'400);
  Duration max_negative_ttl = seconds(3'600);
  Duration stale = seconds(86'400);  // 0: nothing is told beyond its time
  bool prefetch = true;
  bool operator==(const DnsCache&) const = default;
};

struct Dns {
  bool enabled = true;
  std::vector<std::string> listen;  // interfaces; empty: those of the zones internal and dmz
  std::string domain;               // of this network; empty: none
  std::vector<std::string> hosts;   // files
  std::vector<DnsRecord> records;
  std::vector<std::string> servers;
  DnsStrategy strategy = DnsStrategy::ordered;
  std::vector<DnsForward> forward;
  DnsCache cache;
  std::string tls_ca;  // file of authorities; empty: those of the system
  DnsBlock block;
  std::optional<Dnssec> dnssec;
  Duration local_ttl = seconds(5);
  bool rebind_guard = true;
  std::vector<std::string> rebind_allow;  // domains
  uint32_t queries_per_client = 1000;     // a second; 0: no limit
  bool query_log = false;
  bool operator==(const Dns&) const = default;
};

}  // namespace postern::config
