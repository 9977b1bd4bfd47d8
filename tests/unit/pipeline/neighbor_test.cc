// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/pipeline/neighbor.h"

#include <array>
#include <catch2/catch.hpp>

namespace postern {
namespace {

constexpr MacAddress kMac{{2, 0, 0, 0, 0, 9}};
constexpr Ipv4Address kFirst(10, 9, 0, 1);

Ipv4Address host(unsigned number) {
  return Ipv4Address(kFirst.number + number);
}

// Frames of 14 bytes, for the address that release() writes.
class Waiting {
 public:
  Packet packet(InterfaceId egress, Ipv4Address next_hop) {
    Packet packet;
    packet.frame = frames_[used_++ % frames_.size()].data();
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

TEST_CASE("pipeline/neighbor: no more than 256 next hops are waited for", "[P05]") {
  Waiting waiting;
  for (unsigned i = 0; i < kHeldNeighborsMax; ++i)
    REQUIRE(waiting.add(1, host(i)));
  CHECK_FALSE(waiting.add(1, host(kHeldNeighborsMax)));
  CHECK_FALSE(waiting.is_new);
  CHECK(waiting.add(1, host(7)));  // one of those that are waited for
  CHECK(waiting.queue.waiting() == kHeldNeighborsMax + 1);
}

TEST_CASE("pipeline/neighbor: what waits for a known next hop is let go in its order") {
  Waiting waiting;
  NeighborTable neighbors;
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
