// SPDX-License-Identifier: BSD-3-Clause
// The fixed bounds that more than one file knows, each with its reason; a bound of one file stands
// there. What a user may want to change is a key of the configuration instead (system.limits).
#pragma once

#include <cstddef>
#include <cstdint>

namespace postern {

// --- shape of the machine
constexpr unsigned kInterfacesMax = 32;  // DPDK 22.11 is built for 32 ports; ids fit 5 bits
constexpr unsigned kWorkersMax = 64;     // owner ids fit a byte with room to spare
// What one worker writes lies in lines of its own: 64 bytes each, fetched in pairs by some
// processors.
constexpr size_t kOwnLines = 128;
constexpr unsigned kBurstMax = 64;  // packets taken from a queue at once: one prefetch window
constexpr unsigned kAddressesPerInterfaceMax = 16;  // several networks on one wire, not a farm

// --- frames
constexpr unsigned kHeadroomMin = 128;  // bytes before a frame; an ICMP error needs 28 of them
constexpr unsigned kMtuMin = 68;        // RFC 791: every network carries 68 octets
constexpr unsigned kMtuMax = 9000;      // largest common jumbo frame; sizes the packet buffers

// --- work per turn, so that no turn is long
constexpr unsigned kExpirationsPerBurst = 16;  // sessions ended for age in one turn
constexpr unsigned kAgesCheckedPerCall = 64;   // sessions put back in order of age in one call
constexpr unsigned kRejudgedPerTurn = 64;      // quiet sessions judged again in one turn
constexpr unsigned kReleasedPerTurn = 64;      // held packets let go in one turn
constexpr unsigned kGivenUpForOne = 4;         // sessions given up to make room for a new one

// --- bounded queues
constexpr unsigned kHeldPerNeighbor = 4;     // RFC 1122 2.3.2.2 asks for at least one
constexpr unsigned kHeldNeighborsMax = 256;  // unresolved next hops per worker
constexpr unsigned kFragmentTrains = 1024;   // datagrams in flight in pieces, per worker
constexpr unsigned kFragmentsHeldMax = 256;  // pieces waiting for their first one, per worker
constexpr unsigned kLogRing = 8192;          // records per worker; beyond it they are counted
constexpr unsigned kFlowRing = 8192;         // likewise, for IPFIX
constexpr unsigned kEventRing = 1024;        // worker -> control
constexpr unsigned kInjectRing = 256;        // control -> worker frames
// Packets that wait for one worker, their owner: for each other worker, and of all of them at most.
constexpr unsigned kHandOffRing = 1024, kHandOffRingMax = 4096;
constexpr unsigned kNeighborsMax = 16384;  // all interfaces together

// --- rates
// Deny answers and ICMP errors per worker (RFC 1812 4.3.2.8), inside and outside each.
constexpr unsigned kRepliesPerSecond = 100;
constexpr unsigned kRepliesBurst = 50;
// Log records that no rule asked for (forged sources, evasion), per worker and reason: less than
// 10 MB an hour for each.
constexpr unsigned kRefusalsLoggedPerSecond = 10;

// --- policy
constexpr unsigned kRulesMax = 65535;      // rule index fits 16 bits plus kNoRule
constexpr unsigned kNextRulesMax = 64;     // rules with action continue in one policy
constexpr unsigned kMatchItemsMax = 4096;  // ranges of one rule after objects are resolved
constexpr unsigned kListedRulesMax = 4;    // in force; a list this short is not compiled
constexpr size_t kClassifierBytesMax =
    size_t{64} << 20;  // 50 times what 10,000 usual rules need; a reload has two

}  // namespace postern
