// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain/packet_words.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace postern {
namespace {

Policy two_ports() {
  Policy policy;
  policy.interfaces.resize(3);
  const char* const names[] = {"wan", "old", "lan"};
  for (size_t i = 0; i < 3; ++i) {
    policy.interfaces[i].name = names[i];
    policy.interfaces[i].exists = i != 1;
  }
  return policy;
}

PacketWords https() {
  PacketWords words;
  words.in = "lan";
  words.src = "192.168.1.10";
  words.dst = "198.51.100.7:443";
  words.proto = "tcp";
  return words;
}

}  // namespace

TEST_CASE("explain/packet_words: what is left out has a sensible meaning", "[C04]") {
  auto packet = parse_packet(https(), two_ports());
  REQUIRE(packet);
  CHECK(packet->in == 2);
  CHECK(to_text(*packet) == "tcp 192.168.1.10:50000 -> 198.51.100.7:443 syn");
  PacketWords ping;
  ping.in = "gateway";
  ping.src = "203.0.113.1";
  ping.dst = "198.51.100.7";
  ping.proto = "icmp";
  packet = parse_packet(ping, two_ports());
  REQUIRE(packet);
  CHECK(packet->in == kGateway);
  CHECK(to_text(*packet) == "icmp 203.0.113.1 -> 198.51.100.7 type 8 code 0");
}

TEST_CASE("explain/packet_words: ports stand with the address or apart", "[C04]") {
  PacketWords words = https();
  words.dst = "198.51.100.7";
  words.dport = "53";
  words.sport = "5000";
  words.proto = "udp";
  auto packet = parse_packet(words, two_ports());
  REQUIRE(packet);
  CHECK(to_text(*packet) == "udp 192.168.1.10:5000 -> 198.51.100.7:53");
}

TEST_CASE("explain/packet_words: protocols, ICMP types and flags go by name or number", "[C04]") {
  struct Row {
    const char* proto;
    const char* icmp;
    const char* flags;
    const char* text;
  };
  auto row =
      GENERATE(Row{"esp", "", "", "esp 192.0.2.1 -> 192.0.2.2"},
               Row{"50", "", "", "esp 192.0.2.1 -> 192.0.2.2"},
               Row{"99", "", "", "ip/99 192.0.2.1 -> 192.0.2.2"},
               Row{"icmp", "echo-reply", "", "icmp 192.0.2.1 -> 192.0.2.2 type 0 code 0"},
               Row{"icmp", "3/4", "", "icmp 192.0.2.1 -> 192.0.2.2 type 3 code 4"},
               Row{"1", "11", "", "icmp 192.0.2.1 -> 192.0.2.2 type 11 code 0"},
               Row{"6", "", "syn,ack", "tcp 192.0.2.1:50000 -> 192.0.2.2:80 syn,ack"},
               Row{"tcp", "", "fin+psh+urg", "tcp 192.0.2.1:50000 -> 192.0.2.2:80 fin,psh,urg"},
               Row{"tcp", "", "none", "tcp 192.0.2.1:50000 -> 192.0.2.2:80 none"});
  PacketWords words;
  words.in = "wan";
  words.src = "192.0.2.1";
  words.dst = "192.0.2.2";
  words.proto = row.proto;
  words.icmp = row.icmp;
  words.tcp_flags = row.flags;
  if (std::string(row.text).starts_with("tcp")) words.dport = "80";
  auto packet = parse_packet(words, two_ports());
  REQUIRE(packet);
  CHECK(to_text(*packet) == row.text);
}

TEST_CASE("explain/packet_words: each mistake is told with its option", "[C04]") {
  struct Row {
    std::string PacketWords::*word;
    const char* value;
    const char* error;
  };
  auto row = GENERATE(
      Row{&PacketWords::in, "", "--in: is missing; one of wan, lan, gateway"},
      Row{&PacketWords::in, "old", "--in: no interface 'old'; one of wan, lan, gateway"},
      Row{&PacketWords::src, "", "--src: is missing; an address or address:port"},
      Row{&PacketWords::src, "lan", "--src: 'lan' is no IPv4 address nor address:port"},
      Row{&PacketWords::dst, "192.0.2.1:0", "--dst: '0' is no port from 1 to 65535"},
      Row{&PacketWords::dst, "192.0.2.1:", "--dst: '' is no port from 1 to 65535"},
      Row{&PacketWords::dst, "192.0.2.1", "--dst: tcp needs a port: 192.0.2.1:443"},
      Row{&PacketWords::dport, "80", "--dport: the port stands in --dst already"},
      Row{&PacketWords::sport, "70000", "--sport: '70000' is no port from 1 to 65535"},
      Row{&PacketWords::proto, "", "--proto: is missing; tcp, udp, icmp, a name or a number"},
      Row{&PacketWords::proto, "tcp/80",
          "--proto: 'tcp/80' is no protocol; tcp, udp, icmp, esp or 0-255"},
      Row{&PacketWords::proto, "256",
          "--proto: '256' is no protocol; tcp, udp, icmp, esp or 0-255"},
      Row{&PacketWords::proto, "esp", "--dst: esp has no ports"},
      Row{&PacketWords::icmp, "8", "--icmp: only with --proto icmp"},
      Row{&PacketWords::tcp_flags, "syn,foo",
          "--tcp-flags: 'foo' is none of fin,syn,rst,psh,ack,urg"});
  PacketWords words = https();
  words.*row.word = row.value;
  auto packet = parse_packet(words, two_ports());
  REQUIRE_FALSE(packet);
  CHECK(packet.error().text == row.error);
}

TEST_CASE("explain/packet_words: words survive the way over the socket", "[C04]") {
  PacketWords words = https();
  words.tcp_flags = "ack";
  ExplainJson request = {{"command", "explain"}};
  add_words(request, words);
  CHECK(request.dump() ==
        R"({"command":"explain","in":"lan","src":"192.168.1.10","dst":"198.51.100.7:443",)"
        R"("proto":"tcp","tcp_flags":"ack"})");
  auto back = words_of(request);
  REQUIRE(back);
  CHECK(back->dst == words.dst);
  CHECK(back->tcp_flags == "ack");
  CHECK(back->icmp.empty());
  request["src"] = 7;
  CHECK_FALSE(words_of(request));
}

}  // namespace postern
