// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors through a NAT (RFC 5508 section 4, RFC 792): the packet quoted inside belongs to a
// session; the error is translated outside and inside so that its receiver recognises its own
// packet.
#pragma once

#include <optional>

#include "dataplane/nat/rewrite.h"
#include "dataplane/packet/packet.h"

namespace postern {

// The flow that an ICMP error is about, as the quoted packet had it on the wire on which the error
// came. The session's key for it is `quoted.reversed()`: the error travels against the quoted
// packet. Empty: truncated, a wrong checksum of ICMP or of the quoted IPv4 header, a quoted ICMP
// error, or a quoted later fragment (nothing to tell sessions apart by).
std::optional<FlowKey> quoted_key(const Packet& error);

// Translates an error whose quoted packet was sent in the direction of `quoted_key()` as received:
// `reply` is the rewrite of the direction in which the error travels (the one found by
// quoted.reversed()). The quoted packet's addresses, ports and checksums are put back, the outer
// addresses follow: outer destination is the translated destination; outer source stays the
// router's own address unless it is the quoted destination itself or `hide_source` is set (F07:
// then it becomes the rewrite's source). All three checksums hold afterwards.
void translate_error(Packet& error, const Rewrite& reply, bool hide_source);

}  // namespace postern
