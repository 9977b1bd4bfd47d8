// SPDX-License-Identifier: BSD-3-Clause
// Padding of queries that travel encrypted, so that their length tells little (RFC 7830; RFC 8467
// section 4.1: to a multiple of 128 octets).
//
// No state; any thread. Bound: a message of 65,535 octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace postern::dns {

constexpr size_t kQueryPaddingBlock = 128;

// Appends a Padding option to the OPT record of `message` so that its length becomes a multiple of
// `block`. False, and nothing changed: the message has no OPT record as its last one (a server
// without EDNS is asked without padding), it is padded already, or it cannot be read.
bool pad_query(std::vector<uint8_t>& message, size_t block = kQueryPaddingBlock);

}  // namespace postern::dns
