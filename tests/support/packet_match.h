// SPDX-License-Identifier: BSD-3-Clause
// Catch2 matchers over frames:
//
//   CHECK_THAT(frame, checksums_hold());
//   CHECK_THAT(frame, reads("icmp 192.0.2.1 -> 203.0.113.1 unreachable/13"));
#pragma once

#include <catch2/catch.hpp>
#include <span>
#include <string>

#include "support/packet_builder.h"
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

class ChecksumsHold : public Catch::MatcherBase<Frame> {
 public:
  bool match(const Frame& frame) const override { return broken_checksum(frame.bytes()).empty(); }
  std::string describe() const override { return "has right checksums"; }
};

class Reads : public Catch::MatcherBase<Frame> {
 public:
  explicit Reads(std::string text) : text_(std::move(text)) {}
  bool match(const Frame& frame) const override;
  std::string describe() const override { return "reads " + text_; }

 private:
  std::string text_;
};

inline ChecksumsHold checksums_hold() {
  return {};
}
inline Reads reads(std::string text) {
  return Reads(std::move(text));
}

}  // namespace postern::test

namespace Catch {
template <>
struct StringMaker<postern::test::Frame> {
  static std::string convert(const postern::test::Frame& frame) {
    return postern::test::to_text(frame.bytes());
  }
};
}  // namespace Catch
