// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "control/metrics/settings.h"

using namespace postern;

namespace {

PolicyInterface interface_of(const std::string& name, Zone zone, const std::string& address) {
  PolicyInterface interface;
  interface.exists = true;
  interface.name = name;
  interface.zone = zone;
  interface.addresses = {*parse_prefix(address)};
  return interface;
}

metrics::Settings settings_of(const config::Model& model) {
  Policy policy;
  policy.interfaces.push_back(interface_of("wan", Zone::external, "192.168.0.1/24"));
  policy.interfaces.push_back(interface_of("lan", Zone::internal, "192.168.1.1/24"));
  policy.interfaces.push_back(interface_of("dmz", Zone::dmz, "192.168.2.1/24"));
  return metrics::settings_of(model, policy, [](InterfaceId id) {
    return id == 2 ? std::string() : "gw-" + std::to_string(id);
  });
}

}  // namespace

TEST_CASE("metrics/settings: without the key nothing is told, with it loopback alone", "[P20]") {
  config::Model model;
  CHECK(settings_of(model) == metrics::Settings());
  model.admin.metrics.emplace();
  CHECK(settings_of(model).listen ==
        std::vector<io::ListenAddress>{{"lo", *parse_ipv4("127.0.0.1"), 9342}});
  model.admin.metrics->loopback = false;
  CHECK(settings_of(model).listen.empty());
}

TEST_CASE("metrics/settings: external interfaces are never listened on", "[P20]") {
  config::Model model;
  config::Metrics& metrics = model.admin.metrics.emplace();
  metrics.loopback = false;
  metrics.port = 9100;
  metrics.listen = {"wan", "lan", "dmz"};  // the last has no device
  metrics.from = {"192.168.1.5"};
  const metrics::Settings settings = settings_of(model);
  CHECK(settings.listen ==
        std::vector<io::ListenAddress>{{"gw-1", *parse_ipv4("192.168.1.1"), 9100}});
  const Ipv4Address scraper = *parse_ipv4("192.168.1.5");
  CHECK(settings.from == std::vector<AddressRange>{{scraper, scraper}});
}
