// SPDX-License-Identifier: BSD-3-Clause
#include "control/resolver.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

using namespace postern;

namespace {

constexpr MacAddress kOurMac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kHostMac{{2, 0, 0, 0, 0, 9}};
constexpr MacAddress kOtherMac{{2, 0, 0, 0, 0, 10}};
constexpr Ipv4Address kGatewayAddress(192, 168, 1, 1);
constexpr Ipv4Address kHost(192, 168, 1, 9);

// Remembers what the resolver did.
struct Sink : ResolverSink {
  struct Sent {
    InterfaceId interface;
    MacAddress to;
    Ipv4Address from, target;
  };
  std::vector<Sent> sent;
  std::map<Ipv4Address, MacAddress> table;
  std::vector<std::string> remarks;
  size_t room = kNeighborsMax;

  static Ipv4Address address_at(std::span<const uint8_t> frame, size_t at) {
    return Ipv4Address(frame[at], frame[at + 1], frame[at + 2], frame[at + 3]);
  }
  void send(InterfaceId interface, std::span<const uint8_t> frame) override {
    REQUIRE(frame.size() >= 42);
    MacAddress to;
    std::copy(frame.begin(), frame.begin() + 6, to.bytes.begin());
    sent.push_back({interface, to, address_at(frame, 28), address_at(frame, 38)});
  }
  bool set(InterfaceId, Ipv4Address address, const MacAddress& mac) override {
    if (table.size() >= room && !table.contains(address)) return false;
    table[address] = mac;
    return true;
  }
  void erase(InterfaceId, Ipv4Address address) override { table.erase(address); }
  void remark(const std::string& line) override { remarks.push_back(line); }
};

struct Bed {
  Sink sink;
  Resolver resolver{sink};
  Instant now{seconds(100).ns};

  explicit Bed(std::vector<Ipv4Address> others = {}) {
    resolver.configure({link(std::move(others))}, now);
    run(seconds(5));  // the announcements go out
    sink.sent.clear();
  }
  static Resolver::Link link(std::vector<Ipv4Address> others = {}) {
    return {0, "lan", kOurMac, {{kGatewayAddress, 24}}, std::move(others), {}};
  }
  void run(Duration duration) {
    Instant end = now + duration;
    for (; now < end; now = now + milliseconds(100))
      resolver.tick(now);
  }
  void event(EventKind kind, Ipv4Address address, MacAddress mac = {}) {
    resolver.handle({kind, 0, address, mac}, now);
  }
};

}  // namespace

TEST_CASE("control/resolver: a wanted neighbor is asked for and learned", "[RFC826]") {
  Bed bed;
  bed.event(EventKind::resolve_neighbor, kHost);
  REQUIRE(bed.sink.sent.size() == 1);
  CHECK(bed.sink.sent[0].to == kBroadcastMac);
  CHECK(bed.sink.sent[0].from == kGatewayAddress);
  CHECK(bed.sink.sent[0].target == kHost);
  bed.event(EventKind::resolve_neighbor, kHost);
  CHECK(bed.sink.sent.size() == 1);  // one answer is enough for both
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  CHECK(bed.sink.table.at(kHost) == kHostMac);
  bed.run(seconds(50));
  CHECK(bed.sink.sent.size() == 1);
}

TEST_CASE("control/resolver: three silent requests end in twenty seconds of silence") {
  Bed bed;
  bed.event(EventKind::resolve_neighbor, kHost);
  bed.run(seconds(4));
  CHECK(bed.sink.sent.size() == 3);
  bed.event(EventKind::resolve_neighbor, kHost);
  bed.run(seconds(15));
  CHECK(bed.sink.sent.size() == 3);
  CHECK(bed.resolver.rows(bed.now).at(0).state == Resolver::State::silent);
  bed.run(seconds(6));
  CHECK(bed.resolver.rows(bed.now).empty());
  bed.event(EventKind::resolve_neighbor, kHost);
  CHECK(bed.sink.sent.size() == 4);
}

TEST_CASE("control/resolver: a silent host is known as soon as it speaks") {
  Bed bed;
  bed.event(EventKind::resolve_neighbor, kHost);
  bed.run(seconds(5));
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  CHECK(bed.sink.table.at(kHost) == kHostMac);
}

TEST_CASE("control/resolver: known neighbors are confirmed by unicast and forgotten when silent") {
  Bed bed;
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  bed.run(seconds(61));
  REQUIRE(bed.sink.sent.size() == 1);
  CHECK(bed.sink.sent[0].to == kHostMac);
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);  // the answer
  bed.run(seconds(58));
  CHECK(bed.sink.sent.size() == 1);
  bed.run(seconds(10));
  CHECK(bed.sink.sent.size() == 4);  // three probes, then it is gone
  CHECK(bed.sink.table.empty());
  CHECK(bed.resolver.rows(bed.now).empty());
}

TEST_CASE("control/resolver: a neighbor that moved to another card is followed with a remark") {
  Bed bed;
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  bed.event(EventKind::neighbor_seen, kHost, kOtherMac);
  CHECK(bed.sink.table.at(kHost) == kOtherMac);
  REQUIRE(bed.sink.remarks.size() == 1);
  CHECK(bed.sink.remarks[0] ==
        "lan: 192.168.1.9 moved from 02:00:00:00:00:09 to 02:00:00:00:00:0a");
}

TEST_CASE("control/resolver: strangers are not learned") {
  Bed bed;
  auto [address, mac] = GENERATE(table<Ipv4Address, MacAddress>({
      {Ipv4Address(10, 0, 0, 1), kHostMac},       // on no network of this link
      {kGatewayAddress, kHostMac},                // our own
      {Ipv4Address(192, 168, 1, 255), kHostMac},  // broadcast
      {Ipv4Address(224, 0, 0, 1), kHostMac},      // multicast
      {Ipv4Address(), kHostMac},                  // an address probe
      {kHost, kBroadcastMac},                     // nobody's card
      {kHost, MacAddress{}},
  }));
  bed.event(EventKind::neighbor_seen, address, mac);
  CHECK(bed.sink.table.empty());
}

TEST_CASE("control/resolver: static neighbors are set at once and never change") {
  Bed bed;
  Resolver::Link link = Bed::link();
  link.neighbors = {{kHost, kHostMac}};
  bed.resolver.configure({link}, bed.now);
  CHECK(bed.sink.table.at(kHost) == kHostMac);
  bed.event(EventKind::neighbor_seen, kHost, kOtherMac);
  bed.run(seconds(200));
  CHECK(bed.sink.table.at(kHost) == kHostMac);
  CHECK(bed.sink.sent.empty());
  bed.resolver.configure({Bed::link()}, bed.now);
  CHECK(bed.sink.table.empty());
}

TEST_CASE("control/resolver: own addresses are announced twice when they are new", "[RFC5227]") {
  Bed bed;
  bed.resolver.configure({Bed::link({Ipv4Address(192, 168, 1, 50)})}, bed.now);
  bed.run(seconds(10));
  REQUIRE(bed.sink.sent.size() == 2);
  for (const auto& sent : bed.sink.sent) {
    CHECK(sent.from == Ipv4Address(192, 168, 1, 50));
    CHECK(sent.target == sent.from);
    CHECK(sent.to == kBroadcastMac);
  }
  bed.resolver.announce(0, bed.now);
  bed.run(seconds(10));
  CHECK(bed.sink.sent.size() == 6);
}

TEST_CASE("control/resolver: a conflict is remarked and defended every ten seconds", "[RFC5227]") {
  Bed bed;
  for (int i = 0; i < 50; ++i) {
    bed.event(EventKind::address_conflict, kGatewayAddress, kOtherMac);
    bed.run(milliseconds(100));
  }
  CHECK(bed.sink.remarks.size() == 1);
  CHECK(bed.sink.sent.size() == 1);
  bed.run(seconds(6));
  bed.event(EventKind::address_conflict, kGatewayAddress, kOtherMac);
  CHECK(bed.sink.remarks.size() == 2);
}

TEST_CASE("control/resolver: neighbors that left the networks are forgotten") {
  Bed bed;
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  Resolver::Link link = Bed::link();
  link.addresses = {{Ipv4Address(192, 168, 2, 1), 24}};
  bed.resolver.configure({link}, bed.now);
  CHECK(bed.sink.table.empty());
  bed.resolver.configure({}, bed.now);
  bed.run(seconds(100));
  bed.event(EventKind::resolve_neighbor, kHost);  // an interface that is not there
  CHECK(bed.resolver.rows(bed.now).empty());
}

TEST_CASE("control/resolver: a scan is bounded and does not lock out real neighbors") {
  Bed bed;
  Resolver::Link link = Bed::link();
  link.addresses = {{Ipv4Address(10, 0, 0, 1), 8}};
  bed.resolver.configure({link}, bed.now);
  bed.run(seconds(5));
  bed.sink.sent.clear();
  for (uint32_t i = 0; i < 100'000; ++i) {
    bed.event(EventKind::resolve_neighbor, Ipv4Address(Ipv4Address(10, 1, 0, 0).number + i));
    if (i % 1000 == 0) bed.run(milliseconds(100));
    REQUIRE(bed.resolver.rows(bed.now).size() <= Resolver::kAskingMax + Resolver::kSilentMax);
    if (i % 1000 != 0) i += 9;
  }
  Ipv4Address real(10, 2, 0, 1);
  bed.run(seconds(4));
  bed.event(EventKind::resolve_neighbor, real);
  bed.event(EventKind::neighbor_seen, real, kHostMac);
  CHECK(bed.sink.table.at(real) == kHostMac);
}

TEST_CASE("control/resolver: who seems to move without end does not fill the log") {
  Bed bed;
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  for (int i = 0; i < 500; ++i) {
    bed.event(EventKind::neighbor_seen, kHost, kOtherMac);
    bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  }
  CHECK(bed.sink.remarks.size() == 10);
  bed.run(seconds(10));
  bed.event(EventKind::neighbor_seen, kHost, kOtherMac);
  CHECK(bed.sink.remarks.size() == 11);
}

TEST_CASE("control/resolver: strangers leave room for neighbors that packets wait for", "[P05]") {
  Bed bed;
  Resolver::Link wide = Bed::link();
  wide.addresses = {{kGatewayAddress, 16}};
  bed.resolver.configure({wide}, bed.now);
  for (uint32_t i = 0; i < 20'000; ++i) {
    bed.event(EventKind::neighbor_seen, Ipv4Address(kGatewayAddress.number + 300 + i), kOtherMac);
  }
  CHECK(bed.sink.table.size() < kNeighborsMax);
  bed.event(EventKind::resolve_neighbor, kHost);
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  CHECK(bed.sink.table.contains(kHost));
}

TEST_CASE("control/resolver: a full table is remarked once a minute") {
  Bed bed;
  bed.sink.room = 1;
  bed.event(EventKind::neighbor_seen, kHost, kHostMac);
  bed.event(EventKind::neighbor_seen, Ipv4Address(192, 168, 1, 10), kHostMac);
  CHECK(bed.sink.table.size() == 1);
  CHECK(bed.resolver.rows(bed.now).size() == 1);
}
