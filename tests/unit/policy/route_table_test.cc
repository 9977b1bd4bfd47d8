// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/route_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

namespace postern {
namespace {

Route route(const char* to, InterfaceId interface) {
  return {*parse_prefix(to), interface, Ipv4Address(), false};
}

InterfaceId found(const RouteTable& table, Ipv4Address address) {
  const Route* hit = table.find(address);
  return hit == nullptr ? kNoInterface : hit->interface;
}

// The longest prefix, by looking at every route.
const Route* find_naively(const RouteTable& table, Ipv4Address address) {
  const Route* best = nullptr;
  for (const Route& candidate : table.routes()) {
    if (!candidate.to.contains(address)) continue;
    if (best == nullptr || candidate.to.length > best->to.length) best = &candidate;
  }
  return best;
}

}  // namespace

TEST_CASE("policy/route_table: an empty table knows no route") {
  CHECK(RouteTable().find({192, 0, 2, 1}) == nullptr);
  CHECK(RouteTable(std::vector<Route>()).find({0, 0, 0, 0}) == nullptr);
}

TEST_CASE("policy/route_table: the longest prefix wins, whatever the order") {
  std::vector<Route> routes = {route("0.0.0.0/0", 0),    route("10.0.0.0/8", 1),
                               route("10.1.0.0/16", 2),  route("10.1.2.0/23", 3),
                               route("10.1.2.0/24", 4),  route("10.1.2.128/25", 5),
                               route("10.1.2.200/32", 6)};
  if (GENERATE(false, true)) std::reverse(routes.begin(), routes.end());
  RouteTable table(routes);
  CHECK(found(table, {9, 255, 255, 255}) == 0);
  CHECK(found(table, {10, 0, 0, 0}) == 1);
  CHECK(found(table, {10, 1, 255, 255}) == 2);
  CHECK(found(table, {10, 1, 3, 1}) == 3);
  CHECK(found(table, {10, 1, 2, 127}) == 4);
  CHECK(found(table, {10, 1, 2, 128}) == 5);
  CHECK(found(table, {10, 1, 2, 200}) == 6);
  CHECK(found(table, {255, 255, 255, 255}) == 0);
}

TEST_CASE("policy/route_table: a later route of the same prefix replaces the earlier one") {
  RouteTable table({route("10.0.0.0/8", 1), route("10.0.0.9/8", 2)});
  CHECK(found(table, {10, 1, 1, 1}) == 2);
  REQUIRE(table.routes().size() == 1);
  CHECK(to_text(table.routes()[0].to) == "10.0.0.0/8");
}

TEST_CASE("policy/route_table: random tables give what a walk over all routes gives") {
  std::mt19937 random(GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u));
  // Few distinct bits, so that prefixes nest and collide.
  auto address = [&] { return Ipv4Address(random() & 0x8101C3C3u); };
  std::vector<Route> routes;
  for (int i = 0; i < 300; ++i) {
    Prefix to{address(), static_cast<uint8_t>(random() % 33)};
    routes.push_back({to, static_cast<InterfaceId>(random() % 32), Ipv4Address(), false});
  }
  RouteTable table(routes);
  for (int i = 0; i < 5000; ++i) {
    Ipv4Address probe = i % 2 == 0 ? address() : Ipv4Address(random());
    REQUIRE(table.find(probe) == find_naively(table, probe));
  }
}

}  // namespace postern
