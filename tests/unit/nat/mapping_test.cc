// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/mapping.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace postern {
namespace {

constexpr HashSeed kSeed{{3, 5}};
constexpr Endpoint kInside{Ipv4Address(192, 168, 1, 10), 5000};
constexpr Endpoint kRemote{Ipv4Address(198, 51, 100, 7), 53};
constexpr Endpoint kSamePlaceOtherPort{Ipv4Address(198, 51, 100, 7), 54};
constexpr Endpoint kElsewhere{Ipv4Address(198, 51, 100, 8), 53};
constexpr Ipv4Address kOutside(203, 0, 113, 1), kSecondOutside(203, 0, 113, 2);

constexpr auto kIndependent = MappingBehavior::endpoint_independent;
constexpr auto kByAddress = MappingBehavior::address_dependent;
constexpr auto kByPort = MappingBehavior::address_and_port_dependent;

Mapping mapping_of(Endpoint internal, Endpoint external, Endpoint remote,
                   MappingBehavior behavior) {
  Mapping mapping;
  mapping.internal = internal;
  mapping.external = external;
  mapping.remote = remote;
  mapping.protocol = protocol::udp;
  mapping.behavior = behavior;
  return mapping;
}

}  // namespace

TEST_CASE("nat/mapping: an endpoint-independent mapping is the same for every remote",
          "[RFC4787-REQ1]") {
  MappingTable table(4, kSeed);
  uint32_t index = table.create(mapping_of(kInside, {kOutside, 6000}, kRemote, kIndependent));
  REQUIRE(index != kNone);
  for (Endpoint remote : {kRemote, kSamePlaceOtherPort, kElsewhere, Endpoint{kOutside, 0}})
    CHECK(table.find_internal(protocol::udp, kInside, remote, kOutside, kIndependent) == index);
  CHECK(table.find_external(protocol::udp, {kOutside, 6000}) == index);
}

TEST_CASE("nat/mapping: what counts of the remote depends on the behaviour", "[RFC4787-REQ1]") {
  struct Row {
    MappingBehavior behavior;
    bool other_port, elsewhere;  // whether the mapping is found towards them
  };
  auto row = GENERATE(values<Row>(
      {{kIndependent, true, true}, {kByAddress, true, false}, {kByPort, false, false}}));
  MappingTable table(4, kSeed);
  uint32_t index = table.create(mapping_of(kInside, {kOutside, 6000}, kRemote, row.behavior));
  auto is_found = [&](Endpoint remote) {
    return table.find_internal(protocol::udp, kInside, remote, kOutside, row.behavior) == index;
  };
  CHECK(is_found(kRemote));
  CHECK(is_found(kSamePlaceOtherPort) == row.other_port);
  CHECK(is_found(kElsewhere) == row.elsewhere);
}

TEST_CASE("nat/mapping: protocol, internal port and external address tell mappings apart") {
  MappingTable table(4, kSeed);
  table.create(mapping_of(kInside, {kOutside, 6000}, kRemote, kIndependent));
  Endpoint other = kInside;
  ++other.port;
  CHECK(table.find_internal(protocol::tcp, kInside, kRemote, kOutside, kIndependent) == kNone);
  CHECK(table.find_internal(protocol::udp, other, kRemote, kOutside, kIndependent) == kNone);
  CHECK(table.find_internal(protocol::udp, kInside, kRemote, kSecondOutside, kIndependent) ==
        kNone);
  CHECK(table.find_internal(protocol::udp, kInside, kRemote, kOutside, kByPort) == kNone);
  CHECK(table.find_external(protocol::tcp, {kOutside, 6000}) == kNone);
}

TEST_CASE("nat/mapping: one internal endpoint may have a mapping per external address", "[F09]") {
  MappingTable table(8, kSeed);
  const Ipv4Address addresses[] = {kOutside, kSecondOutside, Ipv4Address(203, 0, 113, 3)};
  std::vector<uint32_t> indexes;
  for (Ipv4Address address : addresses)
    indexes.push_back(table.create(mapping_of(kInside, {address, 6000}, kRemote, kIndependent)));
  size_t gone = GENERATE(0u, 1u, 2u);  // first, middle and last of the chain
  table.erase(indexes[gone]);
  for (size_t i = 0; i < 3; ++i) {
    uint32_t expected = i == gone ? kNone : indexes[i];
    CHECK(table.find_internal(protocol::udp, kInside, kRemote, addresses[i], kIndependent) ==
          expected);
    CHECK(table.find_external(protocol::udp, {addresses[i], 6000}) == expected);
  }
}

TEST_CASE("nat/mapping: both sides of a mapping are unique", "[RFC4787-REQ3]") {
  MappingTable table(4, kSeed);
  REQUIRE(table.create(mapping_of(kInside, {kOutside, 6000}, {}, kIndependent)) != kNone);
  Endpoint other = kInside;
  ++other.port;
  CHECK(table.create(mapping_of(other, {kOutside, 6000}, {}, kIndependent)) == kNone);
  CHECK(table.create(mapping_of(kInside, {kOutside, 6001}, {}, kIndependent)) == kNone);
  CHECK(table.size() == 1);
  CHECK(table.find_external(protocol::udp, {kOutside, 6001}) == kNone);
  CHECK(table.create(mapping_of(other, {kOutside, 6001}, {}, kIndependent)) != kNone);
}

TEST_CASE("nat/mapping: a full table refuses until one is erased", "[P05]") {
  MappingTable table(2, kSeed);
  auto mapping = [](uint16_t n) {
    return mapping_of({kInside.address, n}, {kOutside, n}, {}, kIndependent);
  };
  uint32_t first = table.create(mapping(1));
  REQUIRE(table.create(mapping(2)) != kNone);
  CHECK(table.create(mapping(3)) == kNone);
  table.erase(first);
  CHECK(table.create(mapping(3)) != kNone);
  CHECK(table.size() == 2);
}

TEST_CASE("nat/mapping: random creations and erasures agree with two maps") {
  constexpr uint32_t kCapacity = 64;
  MappingTable table(kCapacity, kSeed);
  using Inside = std::tuple<uint16_t, uint8_t, uint8_t, MappingBehavior>;
  std::map<Inside, uint32_t> inside;
  std::map<std::pair<uint8_t, uint16_t>, uint32_t> outside;
  std::mt19937 random(11);
  unsigned wrong = 0;
  auto remote_of = [](uint8_t n) { return Endpoint{Ipv4Address(198, 51, 100, n), 7}; };
  for (int step = 0; step < 200'000; ++step) {
    auto behavior = static_cast<MappingBehavior>(random() % 3);
    uint16_t in_port = random() % 8, out_port = random() % 16;
    uint8_t out_host = random() % 4, remote = random() % 3;
    Endpoint external{Ipv4Address(203, 0, 113, out_host), out_port};
    Mapping mapping = mapping_of({kInside.address, in_port}, external, remote_of(remote), behavior);
    uint8_t part = behavior == kIndependent ? 0xff : remote;
    Inside key{in_port, out_host, part, behavior};
    if (random() % 3 != 0) {
      bool fits = !inside.contains(key) && !outside.contains({out_host, out_port}) &&
                  outside.size() < kCapacity;
      uint32_t index = table.create(mapping);
      wrong += (index != kNone) != fits;
      if (index != kNone) inside[key] = outside[{out_host, out_port}] = index;
    } else if (auto it = inside.find(key); it != inside.end()) {
      Endpoint gone = table.at(it->second).external;
      table.erase(it->second);
      outside.erase({static_cast<uint8_t>(gone.address.number), gone.port});
      inside.erase(it);
    }
    auto in = inside.find(key);
    wrong += table.find_internal(protocol::udp, mapping.internal, mapping.remote, external.address,
                                 behavior) != (in == inside.end() ? kNone : in->second);
    auto out = outside.find({out_host, out_port});
    wrong += table.find_external(protocol::udp, external) !=
             (out == outside.end() ? kNone : out->second);
    wrong += table.size() != outside.size();
  }
  CHECK(wrong == 0);
}

}  // namespace postern
