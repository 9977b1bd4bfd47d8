// SPDX-License-Identifier: BSD-3-Clause
#include "cli/pcapng.h"

#include <catch2/catch.hpp>

#include "cli/capture_sink.h"

namespace postern::cli {
namespace {

std::string hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char c : bytes) {
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

}  // namespace

// The bytes as the format's specification has them, little-endian.
TEST_CASE("cli/pcapng: section and interfaces", "[P13]") {
  CHECK(hex(pcapng::section_header("gw")) ==
        "0a0d0d0a"
        "28000000"
        "4d3c2b1a"
        "01000000"
        "ffffffffffffffff"
        "0400"
        "0200"
        "67770000"
        "00000000"
        "28000000");
  CHECK(hex(pcapng::interface_description("lan", 256)) ==
        "01000000"
        "28000000"
        "0100"
        "0000"
        "00010000"
        "0200"
        "0300"
        "6c616e00"
        "0900"
        "0100"
        "09000000"
        "00000000"
        "28000000");
}

TEST_CASE("cli/pcapng: a frame with its time, direction and comment", "[P13]") {
  const uint8_t bytes[] = {1, 2, 3, 4, 5};
  pcapng::Frame frame;
  frame.interface = 2;
  frame.time_ns = 0x0000000100000002;
  frame.bytes = bytes;
  frame.length = 60;
  frame.is_outbound = true;
  frame.comment = "sent";
  CHECK(hex(pcapng::enhanced_packet(frame)) ==
        "06000000"
        "3c000000"
        "02000000"
        "01000000"
        "02000000"
        "05000000"
        "3c000000"
        "0102030405000000"
        "0200"
        "0400"
        "02000000"
        "0100"
        "0400"
        "73656e74"
        "00000000"
        "3c000000");
}

TEST_CASE("cli/pcapng: what was lost stands in the statistics", "[P13]") {
  CHECK(hex(pcapng::interface_statistics(1, 3, 10, 4)) ==
        "05000000"
        "34000000"
        "01000000"
        "00000000"
        "03000000"
        "0400"
        "0800"
        "0a00000000000000"
        "0500"
        "0800"
        "0400000000000000"
        "00000000"
        "34000000");
}

TEST_CASE("cli/capture_sink: a dropped frame in one line and as a comment", "[P13]") {
  const Json frame = {{"time_ns", int64_t{1'000'000'123'456'789}},
                      {"interface", "lan"},
                      {"stage", "dropped"},
                      {"protocol", "tcp"},
                      {"source", "192.168.1.10:5000"},
                      {"destination", "198.51.100.7:23"},
                      {"flags", "SYN"},
                      {"length", 74},
                      {"reason", "filter_drop"},
                      {"rule", "no-telnet"}};
  CHECK(comment_of(frame) == "dropped: filter_drop, rule no-telnet");
  CHECK(line_of(frame).find(".123456 lan dropped tcp 192.168.1.10:5000 > 198.51.100.7:23 SYN "
                            "length 74 reason filter_drop rule no-telnet") == 8);
  CHECK(comment_of({{"stage", "sent"}}) == "sent");
  CHECK(line_of(Json::object()).find("length 0") != std::string::npos);
}

}  // namespace postern::cli
