// SPDX-License-Identifier: BSD-3-Clause
// Replies made out of the offending packet itself, in its own buffer: ICMP errors, TCP resets, ARP
// replies; and the cutting of a datagram into fragments. Headers come out complete with checksums;
// Ethernet addresses are the caller's business except for ARP.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "dataplane/packet/packet.h"

namespace postern {

// Whether RFC 1122 3.2.2 and RFC 1812 4.3.2.7 permit an ICMP error about this packet: not about
// ICMP errors, later fragments, packets to broadcast or multicast (either layer), or from no single
// host.
bool may_answer_with_error(const Packet& packet);

// Turns the packet into an ICMP error about itself, from `from` to its source, quoting as much as
// fits into 576 bytes (RFC 1812 4.3.2.3). `mtu` goes into type 3 code 4 (RFC 1191), else zero. Uses
// the headroom. TTL 64, TOS 0xC0 kept simple: precedence 6 as RFC 1812 4.3.2.5 asks. The packet is
// parsed again (packet.key is the error's).
void turn_into_icmp_error(Packet& packet, uint8_t type, uint8_t code, uint16_t mtu,
                          Ipv4Address from);

// Turns a TCP segment into the reset that answers it (RFC 9293 3.10.7.1): RST/ACK with ack = seq +
// length + SYN + FIN when it carried no ACK, else RST with seq = its ack. Addresses and ports
// swapped. Not for segments with RST.
void turn_into_tcp_reset(Packet& packet);

// Turns an ARP request into its reply: `mac` has the address asked for.
void turn_into_arp_reply(Packet& packet, const MacAddress& mac);

// Writes an ARP request (60 bytes, padded) into `out`; `target_mac` broadcast to ask everybody,
// unicast to probe.
constexpr uint16_t kArpFrameBytes = 60;
void write_arp_request(uint8_t* out, const MacAddress& from_mac, Ipv4Address from,
                       Ipv4Address target, const MacAddress& target_mac);

// Fragmentation on the way out (RFC 791 section 3.2): how many pieces an IPv4 packet needs for
// `mtu`, and writing piece `index` (Ethernet header included) to `out`, which holds mtu + 14 bytes.
// Returns the frame's length.
unsigned fragments_needed(const Packet& packet, uint16_t mtu);
uint16_t write_fragment(const Packet& packet, uint16_t mtu, unsigned index, uint8_t* out);

}  // namespace postern
