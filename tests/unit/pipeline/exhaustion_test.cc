// SPDX-License-Identifier: BSD-3-Clause
// Tables that one host, or a flood from forged sources, could fill.
#include <catch2/catch.hpp>

#include "control/config/load.h"
#include "support/office.h"
#include "support/packet_builder.h"
#include "support/testbed.h"

namespace postern::test {
namespace {

constexpr uint32_t kHosts = 16;

void load_small(Testbed& bed) {
  config::Loaded loaded = config::load(kOffice);
  REQUIRE(loaded.ok());
  loaded.model.system.limits.hosts = kHosts;
  REQUIRE(bed.load(loaded.model));
}

// Whether the one thing that comes of it is a packet on the way.
bool crosses(Testbed& bed, const std::string& interface, PacketBuilder packet) {
  Frame frame = packet.to_mac(bed.gateway_mac(interface)).build();
  auto effects = bed.inject(interface, frame.bytes());
  return effects.size() == 1 && effects[0].kind == Effect::Kind::out;
}

std::string remote(unsigned number) {
  return "198.51." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
}

}  // namespace

TEST_CASE("pipeline: one host that speaks to all the world leaves the others room", "[P05]") {
  Testbed bed;
  load_small(bed);
  for (unsigned i = 0; i < 10 * kHosts; ++i) {
    INFO(i);
    CHECK(crosses(bed, "lan", udp("192.168.1.66:5000", remote(i) + ":53")));
  }
  CHECK(crosses(bed, "lan", udp("192.168.1.10:5000", "192.0.2.1:53")));
  CHECK(bed.counter("drop.host_table_full") == 0);
  CHECK(bed.counter("hosts") <= kHosts);
}

TEST_CASE("pipeline: openings from forged sources shut nobody out of the table of hosts", "[P05]") {
  Testbed bed;
  load_small(bed);
  for (unsigned i = 0; i < 10 * kHosts; ++i) {
    CHECK(crosses(bed, "wan", tcp(remote(i) + ":5000", "203.0.113.1:8080").flags(tcp_flag::syn)));
  }
  CHECK(crosses(bed, "lan", udp("192.168.1.10:5000", "192.0.2.1:53")));
}

TEST_CASE("pipeline: what is established is not given up for a new host", "[P05]") {
  Testbed bed;
  load_small(bed);
  for (unsigned i = 0; i + 1 < kHosts; ++i) {
    std::string outside = remote(i) + ":5000";
    CHECK(crosses(bed, "wan", tcp(outside, "203.0.113.1:8080").flags(tcp_flag::syn)));
    CHECK(crosses(bed, "lan", tcp("192.168.1.5:80", outside).flags(tcp_flag::syn | tcp_flag::ack)));
    CHECK(crosses(bed, "wan", tcp(outside, "203.0.113.1:8080").flags(tcp_flag::ack)));
  }
  CHECK_FALSE(crosses(bed, "lan", udp("192.168.1.10:5000", "192.0.2.1:53")));
  CHECK(bed.counter("drop.host_table_full") == 1);
  CHECK(bed.counter("sessions_evicted") == 0);
}

}  // namespace postern::test
