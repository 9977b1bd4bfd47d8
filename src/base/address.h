// SPDX-License-Identifier: BSD-3-Clause
// Ipv4Address, MacAddress, Prefix, AddressRange: the addresses of the field as values, with strict
// text forms. An Ipv4Address holds its number in host order, so that ranges and masks compare;
// on the wire and in keys it is a be32.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/endian.h"

namespace postern {

struct Ipv4Address {
  uint32_t number = 0;  // host order: 192.0.2.1 is 0xC0000201

  constexpr Ipv4Address() = default;
  constexpr explicit Ipv4Address(uint32_t host_order) : number(host_order) {}
  constexpr explicit Ipv4Address(be32 wire) : number(wire.value()) {}
  constexpr Ipv4Address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
      : number(uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d) {}

  constexpr be32 wire() const { return be32(number); }
  constexpr bool is_unspecified() const { return number == 0; }
  constexpr bool is_multicast() const { return number >> 28 == 0xE; }
  constexpr bool is_loopback() const { return number >> 24 == 127; }
  constexpr bool is_limited_broadcast() const { return number == 0xFFFFFFFF; }
  // 240.0.0.0/4 without the limited broadcast address (RFC 1112 section 4).
  constexpr bool is_reserved() const { return number >> 28 == 0xF && !is_limited_broadcast(); }

  friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
};

struct MacAddress {
  std::array<uint8_t, 6> bytes = {};

  constexpr bool is_multicast() const { return (bytes[0] & 1) != 0; }  // broadcast included
  constexpr bool is_broadcast() const {
    return bytes == std::array<uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  }
  constexpr bool is_zero() const { return bytes == std::array<uint8_t, 6>{}; }
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
  // Two loads each, where the comparison of arrays is a call.
  friend constexpr bool operator==(const MacAddress& a, const MacAddress& b) {
    return ((a.high() ^ b.high()) | (a.low() ^ b.low())) == 0;
  }

 private:
  constexpr uint32_t high() const {
    return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 |
           uint32_t{bytes[3]} << 24;
  }
  constexpr uint32_t low() const { return uint32_t{bytes[4]} | uint32_t{bytes[5]} << 8; }
};

constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

constexpr uint32_t mask_of(unsigned prefix_length) {
  return prefix_length == 0 ? 0 : 0xFFFFFFFFu << (32 - prefix_length);
}

// An address with a prefix length. As a network (routes, matches) its host bits are zero; as an
// interface address they are the host.
struct Prefix {
  Ipv4Address address;
  uint8_t length = 0;  // 0..32

  constexpr Ipv4Address network() const { return Ipv4Address(address.number & mask_of(length)); }
  constexpr Ipv4Address last() const { return Ipv4Address(address.number | ~mask_of(length)); }
  constexpr bool has_host_bits() const { return (address.number & ~mask_of(length)) != 0; }
  constexpr bool contains(Ipv4Address other) const {
    return ((other.number ^ address.number) & mask_of(length)) == 0;
  }
  // The directed broadcast address; a /31 and a /32 have none (RFC 3021).
  constexpr bool is_directed_broadcast(Ipv4Address other) const {
    return length < 31 && other == last();
  }
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;
};

// Both ends included; first <= last.
struct AddressRange {
  Ipv4Address first;
  Ipv4Address last;
  constexpr bool contains(Ipv4Address a) const { return first <= a && a <= last; }
  friend constexpr auto operator<=>(const AddressRange&, const AddressRange&) = default;
};

// Dotted quad, four decimal octets without leading zeros (RFC 6943 section 3.1.1: one strict form).
std::optional<Ipv4Address> parse_ipv4(std::string_view text);
// "192.0.2.0/24"; the length is required.
std::optional<Prefix> parse_prefix(std::string_view text);
// "192.0.2.1-192.0.2.9", "192.0.2.0/24" or one address. A prefix with host bits is refused.
std::optional<AddressRange> parse_address_range(std::string_view text);
// Six pairs of hexadecimal digits with colons.
std::optional<MacAddress> parse_mac(std::string_view text);

std::string to_text(Ipv4Address address);
std::string to_text(const Prefix& prefix);
std::string to_text(const AddressRange& range);
std::string to_text(const MacAddress& mac);

}  // namespace postern
