// SPDX-License-Identifier: BSD-3-Clause
#include "support/alloc_guard.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "dataplane/packet/parse.h"
#include "dataplane/packet/reply.h"
#include "support/packet_builder.h"

namespace postern {

TEST_CASE("support/alloc_guard: it counts what is allocated while it lives") {
  test::AllocGuard guard;
  auto one = std::make_unique<std::vector<int>>(100);
  const uint64_t counted = guard.allocations();
  CHECK(counted == 2);
  CHECK(one->size() == 100);
}

TEST_CASE("packet: neither parse nor an answer allocates", "[hotpath]") {
  test::Frame frame = test::tcp("192.168.1.10:5000", "198.51.100.7:80").syn().build();
  test::Frame other = test::udp("192.168.1.10:5000", "198.51.100.7:80").payload(2000).build();
  std::vector<uint8_t> room(1514);
  Packet packet = frame.packet(), large = other.packet();
  test::AllocGuard guard;
  parse(packet, test::kPortMac);
  turn_into_tcp_reset(packet);
  parse(large, test::kPortMac);
  write_fragment(large, 1500, 1, room.data());
  turn_into_icmp_error(large, 3, 13, 0, Ipv4Address(192, 168, 1, 1));
  CHECK(guard.allocations() == 0);
}

}  // namespace postern
