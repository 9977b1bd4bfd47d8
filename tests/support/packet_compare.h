// SPDX-License-Identifier: BSD-3-Clause
// Judgements about frames that say what is wrong, for matchers, flow scripts and fuzzers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "support/packet_text.h"

namespace postern::test {

// Which checksum of a frame is wrong, "" when all hold: IPv4, TCP, UDP and ICMP where the datagram
// is whole, the header of a quoted packet, and the checksum of a quoted UDP or TCP packet where it
// is quoted in full. ARP has none. A piece of a datagram is judged by its IPv4 header alone.
std::string broken_checksum(std::span<const uint8_t> frame);

// Values of variables by name, with the "$".
using Bindings = std::map<std::string, std::string>;
// What of `expected` is not so in `observed`, "" when it matches; only what `expected` mentions
// counts, but a piece never matches what mentions no `frag`. Unbound variables take the value they
// meet; "*" meets all.
std::string difference_between(const PacketText& expected, const PacketText& observed,
                               Bindings& bindings);

}  // namespace postern::test
