// SPDX-License-Identifier: BSD-3-Clause
// One turn lets go pieces and packets that waited for neighbors, all at once at the worst.
#include <catch2/catch.hpp>

#include "support/office.h"
#include "support/packet_builder.h"
#include "support/testbed.h"

namespace postern::test {

TEST_CASE("pipeline: everything that may be let go in one turn has room", "[P04][P05]") {
  Testbed bed;
  REQUIRE(bed.load(kOffice).has_value());
  auto send = [&](PacketBuilder packet) {
    Frame frame = packet.to_mac(bed.gateway_mac("lan")).build();
    return bed.inject("lan", frame.bytes());
  };
  // Neighbors that stay silent, more than are given up in one turn.
  for (int host = 10; host < 90; ++host) {
    std::string silent = "10.9.0." + std::to_string(host);
    bed.silence(*parse_ipv4(silent));
    send(udp("192.168.1.10:5000", silent + ":53"));
  }
  // And later pieces without their first, as many again.
  for (uint16_t id = 1; id <= 80; ++id) {
    send(udp("192.168.1.10:5000", "198.51.100.7:53")
             .identification(id)
             .fragment(1480, false, 2000)
             .length(540));
  }
  CHECK(bed.held() == 160);
  bed.advance(seconds(10));
  CHECK(bed.held() == 0);
  CHECK(bed.counter("drop.neighbor_unresolved") == 80);
  CHECK(bed.counter("drop.fragment_without_first") == 80);
}

}  // namespace postern::test
