// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/icmp_error.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "dataplane/packet/parse.h"
#include "dataplane/wire/headers.h"
#include "support/packet_builder.h"
#include "support/packet_match.h"

namespace postern {
namespace {

using test::checksums_hold;
using test::echo_reply;
using test::echo_request;
using test::Frame;
using test::icmp;
using test::ip;
using test::PacketBuilder;
using test::tcp;
using test::udp;

constexpr size_t kIp = 14, kTransport = 34, kQuote = 42;  // offsets in a frame without options

Packet parsed(Frame& frame) {
  Packet packet = frame.packet();
  REQUIRE(parse_ipv4(packet) == DropReason::none);
  return packet;
}

// An inside host's flow: how its packets look inside and outside, and the rewrites between.
struct Flow {
  Frame inside, outside;
  FlowKey inside_key, outside_key;
  Rewrite original, reply;
};

Flow flow_of(const PacketBuilder& builder, uint16_t outside_port) {
  Flow flow;
  flow.inside = builder.build();
  flow.outside = builder.build();
  Packet packet = parsed(flow.outside);
  flow.inside_key = flow.outside_key = packet.key;
  flow.outside_key.source = Ipv4Address(203, 0, 113, 1).wire();
  if (packet.key.protocol != protocol::esp) flow.outside_key.source_port = be16(outside_port);
  flow.original = make_rewrite(flow.inside_key, flow.outside_key);
  flow.reply = make_rewrite(flow.outside_key.reversed(), flow.inside_key.reversed());
  apply(flow.original, packet);
  return flow;
}

struct Sort {
  const char* name;
  PacketBuilder builder;
};

std::vector<Sort> sorts() {
  return {
      {"udp", udp("192.168.1.10:5000", "198.51.100.7:53").payload(40)},
      {"udp without checksum",
       udp("192.168.1.10:5000", "198.51.100.7:53").payload(40).without_checksum()},
      {"tcp", tcp("192.168.1.10:5000", "198.51.100.7:80").payload(40)},
      {"tcp syn", tcp("192.168.1.10:5000", "198.51.100.7:80").syn().mss(1460)},
      {"ping", echo_request("192.168.1.10", "198.51.100.7", 77).payload(40)},
      {"esp", ip(protocol::esp, "192.168.1.10", "198.51.100.7").payload(40)},
      {"options", udp("192.168.1.10:5000", "198.51.100.7:53").options({1, 1, 1, 1}).payload(40)},
  };
}

bool quotes(const Frame& error, const Frame& packet, size_t bytes_behind_header) {
  size_t header = (packet.bytes()[kIp] & 15u) * 4;
  auto begin = packet.bytes().begin() + kIp;
  auto end = begin + static_cast<ptrdiff_t>(header + bytes_behind_header);
  return std::equal(begin, end, error.bytes().begin() + kQuote);
}

// An error from a router outside about an outside frame that was changed by hand.
std::optional<FlowKey> key_of_error_about(const Frame& quoted, size_t bytes = 8) {
  Frame error = icmp("198.51.100.99", "203.0.113.1", 11).about(quoted, bytes).build();
  Packet packet = parsed(error);
  return quoted_key(packet);
}

}  // namespace

TEST_CASE("nat/icmp_error: an inside host sees its own packet quoted", "[RFC5508-REQ4]") {
  Sort sort = sorts()[GENERATE(range(size_t{0}, size_t{7}))];
  size_t bytes = GENERATE(8u, 18u, 24u);
  CAPTURE(sort.name, bytes);
  Flow flow = flow_of(sort.builder, 6000);
  Frame error =
      icmp("198.51.100.99", "203.0.113.1", 3, 4).mtu(1400).about(flow.outside, bytes).build();
  Packet packet = parsed(error);
  std::optional<FlowKey> quoted = quoted_key(packet);
  REQUIRE(quoted);
  CHECK(*quoted == flow.outside_key);
  translate_error(packet, flow.reply, false);
  CHECK(quotes(error, flow.inside, bytes));
  CHECK_THAT(error, checksums_hold());
  Packet again = parsed(error);
  CHECK(Ipv4Address(again.key.source) == Ipv4Address(198, 51, 100, 99));
  CHECK(Ipv4Address(again.key.destination) == Ipv4Address(192, 168, 1, 10));
  CHECK(again.key == packet.key);
  CHECK(quoted_key(again) == flow.inside_key);
}

TEST_CASE("nat/icmp_error: an error from inside hides the inside router and host",
          "[RFC5508-REQ5][F07]") {
  // What the remote host sent, as it was outside and as it came inside.
  Frame sent = udp("198.51.100.7:53", "203.0.113.1:6000").payload(30).build();
  Packet received = parsed(sent);
  Frame outside = sent;
  FlowKey outside_key{Ipv4Address(198, 51, 100, 7).wire(), Ipv4Address(203, 0, 113, 1).wire(),
                      be16(53), be16(6000), protocol::udp};
  FlowKey inside_key = outside_key;
  inside_key.destination = Ipv4Address(192, 168, 1, 10).wire();
  inside_key.destination_port = be16(5000);
  apply(make_rewrite(outside_key, inside_key), received);
  Rewrite original = make_rewrite(inside_key.reversed(), outside_key.reversed());

  Frame error = icmp("192.168.1.254", "198.51.100.7", 3, 1).about(sent, 38).build();
  Packet packet = parsed(error);
  REQUIRE(quoted_key(packet) == inside_key);
  translate_error(packet, original, true);
  CHECK(quotes(error, outside, 38));
  CHECK_THAT(error, checksums_hold());
  CHECK(Ipv4Address(packet.key.source) == Ipv4Address(203, 0, 113, 1));
  CHECK(Ipv4Address(packet.key.destination) == Ipv4Address(198, 51, 100, 7));
}

TEST_CASE("nat/icmp_error: an error from the quoted destination itself gets its translated address",
          "[RFC5508-REQ5]") {
  Frame sent = udp("198.51.100.7:53", "192.168.1.10:5000").payload(8).build();
  FlowKey inside_key = parsed(sent).key;
  FlowKey outside_key = inside_key;
  outside_key.destination = Ipv4Address(203, 0, 113, 1).wire();
  outside_key.destination_port = be16(6000);
  Frame error = icmp("192.168.1.10", "198.51.100.7", 3, 3).about(sent).build();
  Packet packet = parsed(error);
  translate_error(packet, make_rewrite(inside_key.reversed(), outside_key.reversed()), false);
  CHECK(Ipv4Address(packet.key.source) == Ipv4Address(203, 0, 113, 1));
  CHECK_THAT(error, checksums_hold());
}

TEST_CASE("nat/icmp_error: a quoted reply is found by its identifier too", "[RFC5508-REQ4]") {
  Frame reply = echo_reply("192.168.1.10", "198.51.100.7", 77).build();
  std::optional<FlowKey> key = key_of_error_about(reply);
  REQUIRE(key);
  CHECK(key->source_port.value() == 0);
  CHECK(key->destination_port.value() == 77);
}

TEST_CASE("nat/icmp_error: what cannot be told is nobody's", "[RFC5508-REQ3]") {
  Frame quoted = udp("203.0.113.1:6000", "198.51.100.7:53").payload(40).build();
  CHECK(key_of_error_about(quoted));
  SECTION("fewer than eight bytes of the transport header") {
    for (size_t bytes = 0; bytes < 8; ++bytes)
      CHECK_FALSE(key_of_error_about(quoted, bytes));
  }
  SECTION("not IPv4") {
    quoted.bytes()[kIp] = 0x65;
    CHECK_FALSE(key_of_error_about(quoted));
  }
  SECTION("a header shorter than its fixed part") {
    quoted.bytes()[kIp] = 0x44;
    CHECK_FALSE(key_of_error_about(quoted, 40));
  }
  SECTION("options longer than the quote") {
    quoted.bytes()[kIp] = 0x4F;
    CHECK_FALSE(key_of_error_about(quoted));
  }
  SECTION("a wrong header checksum inside") {
    quoted.bytes()[kIp + 10] ^= 1;
    CHECK_FALSE(key_of_error_about(quoted));
  }
  SECTION("a later fragment") {
    quoted = udp("203.0.113.1:6000", "198.51.100.7:53").fragment(64, true).payload(8).build();
    CHECK_FALSE(key_of_error_about(quoted));
  }
  SECTION("an error about an error") {
    Frame error = icmp("203.0.113.1", "198.51.100.7", 11).about(quoted).build();
    CHECK_FALSE(key_of_error_about(error));
  }
  SECTION("an ICMP message without identifier") {
    CHECK_FALSE(key_of_error_about(icmp("203.0.113.1", "198.51.100.7", 9).build()));
  }
}

TEST_CASE("nat/icmp_error: extensions behind the quote are no part of it", "[RFC5508-REQ3d]") {
  // RFC 4884: the quote is padded to 128 bytes, an extension with its own checksum follows.
  Sort sort = sorts()[GENERATE(range(size_t{0}, size_t{7}))];
  CAPTURE(sort.name);
  Flow flow = flow_of(sort.builder, 6000);
  std::vector<uint8_t> message(flow.outside.bytes().begin() + kIp, flow.outside.bytes().end());
  const std::vector<uint8_t> extension = {0x20, 0, 0x12, 0x34, 0, 8, 1, 1, 0xAB, 0xCD, 0xEF, 1};
  const size_t payload = message.size() - (message[0] & 15u) * 4;
  message.resize(128);
  message.insert(message.end(), extension.begin(), extension.end());
  std::vector<uint8_t> about(kIp, 0);
  about.insert(about.end(), message.begin(), message.end());
  Frame error =
      icmp("192.0.2.1", "203.0.113.1", 11).about(Frame(about), message.size() - 20).build();
  Packet packet = parsed(error);
  REQUIRE(quoted_key(packet) == flow.outside_key);
  translate_error(packet, flow.reply, false);
  CHECK_THAT(error, checksums_hold());
  CHECK(quotes(error, flow.inside, payload));
  std::vector<uint8_t> behind(error.bytes().end() - static_cast<long>(extension.size()),
                              error.bytes().end());
  CHECK(behind == extension);
}

TEST_CASE("nat/icmp_error: an error with a wrong checksum is nobody's", "[RFC5508-REQ3]") {
  Frame quoted = udp("203.0.113.1:6000", "198.51.100.7:53").build();
  Frame error = icmp("198.51.100.99", "203.0.113.1", 11).about(quoted).build();
  error.bytes()[kTransport + 2] ^= 0x40;
  Packet packet = parsed(error);
  CHECK_FALSE(quoted_key(packet));
}

TEST_CASE("nat/icmp_error: a packet that is no error has no quote") {
  Frame ping = echo_request("192.168.1.10", "198.51.100.7", 77).payload(60).build();
  Packet packet = parsed(ping);
  CHECK_FALSE(quoted_key(packet));
}

TEST_CASE("nat/icmp_error: random damage never makes a wrong checksum or a read out of bounds",
          "[F04]") {
  Flow flow = flow_of(tcp("192.168.1.10:5000", "198.51.100.7:80").payload(10), 6000);
  std::mt19937 random(9);
  unsigned translated = 0;
  for (int round = 0; round < 20'000; ++round) {
    // Damage before the checksum is made, so that it does not protect what is behind it.
    Frame quoted = flow.outside;
    auto bytes = quoted.bytes();
    for (unsigned n = random() % 3; n-- > 0;)
      bytes[kIp + random() % (bytes.size() - kIp)] = static_cast<uint8_t>(random());
    Frame error = icmp("198.51.100.99", "203.0.113.1", 11).about(quoted, random() % 31).build();
    Packet packet = parsed(error);
    std::optional<FlowKey> key = quoted_key(packet);
    if (!key) continue;
    translate_error(packet, flow.reply, random() % 2);
    ++translated;
    Packet again = error.packet();
    REQUIRE(parse_ipv4(again) == DropReason::none);
    REQUIRE(quoted_key(again).has_value());  // ICMP and quoted IPv4 checksum hold
  }
  CHECK(translated > 1000);
}

}  // namespace postern
