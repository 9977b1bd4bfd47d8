// SPDX-License-Identifier: BSD-3-Clause
// Name: a domain name in wire form without compression, in a buffer of its own (RFC 1035 section
// 3.1). Names are compared and kept lower-cased (RFC 4343); what a client wrote stays in its
// packet.
//
// Values without allocation; a Name is at most 255 octets with labels of at most 63. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"

namespace postern::dns {

using Bytes = std::span<const uint8_t>;

constexpr size_t kNameBytesMax = 255;
constexpr size_t kLabelBytesMax = 63;

class Name {
 public:
  Name() { bytes_[0] = 0; }  // the root; the rest is never read
  // `wire` is a whole name without compression, at most kNameBytesMax octets.
  explicit Name(Bytes wire);

  // With the zero octet of the root.
  Bytes wire() const { return {bytes_.data(), size_}; }
  // The same octets as text, for keys of maps.
  std::string_view key() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }
  size_t size() const { return size_; }
  bool is_root() const { return size_ == 1; }
  void make_lower();
  // Appends one label in front of the root; false when the name would be too long.
  bool append(Bytes label);
  // Appends all of `other`; false when the name would be too long.
  bool append(const Name& other);

  friend bool operator==(const Name& a, const Name& b) { return a.key() == b.key(); }

 private:
  std::array<uint8_t, kNameBytesMax> bytes_;
  uint8_t size_ = 1;
};

inline uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c | 0x20) : c;
}

// The name of the next level up: "www.example" -> "example". The root has none and stays.
std::string_view parent_of(std::string_view key);
// How many labels; the root has 0.
size_t count_labels(std::string_view key);
// Whether `key` is `zone` or below it; both lower-cased wire form.
bool is_within(std::string_view key, std::string_view zone);
// Equal but for the case of letters.
bool is_same_name(Bytes a, Bytes b);

// Reads the name at `at` of a message and follows its compression (RFC 1035 section 4.1.4).
// Returns where the name ends in place; empty when it is broken: pointers lead back only, so they
// end, there are no more of them than a name has labels, and the expanded name is bounded.
std::optional<size_t> read_name(Bytes message, size_t at, Name& name);
// Passes over the name at `at` and checks its labels, not where a pointer leads.
std::optional<size_t> skip_name(Bytes message, size_t at);

// A name as people write it, lower-cased, with or without the last dot: letters, digits, hyphens
// and underscores in labels (no escapes). Empty when it is none. "." is the root.
std::optional<Name> parse_name(std::string_view text);
// "www.example", octets that are no such letters as \DDD; "." for the root.
std::string to_text(const Name& name);

// The zone of a network: 10.20.0.0/16 -> 20.10.in-addr.arpa (RFC 1035 section 3.5). The length is
// rounded down to octets.
Name reverse_zone(const Prefix& prefix);
// The address of such a name of four numbers; empty when it is another name.
std::optional<Ipv4Address> address_of_reverse(const Name& name);

}  // namespace postern::dns
