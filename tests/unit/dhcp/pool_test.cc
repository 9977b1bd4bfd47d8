// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/pool.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

namespace postern::dhcp {

TEST_CASE("dhcp/pool: gives every address of its ranges once, and no other", "[F46]") {
  Scope scope;
  scope.subnet = {Ipv4Address(10, 0, 0, 0), 22};
  scope.server = {10, 0, 0, 1};
  scope.ranges = {{Ipv4Address(10, 0, 2, 0), Ipv4Address(10, 0, 3, 255)},
                  {Ipv4Address(10, 0, 0, 0), Ipv4Address(10, 0, 0, 99)},
                  {Ipv4Address(10, 0, 0, 90), Ipv4Address(10, 0, 0, 109)}};
  scope.excluded = {{Ipv4Address(10, 0, 2, 10), Ipv4Address(10, 0, 2, 19)},
                    {Ipv4Address(10, 0, 0, 109), Ipv4Address(10, 0, 1, 9)}};
  scope.reservations.resize(1);
  scope.reservations[0].address = {10, 0, 3, 7};
  Pool pool(scope);
  // Not: network, broadcast, server, 10 + 1 excluded, one reserved.
  CHECK(pool.size() == 512 + 110 - 15);
  std::mt19937_64 random(1);
  std::set<Ipv4Address> given;
  while (auto address = pool.find_fresh(random())) {
    CHECK(pool.contains(*address));
    CHECK(given.insert(*address).second);
    pool.take(*address);
  }
  CHECK(given.size() == pool.size());
  CHECK(pool.used() == pool.size());
  for (Ipv4Address no :
       {Ipv4Address(10, 0, 0, 0), Ipv4Address(10, 0, 0, 1), Ipv4Address(10, 0, 2, 15),
        Ipv4Address(10, 0, 3, 7), Ipv4Address(10, 0, 3, 255)})
    CHECK_FALSE(given.contains(no));
  pool.give_back({10, 0, 2, 77});
  CHECK(pool.find_fresh(random()) == Ipv4Address(10, 0, 2, 77));
}

TEST_CASE("dhcp/pool: an empty pool gives nothing") {
  Scope scope;
  scope.subnet = {Ipv4Address(10, 0, 0, 0), 24};
  Pool pool(scope);
  CHECK(pool.size() == 0);
  CHECK_FALSE(pool.find_fresh(7));
  CHECK_FALSE(pool.find_longest_idle());
}

TEST_CASE("dhcp/pool: the address that is idle longest comes first") {
  Scope scope;
  scope.subnet = {Ipv4Address(10, 0, 0, 0), 24};
  scope.ranges = {{Ipv4Address(10, 0, 0, 1), Ipv4Address(10, 0, 0, 9)}};
  Pool pool(scope);
  pool.add_idle({10, 0, 0, 5}, 300);
  pool.add_idle({10, 0, 0, 3}, 200);
  CHECK(pool.find_longest_idle() == Ipv4Address(10, 0, 0, 3));
  pool.remove_idle({10, 0, 0, 3}, 200);
  CHECK(pool.find_longest_idle() == Ipv4Address(10, 0, 0, 5));
}

}  // namespace postern::dhcp
