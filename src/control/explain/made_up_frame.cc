// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain/made_up_frame.h"

#include "dataplane/packet/parse.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

// RFC 1112 section 6.4.
MacAddress multicast_mac(Ipv4Address group) {
  uint32_t n = group.number;
  return {{0x01, 0x00, 0x5e, static_cast<uint8_t>(n >> 16 & 0x7f), static_cast<uint8_t>(n >> 8),
           static_cast<uint8_t>(n)}};
}

MacAddress destination_mac(const MadeUpPacket& packet, const Policy& policy, MacAddress port) {
  Ipv4Address to = packet.destination.address;
  if (to.is_multicast()) return multicast_mac(to);
  bool is_broadcast = to.is_limited_broadcast();
  if (packet.in < policy.interfaces.size()) {
    for (const Prefix& own : policy.interfaces[packet.in].addresses) {
      is_broadcast = is_broadcast || own.is_directed_broadcast(to);
    }
  }
  return is_broadcast ? kBroadcastMac : port;
}

// Returns the length of the transport header.
uint16_t write_transport(const MadeUpPacket& packet, uint8_t* at) {
  switch (packet.protocol) {
    case protocol::tcp: {
      TcpHeader& tcp = tcp_at(at);
      tcp.source_port = be16(packet.source.port);
      tcp.destination_port = be16(packet.destination.port);
      tcp.data_offset = sizeof tcp / 4 << 4;
      tcp.flags = packet.tcp_flags;
      return sizeof tcp;
    }
    case protocol::udp: {
      UdpHeader& udp = udp_at(at);
      udp.source_port = be16(packet.source.port);
      udp.destination_port = be16(packet.destination.port);
      udp.length = be16(sizeof udp);
      return sizeof udp;
    }
    case protocol::icmp: {
      IcmpHeader& icmp = icmp_at(at);
      icmp.type = packet.icmp_type;
      icmp.code = packet.icmp_code;
      icmp.identifier = be16(packet.source.port);
      return sizeof icmp;
    }
    default:
      return 8;  // of whatever: enough for the smallest pieces of GRE and ESP
  }
}

}  // namespace

MadeUpFrame::MadeUpFrame(const MadeUpPacket& packet, const Policy& policy) : in_(packet.in) {
  MacAddress port;
  if (in_ < policy.interfaces.size()) port = policy.interfaces[in_].mac;
  uint8_t* frame = bytes_.data() + kHeadroomMin;
  EthernetHeader& ethernet = ethernet_at(frame);
  ethernet.destination = destination_mac(packet, policy, port);
  ethernet.source = {{0x02, 0, 0, 0, 0, 0x02}};
  ethernet.type = be16(ethertype::ipv4);

  constexpr uint16_t kL3 = sizeof(EthernetHeader);
  constexpr uint16_t kL4 = kL3 + sizeof(Ipv4Header);
  auto total = static_cast<uint16_t>(sizeof(Ipv4Header) + write_transport(packet, frame + kL4));
  Ipv4Header& ip = ipv4_at(frame + kL3);
  ip.version_and_length = 0x45;
  ip.total_length = be16(total);
  ip.ttl = 64;
  ip.protocol = packet.protocol;
  ip.source = packet.source.address.wire();
  ip.destination = packet.destination.address.wire();
  ip.checksum = be16::from_raw(static_cast<uint16_t>(~sum(frame + kL3, sizeof ip)));

  packet_.frame = frame;
  packet_.length = static_cast<uint16_t>(kL3 + total);
  packet_.from_host = in_ == kGateway;
  packet_.ingress = in_;
  reason_ = parse(packet_, port);
}

}  // namespace postern
