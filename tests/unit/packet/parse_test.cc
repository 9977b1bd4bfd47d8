// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/parse.h"

#include <catch2/catch.hpp>

#include "dataplane/packet/icmp_query.h"
#include "dataplane/wire/headers.h"
#include "support/packet_builder.h"

namespace postern::test {

namespace {

constexpr const char* kHost = "192.168.1.10";
constexpr const char* kServer = "198.51.100.7";
constexpr const char* kHostPort = "192.168.1.10:5000";
constexpr const char* kServerPort = "198.51.100.7:80";

struct Parsed {
  DropReason reason;
  Packet packet;
};

Parsed parse_frame(Frame& frame) {
  Packet packet = frame.packet();
  const DropReason reason = parse(packet, kPortMac);
  return {reason, packet};
}

DropReason reason_of(Frame frame) {
  return parse_frame(frame).reason;
}

uint8_t* l3_of(Frame& frame) {
  return frame.bytes().data() + sizeof(EthernetHeader);
}

Frame cut(Frame frame, size_t bytes) {
  return Frame(frame.bytes().first(bytes));
}

Frame padded(Frame frame, size_t bytes) {
  std::vector<uint8_t> all(frame.bytes().begin(), frame.bytes().end());
  all.resize(std::max(all.size(), bytes), 0x55);
  return Frame(all);
}

}  // namespace

TEST_CASE("packet/parse: a plain UDP packet is told in full") {
  Frame frame = udp(kHostPort, kServerPort).ttl(9).identification(77).dont_fragment().build();
  auto [reason, packet] = parse_frame(frame);
  REQUIRE(reason == DropReason::none);
  CHECK(packet.kind == PacketKind::ipv4);
  CHECK(packet.l3_offset == 14);
  CHECK(packet.l4_offset == 34);
  CHECK(packet.l3_length == 36);
  CHECK(packet.length == 50);
  CHECK(packet.ttl == 9);
  CHECK(packet.identification == 77);
  CHECK(packet.dont_fragment);
  CHECK_FALSE(packet.is_fragment);
  CHECK_FALSE(packet.is_icmp_error);
  CHECK_FALSE(packet.to_multicast_mac);
  CHECK(Ipv4Address(packet.key.source) == *parse_ipv4(kHost));
  CHECK(Ipv4Address(packet.key.destination) == *parse_ipv4(kServer));
  CHECK(packet.key.source_port.value() == 5000);
  CHECK(packet.key.destination_port.value() == 80);
  CHECK(packet.key.protocol == protocol::udp);
  CHECK(packet.key.space == KeySpace::flow);
}

TEST_CASE("packet/parse: nothing of an earlier packet is left") {
  Frame error = icmp(kServer, kHost, 3, 3).about(udp(kHostPort, kServerPort).build()).build();
  Frame piece = tcp(kHostPort, kServerPort).fragment(1480, true).length(60).build();
  Frame plain = ip(protocol::gre, kHost, kServer).build();
  Packet packet = error.packet();
  REQUIRE(parse(packet, kPortMac) == DropReason::none);
  CHECK(packet.is_icmp_error);
  packet.frame = piece.bytes().data();
  packet.length = static_cast<uint16_t>(piece.bytes().size());
  REQUIRE(parse(packet, kPortMac) == DropReason::none);
  CHECK_FALSE(packet.is_icmp_error);
  CHECK(packet.icmp_type == 0);
  CHECK(packet.is_later_fragment);
  CHECK(packet.fragment_offset == 1480);
  CHECK(packet.more_fragments);
  packet.frame = plain.bytes().data();
  packet.length = static_cast<uint16_t>(plain.bytes().size());
  REQUIRE(parse(packet, kPortMac) == DropReason::none);
  CHECK_FALSE(packet.is_fragment);
  CHECK_FALSE(packet.more_fragments);
  CHECK(packet.fragment_offset == 0);
  CHECK(packet.key.source_port == be16(0));
}

TEST_CASE("packet/parse: Ethernet padding is cut off, a cut datagram refused", "[RFC1812-5.2.2]") {
  Frame frame = padded(udp(kHostPort, kServerPort).payload(2).build(), 60);
  auto [reason, packet] = parse_frame(frame);
  CHECK(reason == DropReason::none);
  CHECK(packet.length == 44);
  CHECK(reason_of(cut(frame, 43)) == DropReason::ipv4_malformed);
}

TEST_CASE("packet/parse: frames for others and of other kinds are named") {
  CHECK(reason_of(cut(udp(kHostPort, kServerPort).build(), 13)) == DropReason::frame_malformed);
  const MacAddress other{{0x02, 9, 9, 9, 9, 9}};
  CHECK(reason_of(udp(kHostPort, kServerPort).to_mac(other).build()) == DropReason::not_our_mac);
  Frame six = udp(kHostPort, kServerPort).build();
  ethernet_at(six.bytes().data()).type = be16(0x86DD);
  CHECK(reason_of(six) == DropReason::ethertype_unsupported);
  Frame all = udp(kHostPort, "192.168.1.255:9").to_mac(kBroadcastMac).build();
  auto [reason, packet] = parse_frame(all);
  CHECK(reason == DropReason::none);
  CHECK(packet.to_multicast_mac);
}

TEST_CASE("packet/parse: version, lengths and checksum of IPv4 are verified", "[RFC1812-5.2.2]") {
  Frame frame = udp(kHostPort, kServerPort).build();
  Ipv4Header& ip = ipv4_at(l3_of(frame));
  SECTION("version 6") {
    ip.version_and_length = 0x65;
  }
  SECTION("header shorter than any") {
    ip.version_and_length = 0x44;
  }
  SECTION("header longer than the datagram") {
    ip.version_and_length = 0x4F;
  }
  SECTION("total length below the header") {
    ip.total_length = be16(19);
  }
  SECTION("total length beyond the frame") {
    ip.total_length = be16(37);
  }
  seal_ipv4(frame);
  CHECK(reason_of(frame) == DropReason::ipv4_malformed);
}

TEST_CASE("packet/parse: a wrong IPv4 checksum is refused, a wrong transport checksum is not ours",
          "[RFC1812-5.2.2]") {
  Frame frame = udp(kHostPort, kServerPort).build();
  udp_at(l3_of(frame) + 20).checksum = be16(0xBEEF);
  CHECK(reason_of(frame) == DropReason::none);
  ipv4_at(l3_of(frame)).ttl ^= 1;
  CHECK(reason_of(frame) == DropReason::ipv4_checksum_bad);
}

TEST_CASE("packet/parse: options are walked; source routes are refused", "[RFC7126][F04]") {
  using Bytes = std::vector<uint8_t>;
  auto good = GENERATE(Bytes{0x94, 4, 0, 0}, Bytes{1, 1, 1, 0}, Bytes{7, 7, 4, 1, 2, 3, 4, 0},
                       Bytes{0, 131, 3, 4}, Bytes{1, 1, 1, 1});
  Frame frame = udp(kHostPort, kServerPort).options(good).build();
  auto [reason, packet] = parse_frame(frame);
  CHECK(reason == DropReason::none);
  CHECK(packet.key.destination_port.value() == 80);
  auto bad = GENERATE(Bytes{131, 3, 4, 0}, Bytes{137, 7, 4, 1, 2, 3, 4, 0}, Bytes{1, 131, 3, 4},
                      Bytes{7, 0, 0, 0}, Bytes{7, 1, 0, 0}, Bytes{7, 5, 0, 0}, Bytes{1, 1, 1, 7},
                      Bytes{7, 255, 4, 0});
  CHECK(reason_of(udp(kHostPort, kServerPort).options(bad).build()) ==
        DropReason::ipv4_options_refused);
}

TEST_CASE("packet/parse: sources that no host has are refused", "[RFC1812-5.3.7]") {
  auto source = GENERATE("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1",
                         "255.255.255.255", "198.51.100.7");
  CHECK(reason_of(ip(protocol::gre, source, kServer).build()) == DropReason::source_address_bad);
}

TEST_CASE("packet/parse: of a refused packet is told what could be read", "[F66]") {
  auto frames = std::vector<Frame>{
      udp("127.0.0.1:5000", kServerPort).build(),
      udp("127.0.0.1:5000", kServerPort).options({131, 3, 4}).fragment(80, true).build(),
      tcp("127.0.0.1:5000", kServerPort).flags(0).build()};
  for (Frame& frame : frames) {
    auto [reason, packet] = parse_frame(frame);
    CHECK(reason != DropReason::none);
    CHECK(packet.kind == PacketKind::ipv4);
    CHECK(Ipv4Address(packet.key.source) == Ipv4Address(127, 0, 0, 1));
    CHECK(packet.key.protocol != 0);
    CHECK(packet.l4_offset + 8 <= packet.length);
  }
  CHECK(parse_frame(frames[1]).packet.is_later_fragment);
  Frame damaged = udp(kHostPort, kServerPort).build();
  ipv4_at(l3_of(damaged)).ttl ^= 1;
  CHECK(parse_frame(damaged).packet.kind == PacketKind::unparsed);
}

TEST_CASE("packet/parse: a host without an address may ask everybody on its wire", "[RFC2131]") {
  CHECK(reason_of(udp("0.0.0.0:68", "255.255.255.255:67").build()) == DropReason::none);
  CHECK(reason_of(udp("0.0.0.0:68", "255.255.255.255:67").to_mac(kPortMac).build()) ==
        DropReason::source_address_bad);
  Frame own = udp("0.0.0.0:68", "255.255.255.255:67").build();
  Packet packet = own.packet();
  packet.from_host = true;
  CHECK(parse_ipv4(packet) == DropReason::none);
}

TEST_CASE("packet/parse: destinations that no router forwards to are refused", "[RFC1812-5.3.7]") {
  auto refused = GENERATE("0.0.0.0", "0.0.0.1", "127.0.0.1", "240.0.0.1", "255.255.255.254");
  CHECK(reason_of(ip(protocol::gre, kHost, refused).build()) ==
        DropReason::destination_address_bad);
  auto judged_later = GENERATE("224.0.0.251", "255.255.255.255", "192.168.1.255");
  CHECK(reason_of(ip(protocol::gre, kHost, judged_later).build()) == DropReason::none);
}

TEST_CASE("packet/parse: transport headers are whole or refused", "[F04]") {
  CHECK(reason_of(tcp(kHostPort, kServerPort).length(39).build()) ==
        DropReason::transport_malformed);
  CHECK(reason_of(udp(kHostPort, kServerPort).length(27).build()) ==
        DropReason::transport_malformed);
  CHECK(reason_of(echo_request(kHost, kServer, 1).length(27).build()) ==
        DropReason::transport_malformed);
  CHECK(reason_of(ip(protocol::gre, kHost, kServer).length(20).payload(0).build()) ==
        DropReason::none);
}

TEST_CASE("packet/parse: impossible lengths inside the transport header are refused", "[F04]") {
  Frame frame = tcp(kHostPort, kServerPort).build();
  tcp_at(l3_of(frame) + 20).data_offset = GENERATE(0x40, 0x00, 0x60, 0xF0);
  CHECK(reason_of(frame) == DropReason::transport_malformed);
  Frame datagram = udp(kHostPort, kServerPort).payload(4).build();
  udp_at(l3_of(datagram) + 20).length = be16(GENERATE(uint16_t{0}, uint16_t{7}, uint16_t{13}));
  CHECK(reason_of(datagram) == DropReason::transport_malformed);
  udp_at(l3_of(datagram) + 20).length = be16(10);  // shorter than the datagram: a receiver copes
  CHECK(reason_of(datagram) == DropReason::none);
}

TEST_CASE("packet/parse: TCP flags are those of a correct sender", "[F04]") {
  static constexpr int fin = tcp_flag::fin, syn = tcp_flag::syn, rst = tcp_flag::rst,
                       psh = tcp_flag::psh, ack = tcp_flag::ack, urg = tcp_flag::urg;
  auto good = GENERATE(as<int>{}, syn, syn | psh, syn | urg, syn | ack, syn | ack | 0x40,
                       syn | 0xC0, ack, ack | psh, ack | urg, ack | psh | urg, fin | ack,
                       fin | psh | ack, fin | ack | urg, rst, rst | ack, rst | ack | psh);
  CAPTURE(good);
  CHECK(reason_of(tcp(kHostPort, kServerPort).flags(static_cast<uint8_t>(good)).build()) ==
        DropReason::none);
  auto bad =
      GENERATE(as<int>{}, 0, 0xC0, fin, psh, urg, fin | psh | urg, syn | fin, syn | rst, 0x3F, 0xFF,
               syn | fin | ack, syn | rst | ack, fin | rst, fin | rst | ack, rst | urg);
  CHECK(reason_of(tcp(kHostPort, kServerPort).flags(static_cast<uint8_t>(bad)).build()) ==
        DropReason::tcp_flags_bad);
}

TEST_CASE("packet/parse: an ICMP query has its identifier where its reply has it turned round",
          "[RFC5508-REQ1]") {
  auto [request, reply] = GENERATE(table<int, int>({{8, 0}, {13, 14}, {15, 16}, {17, 18}}));
  Frame asked = icmp(kHost, kServer, static_cast<uint8_t>(request)).icmp_id(77).build();
  Frame answered = icmp(kServer, kHost, static_cast<uint8_t>(reply)).icmp_id(77).build();
  auto [reason, packet] = parse_frame(asked);
  auto [reply_reason, reply_packet] = parse_frame(answered);
  REQUIRE(reason == DropReason::none);
  REQUIRE(reply_reason == DropReason::none);
  CHECK(packet.icmp_type == request);
  CHECK(packet.key.source_port.value() == 77);
  CHECK(packet.key.destination_port.value() == 0);
  CHECK(reply_packet.key == packet.key.reversed());
  CHECK_FALSE(packet.is_icmp_error);
}

TEST_CASE("packet/parse: ICMP errors are those of RFC 792", "[RFC792]") {
  for (unsigned type = 0; type < 256; ++type) {
    Frame frame = icmp(kHost, kServer, static_cast<uint8_t>(type), 1).icmp_id(77).build();
    auto [reason, packet] = parse_frame(frame);
    CHECK(reason == DropReason::none);
    const bool is_error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    const bool is_query = type == 0 || type == 8 || (type >= 13 && type <= 18);
    CHECK(packet.is_icmp_error == is_error);
    CHECK(packet.key.icmp_kind == icmp_kind_of(static_cast<uint8_t>(type)));
    CHECK((packet.key.source_port != be16(0) || packet.key.destination_port != be16(0)) ==
          is_query);
  }
}

TEST_CASE("packet/parse: pieces of a datagram are told apart") {
  Frame first = udp(kHostPort, kServerPort).fragment(0, true, 4008).length(1500).build();
  auto [reason, packet] = parse_frame(first);
  CHECK(reason == DropReason::none);
  CHECK(packet.is_fragment);
  CHECK_FALSE(packet.is_later_fragment);
  CHECK(packet.more_fragments);
  CHECK(packet.key.destination_port.value() == 80);
  Frame last = udp(kHostPort, kServerPort).fragment(2960, false, 4008).length(1068).build();
  auto [last_reason, last_packet] = parse_frame(last);
  CHECK(last_reason == DropReason::none);
  CHECK(last_packet.is_later_fragment);
  CHECK_FALSE(last_packet.more_fragments);
  CHECK(last_packet.fragment_offset == 2960);
  CHECK(last_packet.key.destination_port == be16(0));
}

TEST_CASE("packet/parse: tiny, empty, uneven and overlong pieces are refused", "[RFC1858-3][F04]") {
  auto piece = [](uint16_t offset, bool more, uint16_t length) {
    return tcp(kHostPort, kServerPort).fragment(offset, more).length(length).build();
  };
  CHECK(reason_of(piece(0, true, 28)) == DropReason::fragment_malformed);  // without the flags
  CHECK(reason_of(piece(0, true, 36)) == DropReason::fragment_malformed);  // header cut
  CHECK(reason_of(piece(0, true, 44)) == DropReason::none);
  CHECK(reason_of(piece(8, false, 60)) == DropReason::fragment_malformed);  // over the flags
  CHECK(reason_of(piece(16, false, 60)) == DropReason::none);
  CHECK(reason_of(piece(800, true, 61)) == DropReason::fragment_malformed);
  CHECK(reason_of(piece(800, false, 61)) == DropReason::none);
  CHECK(reason_of(piece(800, true, 20)) == DropReason::fragment_malformed);
  CHECK(reason_of(piece(65472, false, 63)) == DropReason::none);  // ends at 65535
  CHECK(reason_of(piece(65472, false, 64)) == DropReason::fragment_malformed);
  CHECK(reason_of(udp(kHostPort, kServerPort).fragment(8, false).length(60).build()) ==
        DropReason::none);
}

TEST_CASE("packet/parse: ARP is read, or refused for its form", "[RFC826]") {
  const Ipv4Address host(192, 168, 1, 10), gateway(192, 168, 1, 1);
  Frame frame = arp_request(gateway, host, mac_of(host));
  auto [reason, packet] = parse_frame(frame);
  REQUIRE(reason == DropReason::none);
  CHECK(packet.kind == PacketKind::arp);
  CHECK(Ipv4Address(packet.key.source) == host);
  CHECK(Ipv4Address(packet.key.destination) == gateway);
  CHECK(reason_of(arp_reply(host, mac_of(host), gateway, kPortMac)) == DropReason::none);
  CHECK(reason_of(arp_request(gateway, Ipv4Address(), mac_of(host))) == DropReason::none);  // probe

  ArpPacket& arp = arp_at(l3_of(frame));
  SECTION("hardware type") {
    arp.hardware_type = be16(6);
  }
  SECTION("protocol type") {
    arp.protocol_type = be16(0x86DD);
  }
  SECTION("hardware length") {
    arp.hardware_length = 8;
  }
  SECTION("protocol length") {
    arp.protocol_length = 16;
  }
  SECTION("operation 0") {
    arp.operation = be16(0);
  }
  SECTION("operation 3") {
    arp.operation = be16(3);
  }
  SECTION("sender with a group MAC") {
    arp.sender_mac = kBroadcastMac;
  }
  SECTION("sender without MAC") {
    arp.sender_mac = MacAddress{};
  }
  SECTION("sender is multicast") {
    arp.sender = be32(0xE0000001);
  }
  SECTION("sender is broadcast") {
    arp.sender = be32(0xFFFFFFFF);
  }
  SECTION("sender is loopback") {
    arp.sender = be32(0x7F000001);
  }
  SECTION("cut short") {
    frame = cut(frame, 41);
  }
  SECTION("answer from no address") {
    arp.operation = be16(2);
    arp.sender = be32(0);
  }
  CHECK(reason_of(frame) == DropReason::arp_malformed);
}

}  // namespace postern::test
