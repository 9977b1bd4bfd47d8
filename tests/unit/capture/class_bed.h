// SPDX-License-Identifier: BSD-3-Clause
// What tests of captures share: a configuration to name things of, and frames to match.
#pragma once

#include <catch2/catch.hpp>

#include "control/capture/parse_class.h"
#include "control/config/load.h"
#include "support/packet_builder.h"

namespace postern::test {

inline config::Model capture_model() {
  auto loaded = config::load(R"(
version: 1
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.1.1/24 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
  dmz: { port: "vdev:net_null2", zone: dmz, address: 10.9.0.1/24 }
objects:
  addresses: { office: [192.168.1.0/24, 172.16.5.0/24], server: 10.9.0.9 }
  services: { web: [tcp/80, tcp/443], ping: icmp/echo-request }
filter: { rules: [ { name: out, in: lan, out: wan, action: permit } ] }
)");
  REQUIRE(loaded.ok());
  return std::move(loaded.model);
}

inline Result<TrafficClass> class_of(const std::string& where) {
  return parse_class({"", "", where}, capture_model());
}

inline bool sees(const std::string& where, PacketBuilder packet,
                 DropReason reason = DropReason::none) {
  auto traffic = class_of(where);
  INFO(where << ": " << (traffic ? "" : traffic.error().text));
  REQUIRE(traffic.has_value());
  Frame frame = packet.build();
  return traffic->matches(read_facts(frame.bytes()), reason);
}

}  // namespace postern::test
