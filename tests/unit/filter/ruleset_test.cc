// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/filter/ruleset.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

constexpr InterfaceId kLan = 0, kWan = 1, kDmz = 2;

// LAN host to an outside web server.
FlowQuery web_query() {
  FlowQuery query;
  query.in = kLan;
  query.out = kWan;
  query.source = Ipv4Address(192, 168, 1, 10);
  query.destination = query.original_destination = Ipv4Address(198, 51, 100, 7);
  query.protocol = protocol::tcp;
  query.source_port = 5000;
  query.destination_port = 443;
  query.tcp_flags = tcp_flag::syn;
  return query;
}

Rule rule(Action action) {
  Rule r;
  r.action = action;
  return r;
}

AddressSet only(Ipv4Address address) {
  return {{{address, address}}, false};
}

ServiceSpec tcp_port(uint16_t first, uint16_t last) {
  ServiceSpec spec;
  spec.protocol = protocol::tcp;
  spec.first_destination = first;
  spec.last_destination = last;
  return spec;
}

Ruleset ruleset(std::vector<Rule> rules, Posture posture = Posture::normal) {
  return Ruleset(std::move(rules), posture, true);
}

}  // namespace

TEST_CASE("filter/ruleset: a rule without matches takes every packet", "[F21]") {
  CHECK(matches(rule(Action::permit), web_query()));
  auto own = web_query();
  own.in = kGateway;
  CHECK(matches(rule(Action::permit), own));
}

TEST_CASE("filter/ruleset: each match of a rule can refuse a packet alone", "[F15][F16][F18]") {
  struct Row {
    const char* what;
    void (*set_hit)(Rule&);
    void (*set_miss)(Rule&);
  };
  static const Row rows[] = {
      {"in", [](Rule& r) { r.in = set_of(kLan) | set_of(kDmz); },
       [](Rule& r) { r.in = set_of(kDmz); }},
      {"out", [](Rule& r) { r.out = set_of(kWan); }, [](Rule& r) { r.out = set_of(kGateway); }},
      {"no interface", [](Rule& r) { r.in = kAnyInterface; }, [](Rule& r) { r.in = 0; }},
      {"from",
       [](Rule& r) {
         r.from = only({192, 168, 1, 10});
       },
       [](Rule& r) {
         r.from = only({192, 168, 1, 11});
       }},
      {"to",
       [](Rule& r) {
         r.to = only({198, 51, 100, 7});
       },
       [](Rule& r) {
         r.to = only({198, 51, 100, 8});
       }},
      {"to_original",
       [](Rule& r) {
         r.to_original = only({198, 51, 100, 7});
       },
       [](Rule& r) {
         r.to_original = only({203, 0, 113, 1});
       }},
      {"services",
       [](Rule& r) {
         r.services = {tcp_port(80, 80), tcp_port(443, 444)};
       },
       [](Rule& r) {
         r.services = {tcp_port(80, 80), tcp_port(444, 500)};
       }},
      {"scope", [](Rule& r) { r.scope = Scope::forwarded; }, [](Rule& r) { r.scope = Scope::own; }},
      {"tcp", [](Rule& r) { r.tcp = TcpQualifier::opening; },
       [](Rule& r) { r.tcp = TcpQualifier::established; }},
      {"enabled", [](Rule& r) { r.enabled = true; }, [](Rule& r) { r.enabled = false; }},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    Rule hit = rule(Action::permit), miss = rule(Action::permit);
    row.set_hit(hit);
    row.set_miss(miss);
    CHECK(matches(hit, web_query()));
    CHECK_FALSE(matches(miss, web_query()));
  }
}

TEST_CASE("filter/ruleset: scope own means from or to the gateway itself", "[F37]") {
  Rule own = rule(Action::permit), forwarded = rule(Action::permit);
  own.scope = Scope::own;
  forwarded.scope = Scope::forwarded;
  auto from_gateway = web_query(), to_gateway = web_query();
  from_gateway.in = kGateway;
  to_gateway.out = kGateway;
  for (const FlowQuery& query : {from_gateway, to_gateway}) {
    CHECK(matches(own, query));
    CHECK_FALSE(matches(forwarded, query));
  }
}

TEST_CASE("filter/ruleset: a rule qualified by TCP state takes no other protocol", "[F19]") {
  auto qualifier = GENERATE(TcpQualifier::opening, TcpQualifier::established);
  Rule r = rule(Action::permit);
  r.tcp = qualifier;
  auto query = web_query();
  query.established = qualifier == TcpQualifier::established;
  CHECK(matches(r, query));
  query.established = !query.established;
  CHECK_FALSE(matches(r, query));
  query.protocol = protocol::udp;
  query.established = false;
  CHECK_FALSE(matches(r, query));
}

TEST_CASE("filter/ruleset: the first matching rule wins", "[F21]") {
  Rule other = rule(Action::drop);
  other.in = set_of(kDmz);
  auto rules = ruleset({other, rule(Action::permit), rule(Action::drop)});
  CHECK(rules.find_first(web_query()) == 1);
  CHECK(ruleset({rule(Action::drop), rule(Action::permit)}).find_first(web_query()) == 0);
  CHECK(ruleset({other}).find_first(web_query()) == kNoRule);
  CHECK(Ruleset().find_first(web_query()) == kNoRule);
}

TEST_CASE("filter/ruleset: evaluation goes on from where the caller says", "[F29]") {
  auto rules = ruleset({rule(Action::next), rule(Action::permit)});
  uint16_t first = rules.find_first(web_query());
  REQUIRE(first == 0);
  CHECK(rules.find_first(web_query(), static_cast<uint16_t>(first + 1)) == 1);
  CHECK(rules.find_first(web_query(), 2) == kNoRule);
}

TEST_CASE("filter/ruleset: cut off leaves emergency rules alone in force", "[F22]") {
  Rule emergency = rule(Action::permit);
  emergency.emergency = true;
  auto cut_off = ruleset({rule(Action::permit), emergency}, Posture::cut_off);
  CHECK(cut_off.find_first(web_query()) == 1);
  CHECK(ruleset({rule(Action::permit), emergency}).find_first(web_query()) == 0);
  CHECK(cut_off.default_action() == Action::drop);
}

TEST_CASE("filter/ruleset: what no rule decides is dropped, except in posture open", "[F22]") {
  CHECK(ruleset({}).default_action() == Action::drop);
  CHECK(ruleset({}, Posture::open).default_action() == Action::permit);
}

TEST_CASE("filter/ruleset: an unknown interface is in no set but the full one") {
  auto query = web_query();
  query.out = kNoInterface;
  Rule r = rule(Action::permit);
  CHECK(matches(r, query));
  r.out = ~set_of(kGateway);
  CHECK_FALSE(matches(r, query));
}

}  // namespace postern
