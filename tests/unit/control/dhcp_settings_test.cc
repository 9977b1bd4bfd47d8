// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dhcp_settings.h"

#include <catch2/catch.hpp>

#include "control/config/load.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

dhcp::Scope scope_of(const std::string& routes, const std::string& scope) {
  std::string services = "services: { dhcp: { scopes: [ { " + scope + " } ] } }\n";
  auto loaded = config::load(
      test::configuration("    - { name: all, in: lan, action: permit }\n", routes + services));
  REQUIRE(loaded.ok());
  auto settings = dhcp_settings(loaded.model, {});
  REQUIRE(settings.scopes.size() == 1);
  return settings.scopes[0];
}

std::vector<std::string> relays_of(const dhcp::Scope& scope) {
  std::vector<std::string> texts;
  for (const Prefix& relay : scope.relays)
    texts.push_back(to_text(relay));
  return texts;
}

const std::string kBranch = "subnet: 10.5.1.0/24, range: 10.5.1.9-10.5.1.19";

}  // namespace

TEST_CASE("services/dhcp_settings: the routes tell who relays where nobody is listed", "[F46]") {
  using Texts = std::vector<std::string>;
  auto branch = scope_of("  - { to: 10.5.0.0/16, via: 192.168.1.2 }\n", kBranch);
  CHECK(relays_of(branch) == Texts{"10.5.1.0/24", "192.168.1.2/32"});
  CHECK(branch.link == dhcp::kNoLink);
  CHECK(branch.relay_link == 1);
  // Hosts of other networks behind the same router are strangers.
  auto more = scope_of(
      "  - { to: 10.5.1.0/24, via: 192.168.1.2 }\n"
      "  - { to: 10.99.0.0/24, via: 192.168.1.2 }\n",
      kBranch);
  CHECK(relays_of(more) == Texts{"10.5.1.0/24", "192.168.1.2/32"});
  auto own = scope_of("", "interface: lan, range: 192.168.1.9-192.168.1.19");
  CHECK(relays_of(own) == Texts{"192.168.1.0/24"});
  CHECK(own.link == 1);
}

TEST_CASE("services/dhcp_settings: browsers are told of the proxy at the scope's own address",
          "[F46][F56]") {
  const auto wpad_of = [](const std::string& scope, Ipv4Address proxy) {
    auto loaded = config::load(
        test::configuration("    - { name: all, in: lan, action: permit }\n",
                            "services: { dhcp: { scopes: [ { " + scope + " } ] } }\n"));
    REQUIRE(loaded.ok());
    ServedByGateway served;
    served.pac.push_back({"eth1", proxy, 3128});
    const dhcp::Settings settings = dhcp_settings(loaded.model, served);
    std::string text;
    for (const dhcp::Option& option : settings.scopes.at(0).gateway.options) {
      if (option.code == dhcp::option::wpad_url)
        text.assign(option.value.begin(), option.value.end());
    }
    return text;
  };
  const std::string scope = "interface: lan, range: 192.168.1.9-192.168.1.19";
  CHECK(wpad_of(scope, Ipv4Address(192, 168, 1, 1)) == "http://192.168.1.1:3128/wpad.dat");
  CHECK(wpad_of(scope, Ipv4Address(192, 168, 2, 1)).empty());
}

TEST_CASE("services/dhcp_settings: a list of relays says who relays, and nobody else", "[F46]") {
  auto branch = scope_of("  - { to: 10.5.0.0/16, via: 192.168.1.2 }\n",
                         kBranch + ", relays: [192.168.1.7, 10.5.1.1]");
  CHECK(relays_of(branch) == std::vector<std::string>{"192.168.1.7/32", "10.5.1.1/32"});
  CHECK(branch.relay_link == 1);
}

}  // namespace postern
