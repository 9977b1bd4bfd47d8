// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/reply.h"

#include <catch2/catch.hpp>

#include "dataplane/packet/parse.h"
#include "dataplane/wire/headers.h"
#include "support/packet_match.h"

namespace postern::test {

namespace {

constexpr const char* kHostPort = "192.168.1.10:5000";
constexpr const char* kServerPort = "198.51.100.7:80";
const Ipv4Address kGatewayAddress(192, 168, 1, 1);

Packet parsed(Frame& frame) {
  Packet packet = frame.packet();
  REQUIRE(parse(packet, kPortMac) == DropReason::none);
  return packet;
}

Frame copy_of(const Packet& packet) {
  return Frame(packet.bytes());
}

// What the packet says of itself must be what parse makes of its bytes.
void check_described(const Packet& packet) {
  Frame frame = copy_of(packet);
  Packet again = frame.packet();
  again.from_host = true;  // whoever answers may have any address
  REQUIRE(parse_ipv4(again) == DropReason::none);
  CHECK(again.kind == packet.kind);
  CHECK(again.key == packet.key);
  CHECK(again.length == packet.length);
  CHECK(again.l3_length == packet.l3_length);
  CHECK(again.l4_offset == packet.l4_offset);
  CHECK(again.ttl == packet.ttl);
  CHECK(again.identification == packet.identification);
  CHECK(again.dont_fragment == packet.dont_fragment);
  CHECK(again.is_fragment == packet.is_fragment);
  CHECK(again.is_icmp_error == packet.is_icmp_error);
  CHECK(again.tcp_flags == packet.tcp_flags);
  CHECK(again.icmp_type == packet.icmp_type);
  CHECK(again.icmp_code == packet.icmp_code);
}

std::vector<Frame> fragments_of(const Packet& packet, uint16_t mtu) {
  std::vector<Frame> frames;
  std::vector<uint8_t> room(mtu + 14u);
  for (unsigned i = 0; i < fragments_needed(packet, mtu); ++i) {
    const uint16_t length = write_fragment(packet, mtu, i, room.data());
    REQUIRE(length <= room.size());
    frames.emplace_back(std::span(room).first(length));
  }
  return frames;
}

// Puts pieces together as a receiver does; "" bytes where one is missing.
std::vector<uint8_t> payload_of(std::vector<Frame>& frames) {
  std::vector<uint8_t> bytes;
  for (Frame& frame : frames) {
    Packet piece = parsed(frame);
    CHECK_THAT(frame, checksums_hold());
    CHECK(piece.fragment_offset == bytes.size());
    CHECK(piece.more_fragments == (&frame != &frames.back()));
    bytes.insert(bytes.end(), piece.l4(), piece.frame + piece.length);
  }
  return bytes;
}

}  // namespace

TEST_CASE("packet/reply: no error about errors, pieces, groups or nobody", "[RFC1122-3.2.2]") {
  auto may = [](Frame frame) {
    Packet packet = parsed(frame);
    return may_answer_with_error(packet);
  };
  CHECK(may(udp(kHostPort, kServerPort).build()));
  CHECK(may(udp(kHostPort, kServerPort).fragment(0, true).length(60).build()));
  CHECK(may(echo_request("192.168.1.10", "198.51.100.7", 1).build()));
  CHECK_FALSE(may(icmp("192.168.1.10", "198.51.100.7", 3, 1).build()));
  CHECK_FALSE(may(udp(kHostPort, kServerPort).fragment(80, true).length(60).build()));
  CHECK_FALSE(may(udp(kHostPort, kServerPort).to_mac(kBroadcastMac).build()));
  CHECK_FALSE(may(udp(kHostPort, "224.0.0.251:5353").build()));
  CHECK_FALSE(may(udp(kHostPort, "255.255.255.255:67").to_mac(kPortMac).build()));
  CHECK_FALSE(may(udp("0.0.0.0:68", "255.255.255.255:67").build()));
  CHECK_FALSE(may(arp_request(kGatewayAddress, kGatewayAddress, kPortMac)));
}

TEST_CASE("packet/reply: an ICMP error goes back to the source and quotes the packet",
          "[RFC792][RFC1812-4.3.2.2]") {
  Frame frame = udp(kHostPort, kServerPort).ttl(1).identification(99).payload(40).build();
  Packet packet = parsed(frame);
  turn_into_icmp_error(packet, icmp_type::time_exceeded, 0, 0, kGatewayAddress);
  check_described(packet);
  const Frame error = copy_of(packet);
  CHECK_THAT(error, checksums_hold());
  CHECK_THAT(error, reads("icmp 192.168.1.1 -> 192.168.1.10 time-exceeded/0 ttl=64 tos=192 len=96 "
                          "about udp 192.168.1.10:5000 -> 198.51.100.7:80 ttl=1 ipid=99 data=40"));
  CHECK(packet.frame >= frame.bytes().data() - kHeadroomMin);
}

TEST_CASE("packet/reply: the next-hop MTU is told, and quotes end at 576 bytes",
          "[RFC1191-4][RFC1812-4.3.2.3]") {
  Frame frame = tcp(kHostPort, kServerPort).dont_fragment().payload(1460).build();
  Packet packet = parsed(frame);
  turn_into_icmp_error(packet, icmp_type::unreachable, unreachable_code::fragmentation_needed, 1400,
                       kGatewayAddress);
  check_described(packet);
  CHECK(packet.l3_length == 576);
  const Frame error = copy_of(packet);
  CHECK_THAT(error, checksums_hold());
  CHECK_THAT(error, reads("icmp 192.168.1.1 -> 192.168.1.10 unreachable/4 mtu=1400 "
                          "about tcp 192.168.1.10:5000 -> 198.51.100.7:80 ack df len=1500"));
}

TEST_CASE("packet/reply: a packet with options is quoted with them") {
  Frame frame = udp(kHostPort, kServerPort).options({0x94, 4, 0, 0}).build();
  Packet packet = parsed(frame);
  turn_into_icmp_error(packet, 3, 13, 0, kGatewayAddress);
  check_described(packet);
  CHECK_THAT(copy_of(packet), checksums_hold());
  CHECK_THAT(copy_of(packet),
             reads("icmp 192.168.1.1 -> 192.168.1.10 unreachable/13 "
                   "about udp 192.168.1.10:5000 -> 198.51.100.7:80 options=94040000"));
}

TEST_CASE("packet/reply: a reset has the numbers that the opener accepts", "[RFC9293-3.10.7.1]") {
  auto [flags, data, expected] = GENERATE(table<uint8_t, uint16_t, const char*>({
      {tcp_flag::syn, 0, "rst,ack seq=0 ack=1001"},
      {tcp_flag::syn, 10, "rst,ack seq=0 ack=1011"},  // with data, as TCP Fast Open sends
      {tcp_flag::ack, 0, "rst seq=555 ack=0"},
      {tcp_flag::ack | tcp_flag::psh, 10, "rst seq=555 ack=0"},
      {tcp_flag::syn | tcp_flag::ack, 0, "rst seq=555 ack=0"},
      {tcp_flag::fin | tcp_flag::ack, 0, "rst seq=555 ack=0"},
  }));
  Frame frame = tcp(kHostPort, kServerPort)
                    .flags(flags)
                    .sequence(1000)
                    .acknowledgment(555)
                    .payload(data)
                    .build();
  Packet packet = parsed(frame);
  turn_into_tcp_reset(packet);
  check_described(packet);
  const Frame reset = copy_of(packet);
  CHECK_THAT(reset, checksums_hold());
  CHECK_THAT(
      reset,
      reads(std::string("tcp 198.51.100.7:80 -> 192.168.1.10:5000 len=40 ttl=64 df ") + expected));
}

TEST_CASE("packet/reply: options of both headers count as no data, and numbers wrap",
          "[RFC9293-3.10.7.1]") {
  Frame frame = tcp(kHostPort, kServerPort)
                    .syn()
                    .sequence(0xFFFFFFFF)
                    .mss(1460)
                    .options({0x94, 4, 0, 0})
                    .build();
  Packet packet = parsed(frame);
  turn_into_tcp_reset(packet);
  check_described(packet);
  CHECK_THAT(copy_of(packet), checksums_hold());
  CHECK_THAT(copy_of(packet),
             reads("tcp 198.51.100.7:80 -> 192.168.1.10:5000 rst,ack len=40 ack=0"));
}

TEST_CASE("packet/reply: an ARP reply names the address asked for", "[RFC826]") {
  const Ipv4Address host(192, 168, 1, 10);
  Frame frame = arp_request(kGatewayAddress, host, mac_of(host));
  Packet packet = parsed(frame);
  turn_into_arp_reply(packet, kPortMac);
  CHECK(to_text(frame.bytes()) == "arp 192.168.1.1 is-at 02:00:00:00:00:01");
  const PacketText told = describe(frame.bytes());
  CHECK(told.destination == "192.168.1.10");
  CHECK(told.fields.at("to-mac") == "02:00:c0:a8:01:0a");
  CHECK(told.fields.at("from-mac") == "02:00:00:00:00:01");
  CHECK(arp_at(packet.l3()).target_mac == mac_of(host));
}

TEST_CASE("packet/reply: an ARP request asks everybody, or one host alone", "[RFC826]") {
  const Ipv4Address host(192, 168, 1, 10);
  const MacAddress to = GENERATE(kBroadcastMac, MacAddress{{2, 0, 0, 0, 0, 9}});
  std::vector<uint8_t> bytes(kArpFrameBytes, 0xEE);
  write_arp_request(bytes.data(), kPortMac, kGatewayAddress, host, to);
  Frame frame{std::span<const uint8_t>(bytes)};
  CHECK(to_text(frame.bytes()) == "arp 192.168.1.1 who-has 192.168.1.10");
  CHECK(ethernet_at(frame.bytes().data()).destination == to);
  CHECK(arp_at(frame.bytes().data() + 14).target_mac == (to.is_broadcast() ? MacAddress{} : to));
  Packet packet = frame.packet();
  CHECK(parse(packet, to) == DropReason::none);
  CHECK(std::all_of(bytes.begin() + 42, bytes.end(), [](uint8_t byte) { return byte == 0; }));
}

TEST_CASE("packet/reply: pieces fit the MTU and give the datagram again", "[RFC791-3.2]") {
  const uint16_t mtu = GENERATE(68, 100, 576, 1400, 1492);
  const uint16_t data = GENERATE(53, 547, 1480, 4000, 8192);
  Frame frame = udp(kHostPort, kServerPort).payload(data).identification(7).build();
  Packet packet = parsed(frame);
  auto frames = fragments_of(packet, mtu);
  if (packet.l3_length <= mtu) {
    REQUIRE(frames.size() == 1);
    CHECK(std::ranges::equal(frames[0].bytes(), frame.bytes()));
    return;
  }
  for (Frame& piece : frames) {
    CHECK(parsed(piece).l3_length <= mtu);
    CHECK(parsed(piece).identification == 7);
    CHECK(parsed(piece).ttl == 64);
  }
  const std::vector<uint8_t> whole = payload_of(frames);
  CHECK(std::ranges::equal(whole, std::span(packet.l4(), packet.frame + packet.length)));
}

TEST_CASE("packet/reply: no piece is spent where the rest just fits") {
  Frame frame = udp(kHostPort, kServerPort).length(1481 + 20 + 1376).build();
  Packet packet = parsed(frame);
  CHECK(fragments_needed(packet, 1400) == 3);
  packet.l3_length = 1376 + 1380 + 20;  // the last piece may hold 1380 bytes, no multiple of eight
  CHECK(fragments_needed(packet, 1400) == 2);
  packet.l3_length = 1376 + 1381 + 20;
  CHECK(fragments_needed(packet, 1400) == 3);
}

TEST_CASE("packet/reply: only options with the copy bit go into later pieces", "[RFC791-3.1]") {
  // router alert (copied), record route (not copied), no-operation
  Frame frame = udp(kHostPort, kServerPort)
                    .options({7, 7, 4, 0, 0, 0, 0, 1, 0x94, 4, 0, 0, 0})
                    .payload(400)
                    .build();
  Packet packet = parsed(frame);
  auto frames = fragments_of(packet, 200);
  REQUIRE(frames.size() == 3);
  CHECK(describe(frames[0].bytes()).fields.at("options") == "07070400000000019404000000000000");
  CHECK(describe(frames[1].bytes()).fields.at("options") == "94040000");
  CHECK(describe(frames[2].bytes()).fields.at("options") == "94040000");
  CHECK(
      std::ranges::equal(payload_of(frames), std::span(packet.l4(), packet.frame + packet.length)));
}

TEST_CASE("packet/reply: a piece is cut again without forgetting where it was", "[RFC791-3.2]") {
  Frame frame = udp(kHostPort, kServerPort).fragment(1480, true, 5000).length(1500).build();
  Packet packet = parsed(frame);
  auto frames = fragments_of(packet, 576);
  REQUIRE(frames.size() == 3);
  CHECK(describe(frames[0].bytes()).fields.at("frag") == "1480+");
  CHECK(describe(frames[1].bytes()).fields.at("frag") == "2032+");
  CHECK(describe(frames[2].bytes()).fields.at("frag") == "2584+");
  CHECK(describe(frames[2].bytes()).fields.at("len") == "396");
}

}  // namespace postern::test
