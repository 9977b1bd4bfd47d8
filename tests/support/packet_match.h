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
#include "support/packet_compare.h"
#include "support/packet_text.h"

namespace postern::test {

class ChecksumsHold : public Catch::MatcherBase<Frame> {
 public:
  bool match(const Frame& frame) const override { return broken_checksum(frame.bytes()).empty(); }
  std::string describe() const override { return "has right checksums"; }
};

class Reads : public Catch::MatcherBase<Frame> {
 public:
  explicit Reads(std::string text) : text_(std::move(text)) {}
  bool match(const Frame& frame) const override {
    auto expected = read_packet_text(text_);
    Bindings none;
    return expected && difference_between(*expected, test::describe(frame.bytes()), none).empty();
  }
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
