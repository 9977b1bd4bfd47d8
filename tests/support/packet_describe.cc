// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cstdio>

#include "dataplane/wire/headers.h"
#include "support/packet_names.h"
#include "support/packet_text.h"

namespace postern::test {
namespace {

void describe_tcp(std::span<const uint8_t> bytes, PacketText& packet) {
  const TcpHeader& tcp = tcp_at(bytes.data());
  packet.source_port = std::to_string(tcp.source_port.value());
  packet.destination_port = std::to_string(tcp.destination_port.value());
  if (bytes.size() < 8) return;
  packet.fields["seq"] = std::to_string(tcp.sequence.value());
  if (bytes.size() < sizeof tcp) return;
  packet.fields["ack"] = std::to_string(tcp.acknowledgment.value());
  packet.fields["data"] =
      std::to_string(bytes.size() - std::min<size_t>(tcp.header_bytes(), bytes.size()));
  for (const auto& flag : kTcpFlags) {
    if ((tcp.flags & flag.number) == 0) continue;
    packet.kind += (packet.kind.empty() ? "" : ",") + std::string(flag.name);
  }
  if (packet.kind.empty()) packet.kind = "none";
  // The MSS is looked for where every sender puts it: first.
  if (tcp.header_bytes() >= 24 && bytes.size() >= 24 && bytes[20] == 2 && bytes[21] == 4) {
    packet.fields["mss"] = std::to_string(bytes[22] << 8 | bytes[23]);
  }
}

PacketText describe_ipv4(std::span<const uint8_t> l3, bool is_quoted);

void describe_icmp(std::span<const uint8_t> bytes, PacketText& packet) {
  const IcmpHeader& icmp = icmp_at(bytes.data());
  const bool is_error =
      icmp.type == 3 || icmp.type == 4 || icmp.type == 5 || icmp.type == 11 || icmp.type == 12;
  packet.kind = name_of(kIcmpTypes, icmp.type, std::to_string(icmp.type));
  if (is_error || icmp.code != 0) packet.kind += "/" + std::to_string(icmp.code);
  packet.fields["data"] = std::to_string(bytes.size() - sizeof icmp);
  if (!is_error) {
    packet.fields["id"] = std::to_string(icmp.identifier.value());
    packet.fields["icmp-seq"] = std::to_string(icmp.sequence.value());
    return;
  }
  if (icmp.type == 3 && icmp.code == 4)
    packet.fields["mtu"] = std::to_string(icmp.sequence.value());
  packet.about.push_back(describe_ipv4(bytes.subspan(sizeof icmp), true));
}

void describe_transport(uint8_t protocol, std::span<const uint8_t> bytes, PacketText& packet) {
  if (protocol == protocol::tcp && bytes.size() >= 4) describe_tcp(bytes, packet);
  if (protocol == protocol::udp && bytes.size() >= sizeof(UdpHeader)) {
    const UdpHeader& udp = udp_at(bytes.data());
    packet.source_port = std::to_string(udp.source_port.value());
    packet.destination_port = std::to_string(udp.destination_port.value());
    packet.fields["data"] = std::to_string(bytes.size() - sizeof udp);
    if (udp.checksum == be16(0)) packet.fields["sum"] = "0";
  }
  if (protocol == protocol::icmp && bytes.size() >= sizeof(IcmpHeader))
    describe_icmp(bytes, packet);
}

PacketText describe_ipv4(std::span<const uint8_t> l3, bool is_quoted) {
  PacketText packet;
  packet.protocol = "malformed";
  if (l3.size() < sizeof(Ipv4Header)) return packet;
  const Ipv4Header& ip = ipv4_at(l3.data());
  const size_t header = ip.header_bytes(), total = ip.total_length.value();
  if (header < sizeof ip || header > l3.size() || total < header) return packet;
  if (total > l3.size() && !is_quoted) return packet;
  packet.protocol = name_of(kProtocols, ip.protocol, "ip/" + std::to_string(ip.protocol));
  packet.source = to_text(Ipv4Address(ip.source));
  packet.destination = to_text(Ipv4Address(ip.destination));
  const uint16_t flags = ip.flags_and_offset.value();
  const unsigned offset = (flags & 0x1FFFu) * 8;
  const bool more = (flags & 0x2000) != 0;
  packet.fields["ttl"] = std::to_string(ip.ttl);
  packet.fields["tos"] = std::to_string(ip.tos);
  packet.fields["len"] = std::to_string(total);
  packet.fields["ipid"] = std::to_string(ip.identification.value());
  packet.fields["df"] = (flags & 0x4000) != 0 ? "yes" : "no";
  if ((flags & 0x8000) != 0) packet.fields["reserved"] = "1";
  if (offset != 0 || more) packet.fields["frag"] = std::to_string(offset) + (more ? "+" : "");
  if (header > sizeof ip) {
    std::string& options = packet.fields["options"];
    for (size_t i = sizeof ip; i < header; ++i) {
      char byte[3];
      std::snprintf(byte, sizeof byte, "%02x", l3[i]);
      options += byte;
    }
  }
  const auto bytes = l3.subspan(header, std::min(total, l3.size()) - header);
  if (offset == 0) describe_transport(ip.protocol, bytes, packet);
  return packet;
}

PacketText describe_arp(const ArpPacket& arp) {
  PacketText packet;
  packet.protocol = "arp";
  packet.source = to_text(Ipv4Address(arp.sender));
  packet.destination = to_text(Ipv4Address(arp.target));
  packet.kind = arp.operation == be16(1) ? "who-has" : "is-at";
  if (packet.kind == "is-at") packet.fields["mac"] = to_text(arp.sender_mac);
  return packet;
}

// What a line need not say: values that nearly every packet has.
bool is_usual(const std::string& name, const std::string& value) {
  static constexpr std::array kQuiet = {"from-mac", "to-mac", "ipid", "data", "icmp-seq"};
  for (const char* quiet : kQuiet) {
    if (name == quiet) return true;
  }
  return (name == "tos" && value == "0") || (name == "df" && value == "no");
}

void hide_usual(PacketText& packet) {
  std::erase_if(packet.fields,
                [](const auto& field) { return is_usual(field.first, field.second); });
  for (PacketText& quoted : packet.about)
    hide_usual(quoted);
}

}  // namespace

PacketText describe(std::span<const uint8_t> frame) {
  PacketText packet;
  packet.protocol = "malformed";
  if (frame.size() < sizeof(EthernetHeader)) return packet;
  const EthernetHeader& ethernet = ethernet_at(frame.data());
  const auto l3 = frame.subspan(sizeof ethernet);
  if (ethernet.type == be16(ethertype::ipv4)) {
    packet = describe_ipv4(l3, false);
  } else if (ethernet.type == be16(ethertype::arp) && l3.size() >= sizeof(ArpPacket)) {
    packet = describe_arp(arp_at(l3.data()));
  }
  packet.fields["from-mac"] = to_text(ethernet.source);
  packet.fields["to-mac"] = to_text(ethernet.destination);
  return packet;
}

std::string to_text(std::span<const uint8_t> frame) {
  PacketText packet = describe(frame);
  hide_usual(packet);
  return to_text(packet);
}

}  // namespace postern::test
