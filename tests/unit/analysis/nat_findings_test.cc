// SPDX-License-Identifier: BSD-3-Clause
// What is said about source translation, port maps and the resolver.
#include "unit/analysis/analysed.h"

namespace postern {
namespace {

std::string with_map(const std::string& map, const std::vector<std::string>& rules) {
  return findings_in(rules, "nat: { port_maps: [ { name: web, on: wan, " + map + " } ] }\n");
}

constexpr const char* kWeb = "service: tcp/80, to: 10.9.0.80";

}  // namespace

TEST_CASE("analysis/nat: source rules behind others", "[C06][F09]") {
  auto with_sources = [](const std::string& sources, const std::string& more = "") {
    return findings_in({"name: out, in: lan, out: wan, action: permit"},
                       "nat: { source: [ " + sources + " ]" + more + " }\n");
  };
  const std::string hide = "{ name: hide, out: wan }";
  CHECK_THAT(with_sources(hide + ", { name: none, out: wan, to: 198.51.100.0/24, action: none }"),
             Catch::Contains("7 contradiction: nat.source.none: never reached: rule hide (line 7) "
                             "comes first and takes all of it; move this one above that one"));
  CHECK_THAT(with_sources("{ name: lan, in: lan, out: wan }, " + hide),
             Catch::Contains("redundant: nat.source.lan: does nothing: without it rule hide"));
  CHECK_THAT(with_sources("{ name: low, out: wan, from: 0.0.0.0/1 }, "
                          "{ name: high, out: wan, from: 128.0.0.0/1 }, " +
                          hide),
             Catch::Contains("nat.source.hide: never reached: rules low (line 7) and high"));
  CHECK(with_sources("{ name: none, out: wan, to: 198.51.100.0/24, action: none }, " + hide) == "");
  CHECK_THAT(with_sources("{ name: nine, out: wan, from: 10.9.0.9 }, " + hide,
                          ", one_to_one: [ { name: pair, external: 203.0.113.9, internal: "
                          "10.9.0.9, on: wan } ]"),
             Catch::Contains("nat.source.nine: never reached: rule pair (line 7)"));
}

TEST_CASE("analysis/nat: a port map that the filter lets through is fine", "[C06][F10]") {
  const std::string permit = "name: in, in: external, to: 10.9.0.80, action: permit";
  CHECK(with_map(kWeb, {permit}) == "");
  CHECK(with_map(std::string(kWeb) + ", allow_from: any", {"name: last, action: drop"}) == "");
  CHECK(with_map(kWeb, {"name: bad, in: wan, from: 198.51.100.66, action: drop", permit,
                        "name: last, action: drop"}) == "");
  CHECK(with_map("service: tcp/80, to: 10.9.0.80, enabled: false", {"name: last, action: drop"}) ==
        "");
}

TEST_CASE("analysis/nat: a port map that the filter lets nobody use", "[C06][F10]") {
  CHECK_THAT(with_map(kWeb, {"name: lan, in: lan, action: permit"}),
             Catch::Contains("7 port-map: nat.port_maps.web: nobody on wan may use it: no rule "
                             "permits the destination 10.9.0.80"));
  CHECK_THAT(with_map(kWeb, {"name: late, in: wan, service: tcp/81, action: permit",
                             "name: last, in: wan, out: dmz, action: drop"}),
             Catch::Contains("rule last (line 11) refuses the destination 10.9.0.80; permit it "
                             "above, or list sources in allow_from"));
  const std::string outside =
      with_map(kWeb, {"name: in, in: wan, to: 203.0.113.1, service: tcp/80, action: permit"});
  CHECK_THAT(outside, Catch::Contains("rule in (line 10) names the outside address, and rules see "
                                      "the destination 10.9.0.80; write that there"));
  CHECK_THAT(outside,
             Catch::Contains("10 never-matches: filter.rules.in: never matches: rule web of nat "
                             "(line 7) has replaced 203.0.113.1 by 10.9.0.80 before"));
}

TEST_CASE("analysis/nat: a rule for users may let somebody use a port map", "[C06][F10][F27]") {
  CHECK(with_map(kWeb, {"name: in, in: external, users: [any], action: permit",
                        "name: last, action: drop"}) == "");
  CHECK(with_map(kWeb, {"name: bad, in: external, users: [any], action: drop",
                        "name: in, in: external, action: permit"}) == "");
}

TEST_CASE("analysis/nat: a port map to nowhere", "[C06][F10]") {
  const std::string permit = "name: in, in: wan, action: permit";
  CHECK_THAT(with_map("service: tcp/80, to: 10.50.0.80", {permit}),
             Catch::Contains("nothing comes in by it: its target 10.50.0.80 is not inside: the way "
                             "to it leads out by wan; correct `to`, or add a route"));
  CHECK(with_map("service: tcp/2222, to: 192.168.1.1:22", {permit}) == "");
}

TEST_CASE("analysis/dns: a resolver that strangers may ask", "[F53][C06]") {
  const std::string one_armed =
      "version: 1\n"
      "interfaces: { lan: { port: kernel:a, zone: internal, address: 192.168.1.1/24 } }\n"
      "routes: [ { to: default, via: 192.168.1.254 } ]\n"
      "services: { dns: { servers: 192.0.2.53 } }\n"
      "filter: { rules: [ { name: names, in: lan, out: gateway, service: udp/53, action: permit";
  const std::string end = " } ] }\n";
  CHECK_THAT(text_of(analysed(model_of(one_armed + end))),
             Catch::Contains("open-resolver: services.dns: rule names (line 5) lets strangers ask "
                             "it by lan, where the default route leads out"));
  CHECK(text_of(analysed(model_of(one_armed + ", from: 192.168.1.0/24" + end))) == "");
  CHECK(text_of(analysed(model_of(one_armed + ", users: [any]" + end))) == "");
  CHECK(findings_in({"name: names, out: gateway, service: udp/53, action: permit"},
                    "services: { dns: { servers: 192.0.2.53 } }\n") == "");
}

}  // namespace postern
