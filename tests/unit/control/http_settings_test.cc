// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_settings.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>

#include "control/services/http_machine.h"
#include "support/office.h"
#include "unit/compile/compiled.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

std::string office(const std::string& http) {
  return test::kOffice + "services:\n  http:\n" + http;
}

bool has(const std::vector<AddressRange>& ranges, Ipv4Address address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [address](const AddressRange& range) { return range.contains(address); });
}

std::string device_of(InterfaceId id) {
  return "dev" + std::to_string(id);
}

std::vector<Ipv4Address> listening(const std::string& http) {
  const auto model = model_of(office(http));
  const auto policy = compiled(model);
  std::vector<Ipv4Address> addresses;
  for (const auto& at : http_listeners(*model.services.http, *policy, device_of)) {
    CHECK(at.port == model.services.http->port);
    CHECK_FALSE(at.device.empty());
    addresses.push_back(at.address);
  }
  return addresses;
}

}  // namespace

TEST_CASE("control/http_settings: every address of the gateway is its own", "[F53]") {
  const auto model = model_of(office("    port: 3128\n"));
  const auto settings = http_settings(model, *compiled(model));
  const auto& own = settings.destinations.own;
  CHECK(has(own, Ipv4Address(203, 0, 113, 1)));
  CHECK(has(own, Ipv4Address(203, 0, 113, 9)));  // one_to_one
  CHECK(has(own, Ipv4Address(192, 168, 1, 1)));
  CHECK(has(own, Ipv4Address(10, 9, 0, 1)));
  CHECK_FALSE(has(own, Ipv4Address(203, 0, 113, 254)));
  CHECK_FALSE(has(own, Ipv4Address(192, 168, 1, 20)));
  CHECK(settings.destinations.allowed.empty());
}

TEST_CASE("control/http_settings: an address that a lease brought is the gateway's own as well",
          "[F53]") {
  auto model = model_of(office("    port: 3128\n"));
  for (auto& interface : model.interfaces) {
    if (interface.name == "wan") interface.addresses = {Prefix{Ipv4Address(203, 0, 113, 77), 24}};
  }
  const auto settings = http_settings(model, *compiled(model));
  CHECK(has(settings.destinations.own, Ipv4Address(203, 0, 113, 77)));
  CHECK_FALSE(has(settings.destinations.own, Ipv4Address(203, 0, 113, 1)));
}

TEST_CASE("control/http_settings: it listens inside, never outside", "[F53]") {
  CHECK(listening("    port: 3128\n") == std::vector{Ipv4Address(192, 168, 1, 1)});
  CHECK(listening("    { listen: [lan, dmz], port: 8080 }\n") ==
        std::vector{Ipv4Address(192, 168, 1, 1), Ipv4Address(10, 9, 0, 1)});
}

TEST_CASE("control/http_settings: what the file says of the cache is what the proxy is told",
          "[F56]") {
  const auto model = model_of(
      office("    allow_private: 10.20.0.0/16\n"
             "    connect_ports: [443, 8443]\n"
             "    login: required\n"
             "    cache:\n"
             "      largest_object: 5MiB\n"
             "      default_lifetime: 5m\n"
             "      redirects: false\n"
             "      always_revalidate: true\n"
             "      ignore_server_lifetimes: true\n"
             "      stale_if_unreachable: 2h\n"
             "      stale_if_error: 3m\n"
             "      offline: true\n"
             "      finish_aborted: 7MiB\n"
             "    limits: { connections: 100, per_client: 9, upload: 3MiB }\n"
             "    timeouts: { request: 1s, idle: 2s, connect: 3s, response: 4s, transfer: 5s, "
             "tunnel: 6s }\n"));
  const auto settings = http_settings(model, *compiled(model));
  CHECK(has(settings.destinations.allowed, Ipv4Address(10, 20, 30, 40)));
  CHECK(settings.destinations.connect_ports == std::vector<uint16_t>{443, 8443});
  CHECK_FALSE(http::may_fetch_port(settings.destinations, 25));
  CHECK(settings.asks_login);
  CHECK(settings.keep.object_octets_max == int64_t{5} << 20);
  CHECK(settings.keep.default_lifetime_s == 300);
  CHECK_FALSE(settings.keep.keeps_redirects);
  CHECK(settings.keep.ignores_server_lifetimes);
  CHECK(settings.serve.always_validates);
  CHECK(settings.serve.is_offline);
  CHECK(settings.serve.stale_if_unreachable_s == 7200);
  CHECK(settings.serve.stale_if_error_s == 180);
  CHECK(settings.finishes_aborted);
  CHECK(settings.limits.finish_aborted_bytes == uint64_t{7} << 20);
  CHECK(settings.limits.connections == 100);
  CHECK(settings.limits.per_client == 9);
  CHECK(settings.limits.request_body_bytes == uint64_t{3} << 20);
  CHECK(settings.limits.head_s == 1);
  CHECK(settings.limits.idle_s == 2);
  CHECK(settings.limits.connect_s == 3);
  CHECK(settings.limits.response_s == 4);
  CHECK(settings.limits.client_body_s == 5);
  CHECK(settings.limits.upstream_body_s == 5);
  CHECK(settings.limits.tunnel_idle_s == 6);
}

TEST_CASE("control/http_settings: the password of a parent is the first line of its file",
          "[F56]") {
  const test::TemporaryDirectory directory;
  config::HttpParent parent;
  parent.host = "proxy.example";
  parent.port = 8080;
  CHECK(http_parent(parent)->credentials.empty());
  parent.user = "office";
  parent.password_file = directory.path() + "/password";
  const auto missing = http_parent(parent);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text.find("services.http.parent.password_file") == 0);
  const auto* text = GENERATE("se:cret", "se:cret\n", "se:cret\r\n", "se:cret\nmore\n");
  std::ofstream(parent.password_file) << text;
  const auto known = http_parent(parent);
  REQUIRE(known);
  CHECK(known->credentials == "office:se:cret");
  CHECK(known->host == "proxy.example");
  CHECK(known->port == 8080);
}

TEST_CASE("control/http_settings: the cache is one file, in the state directory unless named",
          "[F55]") {
  config::Http http;
  CHECK_FALSE(http_cache_plan(http, "/state"));
  http.cache.emplace().size = 77;
  CHECK(http_cache_plan(http, "/state") == HttpCachePlan{"/state/http/cache", 77});
  http.cache->file = "/disk/cache";
  CHECK(http_cache_plan(http, "/state") == HttpCachePlan{"/disk/cache", 77});
  http.enabled = false;
  CHECK_FALSE(http_cache_plan(http, "/state"));
}

TEST_CASE("control/http_settings: the kernel's addresses are asked for, at every interface",
          "[F53]") {
  const auto addresses = kernel_addresses();
  CHECK(std::count(addresses.begin(), addresses.end(), Ipv4Address(127, 0, 0, 1)) <= 1);
  rlimit files = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  CHECK(connections_possible() == files.rlim_cur / 4);
}

}  // namespace postern
