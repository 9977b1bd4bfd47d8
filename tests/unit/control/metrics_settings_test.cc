// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "control/metrics/settings.h"

using namespace postern;

namespace {

Policy policy_with(std::vector<std::pair<std::string, Zone>> interfaces) {
  Policy policy;
  for (size_t i = 0; i < interfaces.size(); ++i) {
    PolicyInterface& interface = policy.interfaces[i];
    interface.exists = true;
    interface.name = interfaces[i].first;
    interface.zone = interfaces[i].second;
    interface.addresses = {*parse_prefix("192.168." + std::to_string(i) + ".1/24")};
  }
  return policy;
}

metrics::Settings settings_of(const config::Model& model) {
  const Policy policy =
      policy_with({{"wan", Zone::external}, {"lan", Zone::internal}, {"dmz", Zone::dmz}});
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
        std::vector<dns::ListenAddress>{{"lo", *parse_ipv4("127.0.0.1"), 9342}});
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
        std::vector<dns::ListenAddress>{{"gw-1", *parse_ipv4("192.168.1.1"), 9100}});
  const Ipv4Address scraper = *parse_ipv4("192.168.1.5");
  CHECK(settings.from == std::vector<AddressRange>{{scraper, scraper}});
}
