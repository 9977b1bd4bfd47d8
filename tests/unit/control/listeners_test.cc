// SPDX-License-Identifier: BSD-3-Clause
#include "control/listeners.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

const std::vector<std::string> kUnnamed, kTwo = {"dmz", "wan"};

using Unnamed = config::Listening::Unnamed;

PolicyInterface interface_of(const std::string& name, Zone zone, const std::string& address) {
  PolicyInterface interface;
  interface.exists = true;
  interface.name = name;
  interface.zone = zone;
  interface.addresses = {*parse_prefix(address)};
  return interface;
}

Policy four_interfaces() {
  Policy policy;
  policy.interfaces = {interface_of("wan", Zone::external, "203.0.113.2/24"),
                       interface_of("lan", Zone::internal, "192.168.1.1/24"),
                       interface_of("dmz", Zone::dmz, "192.168.2.1/24"),
                       interface_of("guests", Zone::internal, "192.168.3.1/24")};
  policy.interfaces[1].addresses.push_back(*parse_prefix("10.0.0.1/8"));
  return policy;
}

// The devices listened on.
std::string devices_of(const config::Listening& listening, const Policy& policy) {
  std::string devices;
  const DeviceOf device_of = [](InterfaceId id) {
    return id == 3 ? std::string() : "gw-" + std::to_string(id);
  };
  for (const io::ListenAddress& at : listeners_of(listening, 99, policy, device_of)) {
    CHECK(at.port == 99);
    devices += at.device + " " + to_text(at.address) + ";";
  }
  return devices;
}

}  // namespace

TEST_CASE("control/listeners: every address of an interface, where it has a device", "[F53]") {
  const Policy policy = four_interfaces();
  CHECK(devices_of({kUnnamed, Unnamed::not_external, false}, policy) ==
        "gw-1 192.168.1.1;gw-1 10.0.0.1;gw-2 192.168.2.1;");
  CHECK(devices_of({kUnnamed, Unnamed::internal, true}, policy) ==
        "gw-1 192.168.1.1;gw-1 10.0.0.1;");
  CHECK(devices_of({kUnnamed, Unnamed::none, true}, policy).empty());
}

TEST_CASE("control/listeners: those that are named, external ones where the service may", "[F61]") {
  Policy policy = four_interfaces();
  CHECK(devices_of({kTwo, Unnamed::none, false}, policy) == "gw-2 192.168.2.1;");
  CHECK(devices_of({kTwo, Unnamed::none, true}, policy) == "gw-0 203.0.113.2;gw-2 192.168.2.1;");
  policy.interfaces[2].exists = false;
  CHECK(devices_of({kTwo, Unnamed::not_external, false}, policy).empty());
}

}  // namespace postern
