// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/session.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "base/limits.h"

namespace postern {
namespace {

constexpr HashSeed kSeed{{0x1111222233334444, 0x5555666677778888}};
constexpr Timeouts kTimeouts;

Instant at_s(int64_t s) {
  return Instant{} + seconds(s);
}

// A session of inside host `host` that no other number has.
Session session_of(uint32_t number, uint8_t proto = protocol::udp, uint8_t host = 10) {
  Session session;
  be32 inside = Ipv4Address(192, 168, 1, host).wire(), remote = Ipv4Address(198, 51, 100, 7).wire();
  be32 outside = Ipv4Address(203, 0, 113, 1).wire();
  be16 port(static_cast<uint16_t>(number)), remote_port(static_cast<uint16_t>(1 + (number >> 16)));
  session.key[0] = {inside, remote, port, remote_port, proto, KeySpace::flow, 0};
  session.key[1] = {remote, outside, remote_port, port, proto, KeySpace::flow, 0};
  session.tcp = proto == protocol::tcp ? TcpState::syn_sent : TcpState::none;
  session.timeout = timeout_class_of(proto, session.tcp);
  return session;
}

SessionTable::Inserted insert(SessionTable& table, const Session& session, Instant now) {
  return table.insert(WholeSession{session, {}}, now);
}

void see(SessionTable& table, uint32_t index, Instant now, TcpState state) {
  table.at(index).tcp = state;
  table.touch(index, now, timeout_class_of(protocol::tcp, state));
}

std::vector<uint32_t> expire_all(SessionTable& table, Instant now, const Timeouts& timeouts) {
  std::vector<uint32_t> gone;
  for (uint32_t i; (i = table.next_expired(now, timeouts)) != kNone;) {
    gone.push_back(i);
    table.erase(i);
  }
  return gone;
}

}  // namespace

TEST_CASE("nat/session: a session is found by the keys of both directions") {
  SessionTable table({4, 4}, kSeed);
  Session session = session_of(5000);
  auto inserted = insert(table, session, at_s(1));
  REQUIRE(inserted.index != kNone);
  uint32_t there = table.find(session.key[0]), back = table.find(session.key[1]);
  CHECK(SessionTable::index_of(there) == inserted.index);
  CHECK(SessionTable::direction_of(there) == Direction::original);
  CHECK(SessionTable::index_of(back) == inserted.index);
  CHECK(SessionTable::direction_of(back) == Direction::reply);
  CHECK(table.at(inserted.index).in_use);
  CHECK(table.detail(inserted.index).created == to_ticks(at_s(1)));
  table.erase(inserted.index);
  CHECK(table.find(session.key[0]) == kNone);
  CHECK(table.find(session.key[1]) == kNone);
  CHECK(table.size() == 0);
  CHECK(table.hosts() == 0);
}

TEST_CASE("nat/session: a look-up in steps finds what one at a time finds") {
  SessionTable table({100, 100}, kSeed);
  for (uint32_t n = 0; n < kBurstMax; ++n) {
    Session session = session_of(n);
    if (n % 3 != 0) insert(table, session, at_s(0));
    FlowKey key = session.key[n % 2];
    uint32_t guess = table.guess(table.look_ahead(std::bit_cast<KeyWords>(key)));
    bool is_hit = guess != kNone && table.key_of(guess) == key;
    CHECK(is_hit == (n % 3 != 0));
    if (is_hit) CHECK(guess == table.find(key));
  }
}

TEST_CASE("nat/session: counters go on where one line has no more room for them") {
  SessionTable table({1, 0}, kSeed);
  uint32_t index = insert(table, session_of(1), at_s(0)).index;
  constexpr uint64_t kPackets = 200'000, kBytes = 65535;
  for (uint64_t i = 0; i < kPackets; ++i)
    table.count(index, Direction::reply, kBytes);
  table.count(index, Direction::original, 40);
  CHECK(table.whole(index).packets(Direction::reply) == kPackets);
  CHECK(table.whole(index).bytes(Direction::reply) == kPackets * kBytes);
  CHECK(table.whole(index).packets(Direction::original) == 1);
  CHECK(table.whole(index).bytes(Direction::original) == 40);
}

TEST_CASE("nat/session: the reply's rewrite takes back what the original's did") {
  Session session = session_of(5000);
  Rewrite there = make_rewrite(session.key[0], session.key[1].reversed());
  Rewrite back = make_rewrite(session.key[1], session.key[0].reversed());
  session.ip_delta = there.ip_delta;
  session.transport_delta = there.transport_delta;
  for (auto [direction, made] : {std::pair(Direction::original, there), {Direction::reply, back}}) {
    Rewrite kept = session.rewrite(direction);
    CHECK(kept.source == made.source);
    CHECK(kept.destination == made.destination);
    CHECK(kept.source_port == made.source_port);
    CHECK(kept.destination_port == made.destination_port);
    CHECK(kept.ip_delta == made.ip_delta);
    CHECK(kept.transport_delta == made.transport_delta);
  }
}

TEST_CASE("nat/session: a key that is taken is refused and nothing is left behind") {
  SessionTable table({4, 4}, kSeed);
  insert(table, session_of(1), at_s(0));
  Session other = session_of(1);
  other.key[0].source = Ipv4Address(192, 168, 1, 99).wire();  // the reply key is the same
  CHECK(insert(table, other, at_s(0)).reason == DropReason::no_external_port);
  CHECK(table.find(other.key[0]) == kNone);
  CHECK(table.size() == 1);
  CHECK(table.hosts() == 2);
  other.key[1].destination_port = be16(7);
  CHECK(insert(table, other, at_s(0)).index != kNone);
}

TEST_CASE("nat/session: a full table says so", "[P05]") {
  SessionTable table({3, 8}, kSeed);
  for (uint32_t n = 0; n < 3; ++n)
    REQUIRE(insert(table, session_of(n), at_s(0)).index != kNone);
  CHECK(insert(table, session_of(9), at_s(0)).reason == DropReason::session_table_full);
  table.erase(1);
  CHECK(insert(table, session_of(9), at_s(0)).index == 1);
}

TEST_CASE("nat/session: hosts are limited by what they open and what is opened to them", "[P05]") {
  SessionLimits limits{100, 100, 3, 5};
  SessionTable table(limits, kSeed);
  uint32_t first = insert(table, session_of(0), at_s(0)).index;
  for (uint32_t n = 1; n < 3; ++n)
    REQUIRE(insert(table, session_of(n), at_s(0)).index != kNone);
  CHECK(insert(table, session_of(3), at_s(0)).reason == DropReason::host_limit);
  for (uint32_t n = 4; n < 6; ++n)
    REQUIRE(insert(table, session_of(n, protocol::udp, 11), at_s(0)).index != kNone);
  // Five sessions go to the remote host now.
  CHECK(insert(table, session_of(6, protocol::udp, 12), at_s(0)).reason == DropReason::host_limit);
  CHECK(table.hosts() == 3);
  table.erase(first);
  CHECK(insert(table, session_of(6, protocol::udp, 12), at_s(0)).index != kNone);
}

TEST_CASE("nat/session: hosts beyond the host table are refused", "[P05]") {
  SessionTable table({100, 3}, kSeed);
  REQUIRE(insert(table, session_of(1, protocol::udp, 1), at_s(0)).index != kNone);
  uint32_t second = insert(table, session_of(2, protocol::udp, 2), at_s(0)).index;
  REQUIRE(second != kNone);
  CHECK(insert(table, session_of(3, protocol::udp, 3), at_s(0)).reason ==
        DropReason::host_table_full);
  CHECK(table.hosts() == 3);
  CHECK(table.size() == 2);
  table.erase(second);
  CHECK(insert(table, session_of(3, protocol::udp, 3), at_s(0)).index != kNone);
}

TEST_CASE("nat/session: each class keeps its timeout to the second",
          "[RFC4787-REQ5][RFC5382-REQ5][RFC5508-REQ2]") {
  struct Row {
    uint8_t protocol;
    TcpState state;
    int64_t timeout_s;
  };
  auto row = GENERATE(values<Row>({{protocol::udp, TcpState::none, 300},
                                   {protocol::tcp, TcpState::syn_sent, 240},
                                   {protocol::tcp, TcpState::syn_received, 240},
                                   {protocol::tcp, TcpState::established, 7440},
                                   {protocol::tcp, TcpState::fin_reply, 7440},
                                   {protocol::tcp, TcpState::closing, 240},
                                   {protocol::tcp, TcpState::reset, 240},
                                   {protocol::icmp, TcpState::none, 60},
                                   {protocol::esp, TcpState::none, 600}}));
  CAPTURE(int{row.protocol}, to_word(row.state));
  SessionTable table({4, 4}, kSeed);
  uint32_t index = insert(table, session_of(1, row.protocol), at_s(10)).index;
  table.at(index).tcp = row.state;
  table.touch(index, at_s(100), timeout_class_of(row.protocol, row.state));
  for (int64_t s = 100; s <= 100 + row.timeout_s; s += 1)
    REQUIRE(table.next_expired(at_s(s), kTimeouts) == kNone);
  CHECK(table.next_expired(at_s(101 + row.timeout_s), kTimeouts) == index);
}

TEST_CASE("nat/session: packets keep a session alive, and it ends a timeout after the last") {
  SessionTable table({4, 4}, kSeed);
  uint32_t index = insert(table, session_of(1), at_s(0)).index;
  for (int64_t s = 1; s <= 1000; ++s) {
    table.touch(index, at_s(s), TimeoutClass::udp);
    REQUIRE(table.next_expired(at_s(s), kTimeouts) == kNone);
  }
  CHECK(table.next_expired(at_s(1300), kTimeouts) == kNone);
  CHECK(table.next_expired(at_s(1301), kTimeouts) == index);
}

TEST_CASE("nat/session: new timeouts hold for living sessions") {
  SessionTable table({1000, 4}, kSeed);
  for (uint32_t n = 0; n < 1000; ++n)
    insert(table, session_of(n), at_s(0));
  CHECK(table.next_expired(at_s(20), kTimeouts) == kNone);
  Timeouts shorter = kTimeouts;
  shorter.of[static_cast<unsigned>(TimeoutClass::udp)] = seconds(10);
  size_t gone = 0;
  for (int turn = 0; turn < 40; ++turn)
    gone += expire_all(table, at_s(21), shorter).size();
  gone += expire_all(table, at_s(22), shorter).size();
  CHECK(gone == 1000);
}

TEST_CASE("nat/session: a long silence of the clock's reader does no harm") {
  SessionTable table({8, 4}, kSeed);
  for (uint32_t n = 0; n < 8; ++n)
    insert(table, session_of(n), at_s(n));
  int64_t later = GENERATE(4000, 100'000, 100'000'000);
  uint32_t fresh = 3;
  table.touch(fresh, at_s(later), TimeoutClass::udp);
  CHECK(expire_all(table, at_s(later), kTimeouts).size() == 7);
  CHECK(table.at(fresh).in_use);
  CHECK(expire_all(table, at_s(later + 301), kTimeouts) == std::vector<uint32_t>{fresh});
}

TEST_CASE("nat/session: half-open sessions are counted exactly", "[P05]") {
  SessionTable table({8, 4}, kSeed);
  uint32_t a = insert(table, session_of(1, protocol::tcp), at_s(0)).index;
  uint32_t b = insert(table, session_of(2, protocol::tcp), at_s(0)).index;
  insert(table, session_of(3, protocol::udp), at_s(0));
  CHECK(table.half_open() == 2);
  see(table, a, at_s(1), TcpState::syn_received);
  CHECK(table.half_open() == 2);
  see(table, a, at_s(1), TcpState::established);
  CHECK(table.half_open() == 1);
  see(table, b, at_s(1), TcpState::reset);
  CHECK(table.half_open() == 0);
  see(table, b, at_s(1), TcpState::syn_sent);
  CHECK(table.half_open() == 1);
  table.erase(b);
  CHECK(table.half_open() == 0);
}

TEST_CASE("nat/session: victims go from half-open to other, oldest first, never an established one",
          "[P05]") {
  SessionTable table({16, 16}, kSeed);
  struct Row {
    uint8_t protocol;
    TcpState state;
    int64_t seen_s;
  };
  const Row rows[] = {
      {protocol::tcp, TcpState::syn_sent, 20}, {protocol::tcp, TcpState::syn_received, 22},
      {protocol::tcp, TcpState::reset, 3},     {protocol::tcp, TcpState::closing, 5},
      {protocol::icmp, TcpState::none, 6},     {protocol::icmp, TcpState::none, 9},
      {protocol::udp, TcpState::none, 1},      {protocol::udp, TcpState::none, 4},
      {protocol::esp, TcpState::none, 2},
  };
  std::vector<uint32_t> indexes;
  for (const Row& row : rows)
    indexes.push_back(
        insert(table, session_of(static_cast<uint32_t>(indexes.size()), row.protocol), at_s(0))
            .index);
  uint32_t established = insert(table, session_of(99, protocol::tcp), at_s(0)).index;
  see(table, established, at_s(1), TcpState::established);
  for (size_t i = std::size(rows); i-- > 0;) {
    table.at(indexes[i]).tcp = rows[i].state;
    table.touch(indexes[i], at_s(rows[i].seen_s),
                timeout_class_of(rows[i].protocol, rows[i].state));
  }
  for (uint32_t expected : indexes) {
    REQUIRE(table.victim() == expected);
    table.erase(expected);
  }
  CHECK(table.victim() == kNone);
  CHECK(table.at(established).in_use);
}

TEST_CASE("nat/session: sessions expire as in a model that looks at every one of them") {
  constexpr uint32_t kCapacity = 200;
  SessionTable table({kCapacity, 300}, kSeed);
  struct Entry {
    Instant seen;
    TimeoutClass timeout;
  };
  std::map<uint32_t, Entry> model;  // by index
  std::mt19937 random(GENERATE(1u, 2u, 3u));
  constexpr TcpState kStates[] = {TcpState::syn_sent, TcpState::syn_received, TcpState::established,
                                  TcpState::closing, TcpState::reset};
  Instant now = at_s(0);
  unsigned early = 0, late = 0, expired = 0, wrong_counts = 0;
  for (uint32_t step = 0; step < 200'000; ++step) {
    now = now + milliseconds(random() % 200 == 0 ? random() % 400'000 : random() % 300);
    uint32_t index = random() % kCapacity;
    Session& session = table.at(index);
    if (!session.in_use) {
      constexpr uint8_t kProtocols[] = {protocol::udp, protocol::tcp, protocol::icmp,
                                        protocol::gre};
      Session fresh = session_of(step, kProtocols[random() % 4], static_cast<uint8_t>(random()));
      auto inserted = insert(table, fresh, now);
      if (inserted.index != kNone) model[inserted.index] = {now, fresh.timeout};
    } else if (random() % 8 == 0) {
      table.erase(index);
      model.erase(index);
    } else {
      if (session.tcp != TcpState::none) session.tcp = kStates[random() % 5];
      TimeoutClass timeout = timeout_class_of(session.key[0].protocol, session.tcp);
      table.touch(index, now, timeout);
      model[index] = {now, timeout};
    }
    for (uint32_t i : expire_all(table, now, kTimeouts)) {
      const Entry& entry = model.at(i);
      early += now - entry.seen < kTimeouts.of[static_cast<unsigned>(entry.timeout)];
      model.erase(i);
      ++expired;
    }
    if (step % 64 != 0) continue;
    expire_all(table, now, kTimeouts);
    uint32_t half_open = 0;
    for (const auto& [i, entry] : model) {
      Duration timeout = kTimeouts.of[static_cast<unsigned>(entry.timeout)];
      late += now - entry.seen > timeout + milliseconds(600);
      TcpState state = table.at(i).tcp;
      half_open += state == TcpState::syn_sent || state == TcpState::syn_received;
    }
    wrong_counts += half_open != table.half_open() || model.size() != table.size();
  }
  CHECK(expired > 1000);
  CHECK(early == 0);
  CHECK(late == 0);
  CHECK(wrong_counts == 0);
}

}  // namespace postern
