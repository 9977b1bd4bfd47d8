// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_samples.h"

namespace postern::test {
namespace {

constexpr const char* kHost = "192.168.1.10";
constexpr const char* kServer = "198.51.100.7";
constexpr const char* kHostPort = "192.168.1.10:5000";
constexpr const char* kServerPort = "198.51.100.7:80";
constexpr const char* kOutsidePort = "203.0.113.1:1024";

}  // namespace

std::vector<Sample> samples() {
  const Frame quoted = tcp(kOutsidePort, kServerPort).payload(20).build();
  const Frame quoted_udp = udp(kOutsidePort, kServerPort).options({0x94, 4, 0, 0}).build();
  const Ipv4Address host(192, 168, 1, 10), gateway(192, 168, 1, 1);
  return {
      {"udp", udp(kHostPort, kServerPort).build()},
      {"udp-empty", udp(kHostPort, kServerPort).payload(0).build()},
      {"udp-large", udp(kHostPort, kServerPort).payload(1472).build()},
      {"udp-no-checksum", udp(kHostPort, kServerPort).without_checksum().build()},
      {"udp-options", udp(kHostPort, kServerPort).options({7, 7, 4, 0, 0, 0, 0, 0x94, 4}).build()},
      {"udp-broadcast", udp("0.0.0.0:68", "255.255.255.255:67").build()},
      {"udp-first", udp(kHostPort, kServerPort).fragment(0, true, 4008).length(1500).build()},
      {"udp-middle", udp(kHostPort, kServerPort).fragment(1480, true, 4008).length(1500).build()},
      {"udp-last", udp(kHostPort, kServerPort).fragment(2960, false, 4008).length(1068).build()},
      {"tcp-syn", tcp(kHostPort, kServerPort).syn().mss(1460).dont_fragment().build()},
      {"tcp-data", tcp(kHostPort, kServerPort).ack().payload(100).build()},
      {"tcp-fin", tcp(kHostPort, kServerPort).fin_ack().build()},
      {"tcp-rst", tcp(kHostPort, kServerPort).rst().build()},
      {"tcp-first", tcp(kHostPort, kServerPort).fragment(0, true).length(60).build()},
      {"echo-request", echo_request(kHost, kServer, 7).build()},
      {"echo-reply", echo_reply(kServer, kHost, 7).build()},
      {"timestamp-request", icmp(kHost, kServer, 13).icmp_id(7).payload(12).build()},
      {"unreachable", icmp("192.0.2.1", "203.0.113.1", 3, 4).mtu(1400).about(quoted).build()},
      {"unreachable-full", icmp(kServer, "203.0.113.1", 3, 3).about(quoted_udp, 1000).build()},
      {"time-exceeded", icmp("192.0.2.1", "203.0.113.1", 11, 0).about(quoted_udp).build()},
      {"gre", ip(protocol::gre, kHost, kServer).payload(30).build()},
      {"esp", ip(protocol::esp, kHost, kServer).payload(64).build()},
      {"igmp", ip(protocol::igmp, kHost, "224.0.0.22").options({0x94, 4, 0, 0}).build()},
      {"arp-request", arp_request(gateway, host, mac_of(host))},
      {"arp-probe", arp_request(host, Ipv4Address(), mac_of(host))},
      {"arp-reply", arp_reply(host, mac_of(host), gateway, kPortMac)},
  };
}

}  // namespace postern::test
