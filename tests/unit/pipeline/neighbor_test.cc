// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/neighbor.h"

#include <array>
#include <catch2/catch.hpp>
#include <vector>

namespace postern {
namespace {

constexpr MacAddress kMac{{2, 0, 0, 0, 0, 9}};
constexpr Ipv4Address kFirst(10, 9, 0, 1);

Ipv4Address host(unsigned number) {
  return Ipv4Address(kFirst.number + number);
}

constexpr HashSeed kSeed{{3, 5}};

// Frames of 14 bytes, for the address that release() writes.
class Waiting {
 public:
  Packet packet(InterfaceId egress, Ipv4Address next_hop) {
    Packet packet;
    packet.frame = frames_[used_++ % frames_.size()].data();
    packet.ingress = ingress;
    packet.from_host = from_host;
    packet.egress = egress;
    packet.next_hop = next_hop;
    return packet;
  }
  // Whether it was kept; `is_new` as add() says.
  bool add(InterfaceId egress, Ipv4Address next_hop, Instant now = {}) {
    return queue.add(packet(egress, next_hop), now, is_new);
  }

  HeldQueue queue;
  bool is_new = false;
  InterfaceId ingress = 0;
  bool from_host = false;

 private:
  std::array<std::array<uint8_t, 14>, 2048> frames_ = {};
  size_t used_ = 0;
};

}  // namespace

TEST_CASE("pipeline/neighbor: four packets wait for a next hop, the first asks for it") {
  Waiting waiting;
  for (unsigned i = 0; i < kHeldPerNeighbor; ++i) {
    CHECK(waiting.add(1, kFirst));
    CHECK(waiting.is_new == (i == 0));
  }
  CHECK_FALSE(waiting.add(1, kFirst));
  CHECK_FALSE(waiting.is_new);
  CHECK(waiting.add(2, kFirst));  // the same address on another wire is another neighbor
  CHECK(waiting.is_new);
  CHECK(waiting.queue.waiting() == kHeldPerNeighbor + 1);
}

TEST_CASE("pipeline/neighbor: who scans leaves the others room, down to the last next hop",
          "[P05]") {
  Waiting waiting;
  unsigned next = 0;
  for (unsigned taken = kHeldNeighborsMax / 2; taken > 0; taken /= 2) {
    INFO(taken);
    for (unsigned i = 0; i < taken; ++i)
      REQUIRE(waiting.add(1, host(next++)));
    CHECK_FALSE(waiting.add(1, host(next)));
    CHECK_FALSE(waiting.is_new);
    CHECK(waiting.add(1, host(next - 1)));  // one of those that are waited for
    ++waiting.ingress;
  }
  CHECK(next == kHeldNeighborsMax - 1);
  CHECK(waiting.add(1, host(next)));
  waiting.from_host = true;
  CHECK_FALSE(waiting.add(1, host(next + 1)));
  std::array<Packet, 1024> out;
  CHECK(waiting.queue.expire(Instant{seconds(3).ns}, out) == kHeldNeighborsMax + 8);
  for (unsigned i = 0; i < kHeldNeighborsMax / 2; ++i)
    REQUIRE(waiting.add(1, host(i)));
}

TEST_CASE("pipeline/neighbor: no set of addresses falls on one place for every seed", "[P05]") {
  // These all share a place in a table that mixes without a secret.
  std::vector<Ipv4Address> chosen;
  for (uint32_t number = 10u << 24; chosen.size() < 200; ++number) {
    const uint64_t key = uint64_t{1} << 63 | uint64_t{1} << 32 | number;
    if ((key * 0x9E3779B97F4A7C15u >> 40) % (2 * kNeighborsMax) == 7) {
      chosen.push_back(Ipv4Address(number));
    }
  }
  NeighborTable neighbors(kSeed);
  for (Ipv4Address address : chosen)
    CHECK(neighbors.set(1, address, kMac));
  MacAddress mac;
  for (Ipv4Address address : chosen)
    CHECK(neighbors.find(1, address, mac));
}

TEST_CASE("pipeline/neighbor: what waits for a known next hop is let go in its order") {
  Waiting waiting;
  NeighborTable neighbors(kSeed);
  const Packet one = waiting.packet(1, kFirst), two = waiting.packet(1, kFirst);
  waiting.add(1, host(1));
  waiting.queue.add(one, Instant{}, waiting.is_new);
  waiting.queue.add(two, Instant{}, waiting.is_new);
  std::array<Packet, 8> out;
  CHECK(waiting.queue.release(neighbors, out) == 0);
  REQUIRE(neighbors.set(1, kFirst, kMac));
  CHECK(waiting.queue.release(neighbors, std::span(out).first(1)) == 0);  // not in parts
  REQUIRE(waiting.queue.release(neighbors, out) == 2);
  CHECK(out[0].frame == one.frame);
  CHECK(out[1].frame == two.frame);
  CHECK(std::equal(kMac.bytes.begin(), kMac.bytes.end(), out[1].frame));
  CHECK(waiting.queue.waiting() == 1);
  waiting.add(1, kFirst);
  CHECK(waiting.is_new);
}

TEST_CASE("pipeline/neighbor: after three seconds without an answer packets are given up") {
  Waiting waiting;
  waiting.add(1, kFirst, Instant{0});
  waiting.add(1, kFirst, Instant{seconds(2).ns});  // waits no longer than the first
  waiting.add(1, host(1), Instant{seconds(1).ns});
  std::array<Packet, 8> out;
  CHECK(waiting.queue.expire(Instant{seconds(3).ns - 1}, out) == 0);
  CHECK(waiting.queue.expire(Instant{seconds(3).ns}, out) == 2);
  CHECK(waiting.queue.waiting() == 1);
  CHECK(waiting.queue.expire(Instant{seconds(4).ns}, out) == 1);
  CHECK(waiting.queue.waiting() == 0);
}

}  // namespace postern
