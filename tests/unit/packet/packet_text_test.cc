// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_text.h"

#include <catch2/catch.hpp>

#include "support/packet_match.h"

namespace postern::test {

TEST_CASE("support/packet_text: what a line says is what its frame says") {
  auto line = GENERATE(
      "udp 192.168.1.10:5000 -> 198.51.100.7:53 len=36 ttl=64",
      "udp 192.168.1.10:5000 -> 198.51.100.7:53 len=40 sum=0 ttl=5",
      "udp 192.168.1.10:5000 -> 198.51.100.7:53 frag=0+ len=1500 ttl=64",
      "udp 192.168.1.10 -> 198.51.100.7 frag=1480 len=900 ttl=64",
      "tcp 192.168.1.10:5000 -> 198.51.100.7:80 syn ack=0 df len=44 mss=1460 seq=77 ttl=64",
      "tcp 192.168.1.10:5000 -> 198.51.100.7:80 psh,ack ack=9 len=140 seq=1000 ttl=64",
      "tcp 192.168.1.10:5000 -> 198.51.100.7:80 none ack=0 len=40 seq=1000 ttl=64",
      "icmp 192.168.1.10 -> 198.51.100.7 echo-request id=7 len=36 ttl=64",
      "icmp 192.168.1.10 -> 198.51.100.7 10 id=0 len=36 ttl=64",
      "icmp 192.0.2.1 -> 203.0.113.1 unreachable/13 len=56 ttl=64 "
      "about udp 203.0.113.1:1024 -> 198.51.100.7:53 len=36 ttl=64",
      "icmp 192.0.2.1 -> 203.0.113.1 unreachable/4 len=56 mtu=1400 ttl=64 "
      "about tcp 203.0.113.1:1024 -> 198.51.100.7:53 df len=40 seq=5 ttl=64",
      "gre 192.168.1.10 -> 198.51.100.7 len=28 ttl=64",
      "ip/99 192.168.1.10 -> 198.51.100.7 len=28 options=94040000 ttl=64",
      "arp 192.168.1.10 who-has 192.168.1.1", "arp 192.168.1.10 is-at 02:00:c0:a8:01:0a");
  auto packet = read_packet_text(line);
  REQUIRE(packet);
  if (packet->protocol == "arp" && packet->destination.empty()) packet->destination = "192.168.1.1";
  auto frame = build(*packet);
  REQUIRE(frame);
  CHECK(to_text(frame->bytes()) == line);
  CHECK_THAT(*frame, checksums_hold());
}

TEST_CASE("support/packet_text: what cannot be read is refused with the word") {
  auto bad = GENERATE("", "udp", "udp 1.2.3.4:5", "xyz 1.2.3.4:5 -> 1.2.3.4:6",
                      "udp 1.2.3.4:5 -> 1.2.3.4:6 syn", "tcp 1.2.3.4:5 -> 1.2.3.4:6 sin",
                      "arp 1.2.3.4 where-is 1.2.3.4", "icmp 1.2.3.4 -> 1.2.3.5 what");
  CHECK_FALSE(read_packet_text(bad));
  auto unbuildable = GENERATE("udp $x:5 -> 1.2.3.4:6", "udp 1.2.3.4:5 -> 1.2.3.4:x",
                              "udp 1.2.3.4:5 -> 1.2.3.4:6 ttl=many");
  CHECK_FALSE(build(*read_packet_text(unbuildable)));
}

TEST_CASE("support/packet_match: variables bind once, then must match") {
  const auto expected = read_packet_text("udp 203.0.113.1:$x -> 198.51.100.7:53 ttl=63");
  const Frame first = udp("203.0.113.1:40000", "198.51.100.7:53").ttl(63).build();
  const Frame second = udp("203.0.113.1:40001", "198.51.100.7:53").ttl(63).build();
  Bindings bindings;
  CHECK(difference_between(*expected, describe(first.bytes()), bindings).empty());
  CHECK(bindings.at("$x") == "40000");
  CHECK(difference_between(*expected, describe(first.bytes()), bindings).empty());
  CHECK(difference_between(*expected, describe(second.bytes()), bindings) ==
        "source port is 40001, but $x is 40000");
}

TEST_CASE("support/packet_match: a mismatch binds nothing and names itself") {
  const auto expected = read_packet_text("udp 203.0.113.1:$x -> 198.51.100.7:53 ttl=63");
  const Frame late = udp("203.0.113.1:40000", "198.51.100.7:53").ttl(9).build();
  const Frame piece =
      udp("203.0.113.1:40000", "198.51.100.7:53").ttl(63).fragment(0, true).length(100).build();
  Bindings bindings;
  CHECK(difference_between(*expected, describe(late.bytes()), bindings) == "ttl is 9, not 63");
  CHECK(difference_between(*expected, describe(piece.bytes()), bindings) ==
        "it is a piece, frag=0+");
  CHECK(bindings.empty());
}

TEST_CASE("support/packet_match: any flipped bit of a whole datagram breaks a checksum") {
  const Frame inner = udp("203.0.113.1:40000", "198.51.100.7:53").payload(4).build();
  std::vector<Frame> frames = {inner, tcp("10.0.0.1:1", "10.0.0.2:2").payload(9).build(),
                               echo_request("10.0.0.1", "10.0.0.2", 7).build(),
                               icmp("10.0.0.1", "203.0.113.1", 3, 3).about(inner, 12).build()};
  for (Frame& frame : frames) {
    REQUIRE(broken_checksum(frame.bytes()).empty());
    for (size_t bit = 14 * 8; bit < frame.bytes().size() * 8; ++bit) {
      frame.bytes()[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      CHECK_FALSE(broken_checksum(frame.bytes()).empty());
      frame.bytes()[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  }
}

}  // namespace postern::test
