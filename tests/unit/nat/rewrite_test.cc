// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/rewrite.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <vector>

#include "dataplane/packet/parse.h"
#include "dataplane/wire/checksum.h"
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
using test::reads;
using test::tcp;
using test::udp;

Packet parsed(Frame& frame) {
  Packet packet = frame.packet();
  REQUIRE(parse_ipv4(packet) == DropReason::none);
  return packet;
}

std::vector<uint8_t> copy_of(const Frame& frame) {
  return {frame.bytes().begin(), frame.bytes().end()};
}

// The key that a translation of the source, or of the destination, makes of `key`.
FlowKey translated(FlowKey key, bool source, be32 address, be16 port) {
  (source ? key.source : key.destination) = address;
  if (has_ports(key.protocol)) (source ? key.source_port : key.destination_port) = port;
  if (key.protocol == protocol::icmp) {
    // The identifier is one number, whichever port it stands in; some messages have none.
    if (key.source_port.raw() != 0) key.source_port = port;
    if (key.destination_port.raw() != 0) key.destination_port = port;
  }
  return key;
}

struct Sort {
  const char* name;
  Frame (*build)(uint16_t port, uint16_t payload);
};

const Sort kSorts[] = {
    {"tcp",
     [](uint16_t port, uint16_t payload) {
       return tcp("192.168.1.10:1", "198.51.100.7:80").ports(port, 80).payload(payload).build();
     }},
    {"udp",
     [](uint16_t port, uint16_t payload) {
       return udp("192.168.1.10:1", "198.51.100.7:53").ports(port, 53).payload(payload).build();
     }},
    {"udp without checksum",
     [](uint16_t port, uint16_t payload) {
       return udp("192.168.1.10:1", "198.51.100.7:53")
           .ports(port, 53)
           .payload(payload)
           .without_checksum()
           .build();
     }},
    {"echo request",
     [](uint16_t port, uint16_t payload) {
       return echo_request("192.168.1.10", "198.51.100.7", port).payload(payload).build();
     }},
    {"echo reply",
     [](uint16_t port, uint16_t payload) {
       return echo_reply("192.168.1.10", "198.51.100.7", port).payload(payload).build();
     }},
    {"esp",
     [](uint16_t, uint16_t payload) {
       return ip(protocol::esp, "192.168.1.10", "198.51.100.7").payload(payload).build();
     }},
    {"unknown icmp",
     [](uint16_t, uint16_t payload) {
       return icmp("192.168.1.10", "198.51.100.7", 9).icmp_id(7).payload(payload).build();
     }},
};

// Writes the right checksum into a TCP frame that was changed by hand.
void mend_tcp_checksum(Packet& packet) {
  Ipv4Header& ip = ipv4_at(packet.l3());
  TcpHeader& tcp = tcp_at(packet.l4());
  auto bytes = static_cast<uint16_t>(packet.l3_length - ip.header_bytes());
  tcp.checksum = be16(0);
  uint32_t pseudo = sum(packet.l3() + 12, 8) + be16(protocol::tcp).raw() + be16(bytes).raw();
  tcp.checksum = be16::from_raw(static_cast<uint16_t>(~sum(packet.l4(), bytes, pseudo)));
}

// A SYN with these options, padded by ends of options to 12 bytes.
Frame syn_with_options(std::vector<uint8_t> options) {
  Frame frame = tcp("192.168.1.10:5000", "198.51.100.7:80").syn().payload(12).build();
  Packet packet = frame.packet();
  REQUIRE(parse_ipv4(packet) == DropReason::none);
  options.resize(12, 0);
  std::copy(options.begin(), options.end(), packet.l4() + sizeof(TcpHeader));
  tcp_at(packet.l4()).data_offset = 8 << 4;
  mend_tcp_checksum(packet);
  return frame;
}

}  // namespace

TEST_CASE("nat/rewrite: after random translations every checksum holds and the way back restores",
          "[RFC1624]") {
  const Sort& sort = kSorts[GENERATE(range(0, 7))];
  CAPTURE(sort.name);
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    // Port 0 would make an echo request whose key says nothing about where the identifier stands.
    auto port = static_cast<uint16_t>(1 + random() % 65535);
    Frame frame = sort.build(port, static_cast<uint16_t>(random() % 64));
    const std::vector<uint8_t> original = copy_of(frame);
    Packet packet = parsed(frame);
    FlowKey from = packet.key;
    FlowKey to = translated(from, random() % 2, be32(0x0A000001 + random() % 0xFFFFFF),
                            be16(static_cast<uint16_t>(1 + random() % 65535)));
    apply(make_rewrite(from, to), packet);
    REQUIRE(packet.key == to);
    REQUIRE_THAT(frame, checksums_hold());
    Packet again = parsed(frame);
    REQUIRE(again.key == to);
    apply(make_rewrite(to, from), packet);
    REQUIRE(copy_of(frame) == original);
    REQUIRE(packet.key == from);
  }
}

TEST_CASE("nat/rewrite: both ends may change at once", "[RFC4787-REQ9]") {
  Frame frame = udp("192.168.1.10:5000", "203.0.113.1:6000").payload(9).build();
  Packet packet = parsed(frame);
  FlowKey to{Ipv4Address(203, 0, 113, 1).wire(), Ipv4Address(192, 168, 1, 20).wire(), be16(7000),
             be16(8000), protocol::udp};
  apply(make_rewrite(packet.key, to), packet);
  CHECK_THAT(frame, reads("udp 203.0.113.1:7000 -> 192.168.1.20:8000"));
  CHECK_THAT(frame, checksums_hold());
}

TEST_CASE("nat/rewrite: a UDP checksum of zero stays zero and none is made", "[RFC768]") {
  Frame without = udp("192.168.1.10:5000", "198.51.100.7:53").payload(5).without_checksum().build();
  Packet packet = parsed(without);
  FlowKey to = packet.key;
  to.source_port = be16(6000);
  apply(make_rewrite(packet.key, to), packet);
  CHECK(udp_at(packet.l4()).checksum.value() == 0);

  // Of all ports one makes the sum come to zero, which is sent as all ones.
  Frame frame = udp("192.168.1.10:5000", "198.51.100.7:53").payload(5).build();
  packet = parsed(frame);
  unsigned zeros = 0, all_ones = 0;
  for (unsigned port = 0; port < 65536; ++port) {
    to.source_port = be16(static_cast<uint16_t>(port));
    apply(make_rewrite(packet.key, to), packet);
    zeros += udp_at(packet.l4()).checksum.value() == 0;
    if (udp_at(packet.l4()).checksum.value() == 0xFFFF) {
      ++all_ones;
      CHECK_THAT(frame, checksums_hold());
    }
  }
  CHECK(zeros == 0);
  CHECK(all_ones >= 1);
  CHECK_THAT(frame, checksums_hold());
}

TEST_CASE("nat/rewrite: pieces of a datagram come out as the pieces of the translated datagram",
          "[RFC4787-REQ14]") {
  uint8_t proto = GENERATE(protocol::udp, protocol::tcp, protocol::icmp);
  CAPTURE(int{proto});
  constexpr uint16_t kWhole = 512;
  auto build = [&](uint16_t offset, bool more, uint16_t bytes) {
    PacketBuilder builder(proto, Ipv4Address(192, 168, 1, 10), Ipv4Address(198, 51, 100, 7));
    builder.ports(5000, 53).icmp_kind(8, 0);
    if (proto == protocol::icmp) builder.icmp_id(5000);
    return builder.fragment(offset, more, kWhole).length(static_cast<uint16_t>(20 + bytes)).build();
  };
  Frame first = build(0, true, 256), later = build(256, false, 256);
  const std::vector<uint8_t> later_before = copy_of(later);
  Packet head = parsed(first), tail = parsed(later);
  REQUIRE(tail.is_later_fragment);
  FlowKey from = head.key;
  FlowKey to = translated(from, true, Ipv4Address(203, 0, 113, 1).wire(), be16(6000));
  tail.key = from;
  tail.ports_recovered = true;
  Rewrite rewrite = make_rewrite(from, to);
  apply(rewrite, head);
  apply(rewrite, tail);
  CHECK_THAT(first, checksums_hold());
  CHECK_THAT(later, checksums_hold());
  CHECK(tail.key == to);
  // The data of the later piece is not touched.
  CHECK(std::equal(later.bytes().begin() + 34, later.bytes().end(), later_before.begin() + 34));
  // Put together again, the datagram has its right transport checksum.
  std::vector<uint8_t> data(first.bytes().begin() + 34, first.bytes().end());
  data.insert(data.end(), later.bytes().begin() + 34, later.bytes().end());
  uint32_t start = 0;
  if (proto != protocol::icmp)
    start =
        sum(head.l3() + 12, 8) + be16(proto).raw() + be16(static_cast<uint16_t>(data.size())).raw();
  CHECK(sum(data.data(), data.size(), start) == 0xFFFF);
}

TEST_CASE("nat/rewrite: an MSS above the limit is lowered, a smaller one is not raised",
          "[RFC9293-3.7.1]") {
  struct Row {
    uint16_t mss, limit, expected;
  };
  auto row = GENERATE(values<Row>({{1460, 1412, 1412}, {1412, 1412, 1412}, {536, 1412, 536}}));
  for (uint8_t flags : {tcp_flag::syn, uint8_t{tcp_flag::syn | tcp_flag::ack}}) {
    Frame frame = tcp("192.168.1.10:5000", "198.51.100.7:80").flags(flags).mss(row.mss).build();
    Packet packet = parsed(frame);
    clamp_mss(packet, row.limit);
    CHECK(packet.l4()[22] * 256 + packet.l4()[23] == row.expected);
    CHECK_THAT(frame, checksums_hold());
  }
}

TEST_CASE("nat/rewrite: an MSS at an odd offset keeps the checksum right") {
  std::vector<uint8_t> options = GENERATE(values<std::vector<uint8_t>>({
      {1, 2, 4, 0x05, 0xB4},              // behind one no-operation
      {1, 1, 1, 2, 4, 0x05, 0xB4},        // behind three
      {3, 3, 7, 2, 4, 0x05, 0xB4},        // behind a window scale
      {4, 2, 2, 4, 0x05, 0xB4, 3, 3, 7},  // behind SACK permitted
  }));
  Frame frame = syn_with_options(options);
  Packet packet = parsed(frame);
  clamp_mss(packet, 1234);
  CHECK_THAT(frame, checksums_hold());
  const uint8_t expected[] = {2, 4, 1234 >> 8, 1234 & 255};
  auto begin = packet.l4() + 20, end = packet.l4() + 32;
  CHECK(std::search(begin, end, std::begin(expected), std::end(expected)) != end);
}

TEST_CASE("nat/rewrite: malformed options are left alone", "[F04]") {
  std::vector<uint8_t> options = GENERATE(values<std::vector<uint8_t>>({
      {2, 3, 0x05, 0xB4},                       // MSS of a wrong length
      {2, 0, 0x05, 0xB4},                       // length zero
      {3, 1, 2, 4, 0x05, 0xB4},                 // length one
      {0, 2, 4, 0x05, 0xB4},                    // behind the end of options
      {8, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},    // cut off behind the kind
      {1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 0x05},  // cut off in the value
      {8, 200, 2, 4, 0x05, 0xB4},               // longer than the header
  }));
  Frame frame = syn_with_options(options);
  const std::vector<uint8_t> before = copy_of(frame);
  Packet packet = parsed(frame);
  clamp_mss(packet, 536);
  CHECK(copy_of(frame) == before);
}

TEST_CASE("nat/rewrite: only a TCP SYN has its MSS lowered") {
  Frame ack = tcp("192.168.1.10:5000", "198.51.100.7:80").ack().mss(1460).build();
  Frame other = udp("192.168.1.10:5000", "198.51.100.7:80").payload(40).build();
  for (Frame* frame : {&ack, &other}) {
    const std::vector<uint8_t> before = copy_of(*frame);
    Packet packet = parsed(*frame);
    clamp_mss(packet, 536);
    CHECK(copy_of(*frame) == before);
  }
}

}  // namespace postern
