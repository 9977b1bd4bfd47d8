// SPDX-License-Identifier: BSD-3-Clause
// parse(): bytes of a frame -> Packet, or the reason why not. After it the headers may be trusted.
//
// Checks of RFC 1812 section 5.2.2 (version, lengths, checksum), no source routes (RFC 7126; other
// well-formed options pass), transport headers present in full, TCP data offset and UDP length
// within the datagram, tiny and overlong fragments (RFC 1858), implausible TCP flags, martian
// sources (multicast, broadcast, loopback, 0/8, 240/4, the destination itself; unspecified only in
// frames to a multicast MAC, for DHCP), destinations that no router forwards to (0/8, loopback,
// 240/4). Ethernet padding behind the datagram is cut off (packet.length shrinks). Neither
// allocates nor reads beyond packet.length. The transport checksum is the receiver's business (RFC
// 1812 has a router leave it alone); it is kept right by differences.
//
// Of a refused packet everything that could be read is told as well, for the log: the kind is ipv4
// once the IPv4 header is whole and its checksum holds.
#pragma once

#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/packet.h"

namespace postern {

// Fills "set by parse". DropReason::none: go on. `port_mac`: frames to other unicast addresses are
// not_our_mac.
DropReason parse(Packet& packet, const MacAddress& port_mac);
// The same from the IPv4 header on: packet.l3_offset is set already.
DropReason parse_ipv4(Packet& packet);

}  // namespace postern
