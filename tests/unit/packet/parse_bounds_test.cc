// SPDX-License-Identifier: BSD-3-Clause
// Bounds of parse: every truncation and random damage of every sample frame. Never a crash (this
// runs under AddressSanitizer too, frames end where their buffer ends), always a reason or a packet
// whose offsets hold together.
#include <catch2/catch.hpp>
#include <random>

#include "dataplane/packet/parse.h"
#include "dataplane/wire/headers.h"
#include "support/packet_check.h"
#include "support/packet_samples.h"
#include "support/packet_text.h"

namespace postern::test {

namespace {

// Parses, and if that worked lets the replies loose; returns the reason.
DropReason exercise(std::span<const uint8_t> bytes) {
  Frame frame(bytes);
  Packet packet = frame.packet();
  const DropReason reason = parse(packet, kPortMac);
  if (reason != DropReason::none) return reason;
  const std::string claim = broken_claim(packet);
  INFO(to_text(frame.bytes()));
  CHECK(claim == "");
  const std::string answer = broken_answer(frame);
  CHECK(answer == "");
  return reason;
}

}  // namespace

TEST_CASE("packet/parse: every sample is accepted whole and refused at every truncation", "[F04]") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    const auto bytes = sample.frame.bytes();
    CHECK(exercise(bytes) == DropReason::none);
    for (size_t length = 0; length < bytes.size(); ++length) {
      CHECK(exercise(bytes.first(length)) != DropReason::none);
    }
  }
}

TEST_CASE("packet/parse: every length that the IPv4 header may claim is handled", "[F04]") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    Frame frame(sample.frame.bytes());
    if (ethernet_at(frame.bytes().data()).type != be16(ethertype::ipv4)) continue;
    Ipv4Header& ip = ipv4_at(frame.bytes().data() + sizeof(EthernetHeader));
    for (unsigned total = 0; total < frame.bytes().size(); ++total) {
      ip.total_length = be16(static_cast<uint16_t>(total));
      seal_ipv4(frame);
      exercise(frame.bytes());
    }
  }
}

TEST_CASE("packet/parse: random damage gives a reason or a packet that holds together", "[F04]") {
  std::mt19937 random(7);
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    for (int round = 0; round < 400; ++round) {
      Frame frame(sample.frame.bytes());
      const size_t bits = frame.bytes().size() * 8;
      for (unsigned flips = 1 + random() % 4; flips > 0; --flips) {
        // Mostly in the headers: the payload decides nothing.
        const size_t bit = random() % std::min<size_t>(bits, random() % 4 == 0 ? bits : 80 * 8);
        frame.bytes()[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      }
      if (random() % 4 != 0) seal_ipv4(frame);
      exercise(frame.bytes());
    }
  }
}

}  // namespace postern::test
