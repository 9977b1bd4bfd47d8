// SPDX-License-Identifier: BSD-3-Clause
// Rewrite: what becomes of the headers of one direction of a session, worked out once.
//
// Addresses and ports are written whether they change or not (no branch), checksums are updated by
// precomputed differences (RFC 1624). Fragments without a transport header and ICMP identifiers are
// handled here and nowhere else.
#pragma once

#include <cstdint>

#include "dataplane/packet/packet.h"

namespace postern {

struct Rewrite {
  be32 source, destination;
  be16 source_port, destination_port;  // ICMP query: as in FlowKey
  uint16_t ip_delta = 0;               // one's complement difference for the IPv4 header checksum
  uint16_t transport_delta = 0;        // and for TCP, UDP (pseudo header and ports), or ICMP (id)
};
static_assert(sizeof(Rewrite) == 16);

// The rewrite that turns packets with key `from` into packets with key `to` (same protocol).
Rewrite make_rewrite(const FlowKey& from, const FlowKey& to);

// Applies it to a parsed packet in place and updates packet.key. UDP checksum zero stays zero and
// is never produced (RFC 768); later fragments change in the IPv4 header only.
void apply(const Rewrite& rewrite, Packet& packet);

// Lowers the MSS option of a TCP SYN to `mss_max` where it is larger, with the checksum kept right.
// Malformed options are left alone.
void clamp_mss(Packet& packet, uint16_t mss_max);

}  // namespace postern
