// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/frame.h"

#include <catch2/catch.hpp>

#include "dataplane/packet/parse.h"
#include "dataplane/packet/reply.h"
#include "support/packet_builder.h"
#include "unit/dhcp/build_message.h"

namespace postern::dhcp {

TEST_CASE("dhcp/frame: a datagram is one that our own parser takes") {
  for (size_t size : {0u, 1u, 2u, 300u, 1472u}) {
    std::vector<uint8_t> payload(size);
    for (size_t i = 0; i < size; ++i)
      payload[i] = static_cast<uint8_t>(i * 31 + size);
    auto bytes = udp_frame({test::mac_of(1), test::mac_of(2), Ipv4Address(192, 168, 1, 1),
                            Ipv4Address(192, 168, 1, 100), 67, 68},
                           payload);
    postern::test::Frame frame(bytes);
    Packet packet = frame.packet();
    CHECK(parse(packet, test::mac_of(2)) == DropReason::none);
    CHECK(packet.key.source_port.value() == 67);
    CHECK(packet.key.destination_port.value() == 68);
    // A sum over all with the checksum in it is zero.
    std::span<const uint8_t> udp = std::span(bytes).subspan(34);
    uint32_t sum = add_sum(std::span(bytes).subspan(26, 8), 17 + static_cast<uint32_t>(udp.size()));
    CHECK(fold_sum(add_sum(udp, sum)) == 0xFFFF);
  }
}

TEST_CASE("dhcp/frame: the probe is an ARP request") {
  auto bytes = arp_request(test::mac_of(1), {192, 168, 1, 1}, {192, 168, 1, 100});
  std::vector<uint8_t> expected(kArpFrameBytes);
  write_arp_request(expected.data(), test::mac_of(1), {192, 168, 1, 1}, {192, 168, 1, 100},
                    kBroadcastMac);
  CHECK(bytes == expected);
}

}  // namespace postern::dhcp
