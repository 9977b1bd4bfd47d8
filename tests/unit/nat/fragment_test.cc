// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/fragment.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <vector>

#include "base/limits.h"
#include "dataplane/packet/parse.h"
#include "support/packet_builder.h"

namespace postern {
namespace {

using test::Frame;
using test::udp;

constexpr HashSeed kSeed{{7, 9}};

Instant at_s(int64_t s) {
  return Instant{} + seconds(s);
}

// Makes pieces of UDP datagrams from 192.168.1.10:5000 to 198.51.100.7:53 and keeps their frames.
class Pieces {
 public:
  Packet operator()(uint16_t id, uint16_t offset, uint16_t bytes, bool more, uint16_t port = 5000) {
    frames_.push_back(udp("192.168.1.10:1", "198.51.100.7:53")
                          .ports(port, 53)
                          .identification(id)
                          .fragment(offset, more, static_cast<uint16_t>(offset + bytes + 8))
                          .length(static_cast<uint16_t>(20 + bytes))
                          .build());
    Packet packet = frames_.back().packet();
    REQUIRE(parse_ipv4(packet) == DropReason::none);
    REQUIRE(packet.is_fragment);
    return packet;
  }

 private:
  std::deque<Frame> frames_;
};

std::vector<Packet> released(FragmentTable& table) {
  std::vector<Packet> out(kFragmentsHeldMax);
  out.resize(table.release(out));
  return out;
}

std::vector<Packet> expired(FragmentTable& table, Instant now) {
  std::vector<Packet> out(kFragmentsHeldMax);
  out.resize(table.expire(now, out));
  return out;
}

bool has_ports_of_first(const Packet& packet) {
  return packet.key.source_port == be16(5000) && packet.key.destination_port == be16(53);
}

}  // namespace

TEST_CASE("nat/fragment: later fragments get the ports of the first", "[RFC4787-REQ14]") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet first = piece(1, 0, 64, true), second = piece(1, 64, 64, true),
         last = piece(1, 128, 8, false);
  CHECK(table.admit(first, at_s(0)).fate == Fate::forward);
  CHECK_FALSE(first.ports_recovered);
  for (Packet* later : {&second, &last}) {
    CHECK(table.admit(*later, at_s(0)).fate == Fate::forward);
    CHECK(has_ports_of_first(*later));
    CHECK(later->ports_recovered);
  }
  CHECK(table.held() == 0);
}

TEST_CASE("nat/fragment: later fragments wait for the first, in any order", "[RFC4787-REQ14a]") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet last = piece(1, 128, 8, false), second = piece(1, 64, 64, true);
  CHECK(table.admit(last, at_s(0)).fate == Fate::hold);
  CHECK(table.admit(second, at_s(0)).fate == Fate::hold);
  CHECK(table.held() == 2);
  CHECK(released(table).empty());
  Packet first = piece(1, 0, 64, true);
  CHECK(table.admit(first, at_s(1)).fate == Fate::forward);
  std::vector<Packet> out = released(table);
  REQUIRE(out.size() == 2);
  CHECK(out[0].fragment_offset == 128);
  CHECK(out[1].fragment_offset == 64);
  for (const Packet& packet : out)
    CHECK(has_ports_of_first(packet));
  CHECK(table.held() == 0);
  CHECK(expired(table, at_s(10)).empty());
}

TEST_CASE("nat/fragment: trains are told apart by identification and protocol") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet first = piece(1, 0, 64, true), other = piece(2, 64, 8, false);
  table.admit(first, at_s(0));
  CHECK(table.admit(other, at_s(0)).fate == Fate::hold);
  Packet tcp_later = piece(1, 64, 8, false);
  tcp_later.key.protocol = protocol::tcp;
  CHECK(table.admit(tcp_later, at_s(0)).fate == Fate::hold);
}

TEST_CASE("nat/fragment: what waits for two seconds is given up") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet one = piece(1, 64, 64, true), two = piece(2, 64, 64, true);
  table.admit(one, at_s(0));
  table.admit(two, at_s(1));
  CHECK(expired(table, Instant{} + milliseconds(1999)).empty());
  std::vector<Packet> gone = expired(table, at_s(2));
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].identification == 1);
  CHECK(table.held() == 1);
  CHECK(expired(table, at_s(3)).size() == 1);
  CHECK(table.held() == 0);
  Packet late = piece(1, 0, 64, true);
  CHECK(table.admit(late, at_s(4)).fate == Fate::forward);
  CHECK(released(table).empty());
}

TEST_CASE("nat/fragment: what there is no room for in one call comes in the next") {
  FragmentTable table(kSeed);
  Pieces piece;
  for (uint16_t i = 1; i <= 5; ++i) {
    Packet later = piece(1, static_cast<uint16_t>(64 * i), 64, true);
    table.admit(later, at_s(0));
  }
  Packet first = piece(1, 0, 64, true);
  table.admit(first, at_s(0));
  std::array<Packet, 3> out;
  CHECK(table.release(out) == 3);
  CHECK(table.held() == 2);
  CHECK(table.release(out) == 2);
  CHECK(table.release(out) == 0);
}

TEST_CASE("nat/fragment: overlaps and contradictions refuse the whole train",
          "[RFC1858][RFC3128][F04]") {
  struct Row {
    uint16_t offset, bytes;
    bool more;
  };
  // The train has [0, 64) and the last piece [128, 192).
  auto row = GENERATE(values<Row>({
      {56, 16, true},    // over the end of the first
      {120, 16, true},   // over the begin of the last
      {64, 72, true},    // into the last
      {0, 32, true},     // another first
      {0, 72, true},     // a longer first
      {128, 64, true},   // the last, but with more to come
      {128, 32, false},  // a shorter last
      {192, 8, true},    // behind the end
      {192, 8, false},   // another end
      {64, 8, false},    // an earlier end
  }));
  CAPTURE(row.offset, row.bytes, row.more);
  FragmentTable table(kSeed);
  Pieces piece;
  Packet first = piece(1, 0, 64, true), last = piece(1, 128, 64, false);
  CHECK(table.admit(first, at_s(0)).fate == Fate::forward);
  CHECK(table.admit(last, at_s(0)).fate == Fate::forward);
  Packet bad = piece(1, row.offset, row.bytes, row.more);
  CHECK(table.admit(bad, at_s(0)).reason == DropReason::fragment_malformed);
  Packet middle = piece(1, 64, 64, true);
  CHECK(table.admit(middle, at_s(1)).reason == DropReason::fragment_malformed);
  Packet next = piece(2, 0, 64, true);
  CHECK(table.admit(next, at_s(1)).fate == Fate::forward);
}

TEST_CASE("nat/fragment: pieces that wait are given up when their train is refused", "[RFC1858]") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet one = piece(1, 64, 64, true), two = piece(1, 72, 64, true);
  CHECK(table.admit(one, at_s(0)).fate == Fate::hold);
  CHECK(table.admit(two, at_s(0)).reason == DropReason::fragment_malformed);
  CHECK(expired(table, at_s(0)).size() == 1);
  Packet first = piece(1, 0, 64, true);
  CHECK(table.admit(first, at_s(0)).reason == DropReason::fragment_malformed);
  CHECK(table.held() == 0);
}

TEST_CASE("nat/fragment: a first fragment with other ports is refused", "[RFC3128]") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet first = piece(1, 0, 64, true), again = piece(1, 0, 64, true),
         forged = piece(1, 0, 64, true, 6000);
  CHECK(table.admit(first, at_s(0)).fate == Fate::forward);
  CHECK(table.admit(again, at_s(0)).fate == Fate::forward);
  CHECK(table.admit(forged, at_s(0)).reason == DropReason::fragment_malformed);
}

TEST_CASE("nat/fragment: a piece that comes twice is let through twice") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet later = piece(1, 64, 64, true), twin = piece(1, 64, 64, true),
         first = piece(1, 0, 64, true);
  CHECK(table.admit(later, at_s(0)).fate == Fate::hold);
  CHECK(table.admit(twin, at_s(0)).fate == Fate::hold);
  CHECK(table.admit(first, at_s(0)).fate == Fate::forward);
  CHECK(released(table).size() == 2);
}

TEST_CASE("nat/fragment: a whole datagram is forgotten, so its identification may come again") {
  FragmentTable table(kSeed);
  Pieces piece;
  for (uint16_t port : {5000, 6000, 7000}) {
    // Other ports and other cuts each time.
    uint16_t cut = static_cast<uint16_t>(port / 1000 * 8);
    Packet last = piece(1, cut, 16, false), first = piece(1, 0, cut, true, port);
    CHECK(table.admit(last, at_s(0)).fate == Fate::hold);
    CHECK(table.admit(first, at_s(0)).fate == Fate::forward);
    std::vector<Packet> out = released(table);
    REQUIRE(out.size() == 1);
    CHECK(out[0].key.source_port == be16(port));
  }
}

TEST_CASE("nat/fragment: an unfinished train is forgotten after thirty seconds") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet first = piece(1, 0, 64, true), later = piece(1, 64, 64, true);
  table.admit(first, at_s(0));
  int64_t at = GENERATE(29, 30);
  CHECK(table.admit(later, at_s(at)).fate == (at < 30 ? Fate::forward : Fate::hold));
}

TEST_CASE("nat/fragment: sixteen pieces of a train wait, and no more than the table has room for",
          "[P05]") {
  FragmentTable table(kSeed);
  Pieces piece;
  for (uint16_t id = 0; id < kFragmentsHeldMax / 16; ++id) {
    for (uint16_t i = 1; i <= 17; ++i) {
      Packet later = piece(id, static_cast<uint16_t>(i * 8), 8, true);
      Verdict verdict = table.admit(later, at_s(0));
      REQUIRE(verdict.fate == (i <= 16 ? Fate::hold : Fate::drop));
      if (i > 16) CHECK(verdict.reason == DropReason::fragment_table_full);
    }
  }
  CHECK(table.held() == kFragmentsHeldMax);
  CHECK(expired(table, at_s(2)).size() == kFragmentsHeldMax);
}

TEST_CASE("nat/fragment: when no more pieces may wait, those that have waited longest go",
          "[P05][RFC4787-REQ14]") {
  FragmentTable table(kSeed);
  Pieces piece;
  // Trains 0 to 63 with four pieces each; the first of train 0 comes, so it waits no more.
  for (uint16_t id = 0; id < kFragmentsHeldMax / 4; ++id) {
    for (uint16_t i = 1; i <= 4; ++i) {
      Packet later = piece(id, static_cast<uint16_t>(i * 8), 8, true);
      REQUIRE(table.admit(later, at_s(0)).fate == Fate::hold);
    }
  }
  Packet first = piece(0, 0, 8, true);
  CHECK(table.admit(first, at_s(0)).fate == Fate::forward);
  CHECK(released(table).size() == 4);
  for (uint16_t i = 0; i < 4; ++i) {
    Packet later = piece(500, static_cast<uint16_t>(64 + i * 8), 8, true);
    REQUIRE(table.admit(later, at_s(1)).fate == Fate::hold);
  }
  // One goes for each that comes, train by train.
  for (uint16_t i = 0; i < 12; ++i) {
    Packet more = piece(static_cast<uint16_t>(600 + i), 64, 8, true);
    Verdict verdict = table.admit(more, at_s(1));
    CHECK(verdict.reason == DropReason::fragment_table_full);
    CHECK(more.identification == 1 + i / 4);
    CHECK(table.held() == kFragmentsHeldMax);
  }
  Packet last_first = piece(611, 0, 64, true);
  CHECK(table.admit(last_first, at_s(1)).fate == Fate::forward);
  REQUIRE(released(table).size() == 1);
  CHECK(expired(table, at_s(2)).size() == kFragmentsHeldMax - 4 - 12);
  CHECK(expired(table, at_s(3)).size() == 4 + 11);
  CHECK(table.held() == 0);
}

TEST_CASE("nat/fragment: when the table is full the oldest train goes", "[P05]") {
  FragmentTable table(kSeed);
  Pieces piece;
  Packet waits = piece(0, 64, 8, true);
  table.admit(waits, at_s(0));
  for (uint16_t id = 1; id <= kFragmentTrains; ++id) {
    Packet first = piece(id, 0, 64, true);
    REQUIRE(table.admit(first, at_s(1)).fate == Fate::forward);
  }
  CHECK(expired(table, at_s(1)).size() == 1);  // of the train that went
  Packet kept = piece(kFragmentTrains, 64, 8, true), next = piece(1, 64, 8, true);
  CHECK(table.admit(kept, at_s(1)).fate == Fate::forward);
  CHECK(table.admit(next, at_s(1)).fate == Fate::forward);
}

TEST_CASE("nat/fragment: a train of more pieces than any honest path makes is refused", "[F04]") {
  FragmentTable table(kSeed);
  Pieces piece;
  for (uint16_t i = 0; i <= 128; ++i) {
    Packet packet = piece(1, static_cast<uint16_t>(i * 8), 8, true);
    REQUIRE(table.admit(packet, at_s(0)).fate == (i < 128 ? Fate::forward : Fate::drop));
  }
}

TEST_CASE("nat/fragment: random trains in random order lose nothing and mix nothing") {
  FragmentTable table(kSeed);
  std::mt19937 random(GENERATE(1u, 2u));
  for (int round = 0; round < 50; ++round) {
    Pieces piece;
    std::vector<Packet> packets;
    constexpr uint16_t kTrains = 12;
    for (uint16_t id = 0; id < kTrains; ++id) {
      auto count = static_cast<uint16_t>(2 + random() % 12);
      for (uint16_t i = 0; i < count; ++i)
        packets.push_back(piece(id, static_cast<uint16_t>(i * 40), 40, i + 1 < count,
                                static_cast<uint16_t>(5000 + id)));
    }
    std::shuffle(packets.begin(), packets.end(), random);
    unsigned wrong = 0;
    size_t through = 0;
    auto count_through = [&](const Packet& packet) {
      wrong += packet.key.source_port.value() != 5000 + packet.identification;
      ++through;
    };
    for (Packet& packet : packets) {
      Verdict verdict = table.admit(packet, at_s(round));
      wrong += verdict.fate == Fate::drop;
      if (verdict.fate == Fate::forward) count_through(packet);
      for (const Packet& later : released(table))
        count_through(later);
    }
    REQUIRE(wrong == 0);
    REQUIRE(through == packets.size());
    REQUIRE(table.held() == 0);
  }
}

}  // namespace postern
