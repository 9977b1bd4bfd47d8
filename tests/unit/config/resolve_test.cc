// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/resolve.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

namespace postern::config {
namespace {

using Items = std::vector<std::string>;

Objects sample() {
  Objects objects;
  objects.addresses = {{"inner", {"10.0.0.5", "10.0.0.6-10.0.0.9"}, {}},
                       {"outer", {"inner", "10.0.0.0/30", "192.0.2.1"}, {}},
                       {"loop", {"loop2"}, {}},
                       {"loop2", {"loop"}, {}}};
  objects.services = {{"http", {"tcp/80"}, {}}, {"web", {"http", "tcp/443", "tcp/80"}, {}}};
  objects.times = {{"office", {"mon-fri 08:00-18:00"}, {}}, {"busy", {"office", "sat"}, {}}};
  return objects;
}

ServiceMatch ports(uint8_t protocol, uint16_t first, uint16_t last) {
  ServiceMatch match;
  match.protocol = protocol;
  match.destination = {first, last};
  return match;
}

ServiceMatch icmp(int type, int code) {
  ServiceMatch match;
  match.protocol = 1;
  match.icmp_type = type;
  match.icmp_code = code;
  return match;
}

std::vector<ServiceMatch> service(const std::string& text) {
  auto resolved = resolve_services({}, {text});
  INFO(text << (resolved ? "" : resolved.error().text));
  REQUIRE(resolved);
  return *resolved;
}

}  // namespace

TEST_CASE("config/resolve: nested address objects become sorted ranges, joined where they touch") {
  auto ranges = resolve_addresses(sample(), {"outer", "10.0.0.4"});
  REQUIRE(ranges);
  REQUIRE(ranges->size() == 2);
  CHECK(to_text((*ranges)[0]) == "10.0.0.0-10.0.0.9");
  CHECK(to_text((*ranges)[1]) == "192.0.2.1");
  CHECK(to_text((*resolve_addresses({}, {"any"}))[0]) == "0.0.0.0/0");
  CHECK(resolve_addresses({}, {"255.255.255.255", "any"})->size() == 1);
}

TEST_CASE("config/resolve: what does not resolve is an error that names it") {
  CHECK(resolve_addresses(sample(), {"nobody"}).error().text == "unknown name 'nobody'");
  CHECK(resolve_addresses(sample(), {"loop"}).error().text.find("contains itself") !=
        std::string::npos);
  CHECK_FALSE(resolve_addresses(sample(), {"gateway"}));
  CHECK_FALSE(resolve_addresses(sample(), {"10.0.0.1/24"}));
}

TEST_CASE("config/resolve: doubling objects end at the bounds, not in memory") {
  Objects objects;
  for (int i = 0; i < 15; ++i) {
    std::string next = "o" + std::to_string(i + 1);
    objects.services.push_back({"o" + std::to_string(i), {next, next, next, next}, {}});
  }
  objects.services.push_back({"o15", {"tcp/1", "udp/2"}, {}});
  CHECK(resolve_services(objects, {"o0"})->size() == 2);
  Items many;
  for (unsigned i = 0; i <= kMatchItemsMax; ++i) {
    many.push_back("10." + std::to_string(i / 100) + "." + std::to_string(i % 100 * 2) + ".1");
  }
  CHECK(resolve_addresses({}, many).error().code == ErrorCode::exhausted);
}

TEST_CASE("config/resolve: service literals in all their forms") {
  CHECK(service("any") == std::vector{ServiceMatch{.any_protocol = true}});
  CHECK(service("tcp") == std::vector{ports(6, 0, 65535)});
  CHECK(service("tcp/80") == std::vector{ports(6, 80, 80)});
  CHECK(service("udp/5000-5010") == std::vector{ports(17, 5000, 5010)});
  CHECK(service("tcp/>1023") == std::vector{ports(6, 1024, 65535)});
  CHECK(service("tcp/<1024") == std::vector{ports(6, 0, 1023)});
  CHECK(service("tcp+udp/53") == std::vector{ports(6, 53, 53), ports(17, 53, 53)});
  auto from = ports(6, 80, 80);
  from.source = {1024, 65535};
  CHECK(service("tcp/80 from 1024-65535") == std::vector{from});
  CHECK(service("icmp") == std::vector{icmp(-1, -1)});
  CHECK(service("icmp/echo-request") == std::vector{icmp(8, -1)});
  CHECK(service("icmp/3/4") == std::vector{icmp(3, 4)});
  CHECK(service("ip/47") == service("gre"));
  CHECK(service("esp")[0].protocol == 50);
  CHECK(service("ah")[0].protocol == 51);
  CHECK(service("pptp") == std::vector{ports(6, 1723, 1723), ports(47, 0, 65535)});
  auto web = resolve_services(sample(), {"web"});
  CHECK(*web == std::vector{ports(6, 80, 80), ports(6, 443, 443)});
}

TEST_CASE("config/resolve: malformed services are refused") {
  auto bad = GENERATE("tcp/", "tcp/80-", "tcp/90-80", "tcp/65536", "tcp/080", "tcp/>65535",
                      "tcp/<0", "tcp /80", "tcp/80 from", "tcp/80 from ", "tcp/80  from 1", "icmp/",
                      "icmp/256", "icmp/ping", "icmp/3/", "icmp/3/256", "ip", "ip/", "ip/256",
                      "gre/1", "tcp+icmp/1", "icmp/8 from 1", "sctp/80", "", "tpc/80", "-", "/");
  INFO(bad);
  CHECK_FALSE(resolve_services({}, {bad}));
}

TEST_CASE("config/resolve: times are minutes of the week and wrap") {
  auto busy = resolve_times(sample(), {"busy"});
  REQUIRE(busy);
  REQUIRE(busy->size() == 6);
  CHECK((*busy)[0] == WeekInterval{480, 1080});
  CHECK((*busy)[5] == WeekInterval{5 * 1440, 6 * 1440});
  // Daily 22:00-06:00: the night from Sunday goes on in the first minutes of the week.
  auto night = resolve_times({}, {"daily 22:00-06:00"});
  REQUIRE(night->size() == 8);
  CHECK((*night)[0] == WeekInterval{0, 360});
  CHECK((*night)[7] == WeekInterval{6 * 1440 + 1320, 7 * 1440});
  CHECK(resolve_times({}, {"daily"}).value() == std::vector{WeekInterval{0, 10080}});
  CHECK(resolve_times({}, {"sat,sun"}).value() == std::vector{WeekInterval{7200, 10080}});
  CHECK(resolve_times({}, {"weekends"}).value() == std::vector{WeekInterval{7200, 10080}});
  CHECK(resolve_times({}, {"sat-mon"}).value() ==
        std::vector{WeekInterval{0, 1440}, WeekInterval{7200, 10080}});
  CHECK(resolve_times({}, {"sun 00:00-24:00"}).value() == std::vector{WeekInterval{8640, 10080}});
}

TEST_CASE("config/resolve: malformed times are refused") {
  auto bad = GENERATE("mon-", "mon fri", "monday", "mon 8:00-18:00", "mon 08:00", "mon 08:00-08:00",
                      "mon 08:00-24:01", "mon 08:60-09:00", "08:00-18:00", "mon,", "",
                      "mon  08:00-09:00", "mon 24:01-01:00");
  INFO(bad);
  CHECK_FALSE(resolve_times({}, {bad}));
}

TEST_CASE("config/resolve: a Resolver answers as the functions do") {
  Objects objects = sample();
  Resolver resolver(objects);
  CHECK(*resolver.addresses({"outer", "inner"}) == *resolve_addresses(objects, {"outer"}));
  CHECK(*resolver.addresses({"outer"}) == *resolve_addresses(objects, {"outer"}));
  CHECK(*resolver.services({"web"}) == *resolve_services(objects, {"web"}));
  CHECK(*resolver.times({"busy"}) == *resolve_times(objects, {"busy"}));
  CHECK_FALSE(resolver.times({"nobody"}));
}

}  // namespace postern::config
