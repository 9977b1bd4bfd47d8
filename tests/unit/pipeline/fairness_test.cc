// SPDX-License-Identifier: BSD-3-Clause
// What some may not take from others: answers, log lines; and what may not slip through a reload.
#include <algorithm>
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "support/office.h"
#include "support/packet_builder.h"
#include "support/testbed.h"

namespace postern::test {
namespace {

std::vector<Effect> send(Testbed& bed, const std::string& interface, PacketBuilder packet) {
  Frame frame = packet.to_mac(bed.gateway_mac(interface)).build();
  return bed.inject(interface, frame.bytes());
}

// kOffice with a rule in front of the others.
std::string office_with(const std::string& rule) {
  std::string yaml = kOffice;
  const std::string rules = "  rules:\n";
  return yaml.insert(yaml.find(rules) + rules.size(), "    - " + rule + "\n");
}

constexpr Ipv4Address kRouter(203, 0, 113, 254);

}  // namespace

TEST_CASE("pipeline: a refused flood from outside leaves hosts inside their answers",
          "[P05][F20]") {
  Testbed bed;
  REQUIRE(bed.load(office_with("{ name: refuse, in: wan, action: deny }")));
  for (uint16_t port = 1; port <= 1000; ++port)
    send(bed, "wan", tcp("198.51.100.7:999", "203.0.113.1:1").ports(999, port).syn());
  const uint64_t sent = bed.counter("replies_sent");
  CHECK(sent < 1000);
  CHECK(sent + bed.counter("replies_limited") == 1000);
  auto told = send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53").ttl(1));
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == Effect::Kind::out);
  CHECK(told[0].interface == "lan");
}

TEST_CASE("pipeline: forged packets do not rotate the log away, and nothing is left out in silence",
          "[F67][F26]") {
  Testbed bed;
  REQUIRE(bed.load(kOffice));
  constexpr uint16_t kForged = 5000;
  for (uint16_t port = 1; port <= kForged; ++port)
    send(bed, "wan", udp("192.168.1.10:1", "203.0.113.1:53").ports(port, 53));
  send(bed, "wan", tcp("198.51.100.7:999", "203.0.113.1:80").flags(tcp_flag::syn | tcp_flag::fin));
  auto records = bed.take_log();
  auto of = [&](DropReason reason) {
    return std::ranges::count(records, reason, &LogRecord::reason);
  };
  CHECK(of(DropReason::spoofed_source) == kRefusalsLoggedPerSecond);
  CHECK(of(DropReason::tcp_flags_bad) == 1);  // other reasons have their own share
  CHECK(bed.counter("log_records_suppressed") == kForged - kRefusalsLoggedPerSecond);
  CHECK(bed.counter("drop.spoofed_source") == kForged);
  const size_t index = static_cast<size_t>(DropReason::spoofed_source);
  CHECK(bed.counters(0).suppressed[index].read() == kForged - kRefusalsLoggedPerSecond);
  bed.advance(seconds(1));
  send(bed, "wan", udp("192.168.1.10:1", "203.0.113.1:53"));
  CHECK(bed.take_log().size() == 1);
}

TEST_CASE("pipeline: what waits for a neighbor does not leave when a reload forbids it",
          "[C02][F03]") {
  const bool is_forbidden = GENERATE(true, false);
  const unsigned workers = GENERATE(1u, 2u);
  Testbed bed(workers);
  REQUIRE(bed.load(kOffice));
  bed.silence(kRouter);
  CHECK(send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53")).empty());
  CHECK(bed.held() == 1);
  REQUIRE(bed.load(is_forbidden ? office_with("{ name: never, to: 198.51.100.7, action: drop }")
                                : office_with("{ name: never, to: 198.51.100.8, action: drop }")));
  bed.wake("wan", kRouter);
  auto effects = bed.advance(milliseconds(10));
  REQUIRE(effects.size() == 1);
  CHECK(bed.held() == 0);
  CHECK(effects[0].kind == (is_forbidden ? Effect::Kind::drop : Effect::Kind::out));
  if (is_forbidden) CHECK(effects[0].reason == DropReason::session_ended);
}

TEST_CASE("pipeline: what waits for a neighbor takes the new way after a reload", "[C02]") {
  Testbed bed;
  REQUIRE(bed.load(kOffice));
  bed.silence(kRouter);
  CHECK(send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53")).empty());
  std::string moved = kOffice;
  moved.replace(moved.find("203.0.113.254"), 13, "203.0.113.253");
  constexpr Ipv4Address kNewRouter(203, 0, 113, 253);
  REQUIRE(bed.load(moved));
  bed.silence(kNewRouter);
  bed.wake("wan", kRouter);
  CHECK(bed.advance(milliseconds(10)).empty());
  CHECK(bed.held() == 1);
  bed.wake("wan", kNewRouter);
  auto effects = bed.advance(milliseconds(10));
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].kind == Effect::Kind::out);
  CHECK(bed.counter("neighbors_waiting") == 0);
}

}  // namespace postern::test
