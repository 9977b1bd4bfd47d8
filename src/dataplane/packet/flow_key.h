// SPDX-License-Identifier: BSD-3-Clause
// FlowKey: the five-tuple of a packet as it was received, 16 bytes, compared as two words.
//
// ICMP queries have one identifier where TCP and UDP have two ports (RFC 5508 section 3): it stands
// as the source port of a request and as the destination port of a reply, the other port being
// zero, so that a reply's key is its request's key turned round, as for every protocol. Protocols
// without ports have zero in both.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/address.h"
#include "base/endian.h"

namespace postern {

namespace protocol {
constexpr uint8_t icmp = 1, igmp = 2, tcp = 6, udp = 17, gre = 47, esp = 50, ah = 51, ospf = 89,
                  sctp = 132;
}  // namespace protocol

// Which space a key belongs to, so that several kinds may share a table.
enum class KeySpace : uint8_t {
  flow = 0,               // a packet of a session
  internal_endpoint = 1,  // mapping by its internal endpoint
  external_endpoint = 2,  // mapping by its external endpoint
};

struct FlowKey {
  be32 source;
  be32 destination;
  be16 source_port;
  be16 destination_port;
  uint8_t protocol = 0;
  KeySpace space = KeySpace::flow;
  uint16_t icmp_kind = 0;  // ICMP: icmp_kind_of its type (icmp_query.h); else 0

  friend bool operator==(const FlowKey& a, const FlowKey& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  }
  // The key of packets in the other direction of the same untranslated flow.
  constexpr FlowKey reversed() const;
};
static_assert(sizeof(FlowKey) == 16);

// The same as two words: both addresses; both ports, protocol and the rest. As they lie in memory.
struct KeyWords {
  uint64_t addresses, others;
  friend bool operator==(const KeyWords&, const KeyWords&) = default;
};
static_assert(sizeof(KeyWords) == sizeof(FlowKey));

// A key written field by field and soon read as words waits for its stores; keys that are made to
// be looked up are made of words.
struct KeySide {
  be32 address;
  be16 port;
};
constexpr KeyWords words_of(KeySide source, KeySide destination, uint8_t protocol, KeySpace space) {
  return {source.address.raw() | uint64_t{destination.address.raw()} << 32,
          source.port.raw() | uint64_t{destination.port.raw()} << 16 | uint64_t{protocol} << 32 |
              static_cast<uint64_t>(space) << 40};
}

constexpr FlowKey FlowKey::reversed() const {
  const auto words = std::bit_cast<KeyWords>(*this);
  const auto ports = std::rotl(static_cast<uint32_t>(words.others), 16);
  return std::bit_cast<FlowKey>(
      KeyWords{std::rotl(words.addresses, 32), (words.others >> 32 << 32) | ports});
}

// Address and port (or ICMP query identifier) of one party.
struct Endpoint {
  Ipv4Address address;
  uint16_t port = 0;  // host order
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

constexpr bool has_ports(uint8_t proto) {
  return proto == protocol::tcp || proto == protocol::udp;
}
// Protocols whose endpoints a NAT can tell apart by a 16-bit number.
constexpr bool has_identifier(uint8_t proto) {
  return has_ports(proto) || proto == protocol::icmp;
}

}  // namespace postern
