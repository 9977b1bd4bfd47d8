// SPDX-License-Identifier: BSD-3-Clause
// The made-up packet of `postern explain` in the user's words, and what they mean:
//
//   --in lan --src 192.168.1.10[:5000] --dst 198.51.100.7[:443] --proto tcp|udp|icmp|esp|47|...
//   [--sport N] [--dport N] [--icmp echo-request|3/4] [--tcp-flags syn,ack] [--user anna]
//
// Left out: the source port is 50000, the TCP packet an opening one (syn), the ICMP one an echo
// request. On the administration socket the words travel as they are, by their option's name.
// Pure; thread: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/policy/policy.h"

namespace postern {

using ExplainJson = nlohmann::ordered_json;

struct PacketWords {
  std::string in;  // an interface, or "gateway" for a packet of the gateway itself
  std::string src, dst;
  std::string proto;
  std::string sport, dport;
  std::string icmp;
  std::string tcp_flags;
  std::string user;    // logged in at the source; empty: nobody
  std::string groups;  // of the user, with commas between them
};

struct MadeUpPacket {
  InterfaceId in = kNoInterface;  // kGateway: the gateway's own
  uint8_t protocol = 0;
  Endpoint source, destination;  // ports 0 without TCP or UDP; ICMP: the source's is the identifier
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  std::string user;  // logged in at the source; empty: nobody
  std::vector<std::string> groups;
};

// The Error names the option and what it may be.
Result<MadeUpPacket> parse_packet(const PacketWords& words, const Policy& policy);

// Words as members of a request, and back. Members that are absent are empty words.
void add_words(ExplainJson& request, const PacketWords& words);
Result<PacketWords> words_of(const ExplainJson& request);

// "syn,ack", "none"; empty: syn. The Error names --tcp-flags.
Result<uint8_t> parse_tcp_flags(const std::string& text);

// "tcp 192.168.1.10:5000 -> 198.51.100.7:443 syn", without the interface.
std::string to_text(const MadeUpPacket& packet);
// "192.0.2.1:80" for protocols with ports, else "192.0.2.1".
std::string endpoint_text(uint8_t protocol, Endpoint endpoint);

}  // namespace postern
