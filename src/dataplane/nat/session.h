// SPDX-License-Identifier: BSD-3-Clause
// SessionTable: the sessions of one worker. One session, two directions, two lookup keys.
//
//   original: packets as the opener sends them     key[0], leave as key[1] turned round
//   reply:    packets as the responder sends them  key[1], leave as key[0] turned round
//
//   index: hash -> session   |  sessions: one line each    |  details: counters, ages, mapping
//   8 bytes a key            |  all that a packet needs    |  not touched by packets that pass
//
// Ages are kept lazily: a packet only stores the time; a session is put in its place in the order
// of ages (nat/session_ages.h) when its turn to expire comes. When the table is full, victim()
// names the oldest session of the cheapest class: half-open TCP, then closing TCP, ICMP, UDP,
// other; never an established one (P05). Sessions are plain data without pointers. Thread: the
// owning worker. Fixed memory: 128 bytes a session and 48 a host.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/prefetch.h"
#include "base/time.h"
#include "dataplane/nat/mapping.h"
#include "dataplane/nat/rewrite.h"
#include "dataplane/nat/tcp_tracker.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/packet/match.h"
#include "dataplane/packet/packet.h"
#include "dataplane/table/flow_index.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/table_memory.h"

namespace postern {

// How the session came to be, which is also how a new policy judges it again.
enum class SessionKind : uint8_t {
  plain,           // decided by the policy from its first packet
  mapped_inbound,  // came in through a dynamic mapping; judged as the mapping's own outbound
                   // traffic
  hairpin_inner,   // second half of a hairpin: the first half was judged
};

// side[] value: after the rewrite the packet goes round as if it came from outside (hairpin).
constexpr InterfaceId kRecirculate = 0x3e;

// Time as sessions keep it: 2^24 ns (about 17 ms) a tick, which 32 bits hold for two years.
constexpr uint32_t to_ticks(Instant at) {
  return static_cast<uint32_t>(at.ns >> 24);
}
constexpr Instant from_ticks(uint32_t ticks) {
  return Instant{int64_t{ticks} << 24};
}

// What each packet of a session needs, in one line: both directions, as the translation of one is
// the other's key turned round.
struct alignas(64) Session {
  FlowKey key[2];
  // One's complement differences that the translation of the original direction makes in the IPv4
  // and in the transport checksum; the reply's take them back.
  uint16_t ip_delta = 0, transport_delta = 0;
  uint32_t generation = 0;                             // of the policy that last allowed it
  uint32_t last_seen = 0;                              // ticks
  InterfaceId side[2] = {kNoInterface, kNoInterface};  // where the packets of each direction come
                                                       // in: interface, kGateway or kRecirculate
  uint16_t rule = kNoRule;                             // that permitted it, in that policy
  TcpState tcp = TcpState::none;
  TimeoutClass timeout = TimeoutClass::other;
  SessionKind kind = SessionKind::plain;
  bool in_use : 1 = false;
  uint8_t age_list : 7 = 0;  // SessionTable's own: the list of ages it is in
  // Since they were last carried over to SessionDetail.
  uint32_t bytes[2] = {0, 0};
  uint16_t packets[2] = {0, 0};

  InterfaceId ingress(Direction direction) const { return side[static_cast<int>(direction)]; }
  // Where the packets of a direction leave: interface, kGateway, or kRecirculate to go round as if
  // they came from outside.
  InterfaceId egress(Direction direction) const { return side[1 - static_cast<int>(direction)]; }
  Rewrite rewrite(Direction direction) const {
    const bool back = direction == Direction::reply;
    const FlowKey& to = key[back ? 0 : 1];
    const auto turned = [back](uint16_t delta) {
      return back && delta != 0 ? static_cast<uint16_t>(~delta) : delta;
    };
    return {to.destination, to.source,        to.destination_port,
            to.source_port, turned(ip_delta), turned(transport_delta)};
  }
};
static_assert(sizeof(Session) == 64);

// What only the first and the last packet of a session need, and whoever looks at it.
struct SessionDetail {
  uint64_t bytes[2] = {0, 0};          // carried over from Session
  uint64_t packets_original : 56 = 0;  // the same
  uint64_t icmp_type : 8 = 0;          // of the first packet
  uint64_t packets_reply : 56 = 0;
  uint64_t icmp_code : 8 = 0;
  uint32_t mapping = kNone;  // dynamic mapping whose endpoint this session uses, or kNone
  uint32_t created = 0;      // ticks
  uint32_t age_previous = kNone, age_next = kNone;  // SessionTable's own
};
static_assert(sizeof(SessionDetail) == 48);

// Both, as they are put into the table and shown.
struct WholeSession {
  Session session;
  SessionDetail detail;

  uint64_t packets(Direction direction) const {
    const bool back = direction == Direction::reply;
    return (back ? detail.packets_reply : detail.packets_original) + session.packets[back];
  }
  uint64_t bytes(Direction direction) const {
    const int d = static_cast<int>(direction);
    return detail.bytes[d] + session.bytes[d];
  }
};

struct SessionLimits {
  uint32_t sessions = 0;
  uint32_t hosts = 0;  // that may have sessions at once, on either side; 0: hosts are not counted
  uint32_t from_host = 0;  // 0: no limit
  uint32_t to_host = 0;
};

struct Timeouts {
  Duration of[kTimeoutClasses] = {seconds(300), seconds(240), seconds(7440), seconds(60),
                                  seconds(600)};
};

// The lists of ages, in the order in which they give up sessions when the table is full.
enum class AgeList : uint8_t { half_open, closing, icmp_query, udp, other, established, count_ };

constexpr AgeList age_list_of(TimeoutClass timeout_class, TcpState tcp) {
  switch (timeout_class) {
    case TimeoutClass::tcp_established:
      return AgeList::established;
    case TimeoutClass::udp:
      return AgeList::udp;
    case TimeoutClass::icmp_query:
      return AgeList::icmp_query;
    case TimeoutClass::tcp_transitory:
      return tcp == TcpState::syn_sent || tcp == TcpState::syn_received ? AgeList::half_open
                                                                        : AgeList::closing;
    default:
      return AgeList::other;
  }
}

class SessionTable {
 public:
  SessionTable(const SessionLimits& limits, const HashSeed& seed);
  ~SessionTable();

  // --- lookup: value = session index * 2 + direction, or kNone
  uint32_t find(const FlowKey& key) const { return find(key, hash(key)); }
  uint32_t find(const FlowKey& key, uint64_t hash) const {
    return index_.find(hash, [&](uint32_t value) { return key_of(value) == key; });
  }
  static uint32_t index_of(uint32_t value) { return value >> 1; }
  static Direction direction_of(uint32_t value) { return static_cast<Direction>(value & 1); }

  // --- lookup of many packets, in steps that wait for no memory: ask for the place in the index;
  // guess the value there and ask for the session; compare key_of(guess) with the key.
  uint64_t hash(const FlowKey& key) const { return hash_of(key, seed_); }
  uint64_t hash(KeyWords key) const { return hash_of(key, seed_); }
  FlowIndex::Spot look_ahead(KeyWords key) const {
    FlowIndex::Spot spot = index_.spot_of(hash_of(key, seed_));
    index_.prefetch(spot);
    return spot;
  }
  uint32_t guess(FlowIndex::Spot spot) const {
    uint32_t value = index_.guess(spot);
    if (value != kNone) prefetch(&sessions_[index_of(value)]);
    return value;
  }
  // Asks for the session behind a value, to be written.
  void look_ahead_write(uint32_t value) const { prefetch_for_write(&sessions_[index_of(value)]); }
  // Of a free slot: a key that no packet has.
  const FlowKey& key_of(uint32_t value) const { return sessions_[index_of(value)].key[value & 1]; }

  // Inserts a session with both keys, timeout class and TCP state set; `now` is when it was created
  // and last seen. Counts it for its opener (key[0].source) and its responder (key[1].source),
  // under the limits per host. Returns its index, or the reason: session_table_full,
  // host_table_full, host_limit, or no_external_port when a key is taken already (the caller tries
  // another port).
  struct Inserted {
    uint32_t index = kNone;
    DropReason reason = DropReason::none;
  };
  Inserted insert(const WholeSession& session, Instant now);
  // Takes it out of all lists and counts. The caller releases the mapping.
  void erase(uint32_t index);

  Session& at(uint32_t index) { return sessions_[index]; }
  const Session& at(uint32_t index) const { return sessions_[index]; }
  WholeSession whole(uint32_t index) const { return {sessions_[index], details_[index]}; }
  SessionDetail& detail(uint32_t index) { return details_[index]; }
  const SessionDetail& detail(uint32_t index) const { return details_[index]; }

  // Counts a packet of `bytes` bytes.
  void count(uint32_t index, Direction direction, uint16_t bytes) {
    Session& session = sessions_[index];
    const int d = static_cast<int>(direction);
    session.bytes[d] += bytes;
    // So many packets of 64 KiB fill the bytes as well.
    if (++session.packets[d] == UINT16_MAX) [[unlikely]]
      carry_over(index, d);
  }

  // Notes a packet; call after Session::tcp was advanced. Moves between lists when the class
  // changed.
  void touch(uint32_t index, Instant now, TimeoutClass timeout_class) {
    Session& session = sessions_[index];
    session.last_seen = to_ticks(now);
    AgeList list = age_list_of(timeout_class, session.tcp);
    if (session.age_list != static_cast<uint8_t>(list)) [[unlikely]]
      move(index, now, timeout_class);
  }

  // A session whose timeout has passed (never early, at most 0.6 s late), or kNone. Call until
  // kNone or the turn's budget is spent; the caller erases what it gets. Sessions that were seen
  // since are put back in order on the way, kAgesCheckedPerCall at most. New timeouts hold for
  // living sessions too.
  uint32_t next_expired(Instant now, const Timeouts& timeouts);
  // Asks the cache for the places of a session to come: of packets with `key`, which leave with the
  // source `translated`.
  void look_ahead_answer(const FlowKey& key, Endpoint translated) const {
    index_.prefetch(hash(words_of({key.destination, key.destination_port},
                                  {translated.address.wire(), be16(translated.port)}, key.protocol,
                                  KeySpace::flow)));
  }
  // Asks the cache for the counts of two hosts, of which a session may be inserted.
  void look_ahead_hosts(be32 opener, be32 responder) const;
  // Asks the cache for what erasing the sessions after this one will need, as far as it may be
  // known without waiting. Returns the next one's mapping, or kNone.
  uint32_t look_ahead_after(uint32_t index) const;
  // The session to give up for a new one, or kNone when every session is established. Oldest to
  // within half a second.
  uint32_t victim();

  uint32_t size() const;
  uint32_t capacity() const { return static_cast<uint32_t>(sessions_.size()); }
  uint32_t hosts() const;
  size_t bytes() const;        // of memory, without the hosts
  uint32_t half_open() const;  // TCP in syn_sent or syn_received
  // Walk for dumps and sweeps: indexes below capacity(); at(i).in_use tells.

 private:
  void look_ahead(uint32_t index) const;
  void move(uint32_t index, Instant now, TimeoutClass timeout_class);
  void carry_over(uint32_t index, int direction);

  struct State;
  HashSeed seed_;
  FlowIndex index_;
  TableArray<Session> sessions_;
  TableArray<SessionDetail> details_;
  std::unique_ptr<State> state_;
};

}  // namespace postern
