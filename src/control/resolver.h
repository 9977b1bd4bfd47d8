// SPDX-License-Identifier: BSD-3-Clause
// Resolver: finds and keeps the MAC addresses of neighbors (RFC 826, RFC 1122 section 2.3.2) and
// makes our own addresses known (RFC 5227). An engine: events and time in, calls of the sink out;
// no socket, no clock.
//
//   (nothing) -wanted-> asking -answer-> known -60 s-> probing -answer-> known
//                         | 3 asks silent                | 3 probes silent
//                         v                              v
//                       silent (20 s), then (nothing)  (nothing)
//
// An address that stayed silent is not asked for again for 20 s, so that a scan of empty addresses
// costs no broadcast storm. Known neighbors are confirmed by unicast (RFC 1122 2.3.2.1 (2)), at
// most every 60 s. Bounded: kNeighborsMax entries in all, kAskingMax asked for at once, kSilentMax
// remembered as silent. Thread: control.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/packet/log_record.h"
#include "dataplane/packet/packet.h"

namespace postern {

// What the resolver does to the world.
class ResolverSink {
 public:
  virtual ~ResolverSink() = default;
  virtual void send(InterfaceId interface, std::span<const uint8_t> frame) = 0;
  // False: the table that workers read is full.
  virtual bool set(InterfaceId interface, Ipv4Address address, const MacAddress& mac) = 0;
  virtual void erase(InterfaceId interface, Ipv4Address address) = 0;
  virtual void remark(const std::string& line) = 0;  // for the error log
};

class Resolver {
 public:
  static constexpr unsigned kAskingMax = 1024;
  static constexpr unsigned kSilentMax = 4096;

  struct StaticNeighbor {
    Ipv4Address address;
    MacAddress mac;
  };
  // One interface as the policy has it.
  struct Link {
    InterfaceId id = kNoInterface;
    std::string name;
    MacAddress mac;
    std::vector<Prefix> addresses;             // host bits kept
    std::vector<Ipv4Address> other_addresses;  // answered for beside them: one-to-one, pools
    std::vector<StaticNeighbor> neighbors;
  };

  explicit Resolver(ResolverSink& sink) : sink_(sink) {}

  // The interfaces from now on. Neighbors that are on no network any more are forgotten, addresses
  // that are new are announced.
  void configure(std::vector<Link> links, Instant now);
  // Announces all addresses of an interface again, for a link that came up.
  void announce(InterfaceId interface, Instant now);
  void handle(const ControlEvent& event, Instant now);
  // Does what is due. Call it at least every 100 ms.
  void tick(Instant now);

  enum class State : uint8_t { asking, known, probing, silent, fixed };
  struct Row {
    InterfaceId interface = kNoInterface;
    Ipv4Address address;
    MacAddress mac;  // zero: not known
    State state = State::asking;
    Duration since_confirmed;  // known, probing
  };
  std::vector<Row> rows(Instant now) const;

 private:
  using Key = std::pair<InterfaceId, Ipv4Address>;
  struct Entry {
    State state = State::asking;
    MacAddress mac;
    unsigned sent = 0;  // requests without an answer
    Instant due;        // of the next step; unused when fixed
    Instant confirmed;
  };
  struct Announcement {
    Key key;
    unsigned left = 0;
    Instant due;
  };

  const Link* find_link(InterfaceId id) const;
  void want(const Key& key, Instant now);
  void learn(const Key& key, const MacAddress& mac, Instant now);
  void settle(const Key& key, Entry& entry, const MacAddress& mac, Instant now);
  void tell_move(const Key& key, const MacAddress& from, const MacAddress& to, Instant now);
  void step(const Key& key, Entry& entry, Instant now);
  void send_request(const Key& key, const MacAddress& to);
  void move(const Key& key, Entry& entry, State state, Instant due);
  void forget(Key key);
  void set_fixed(const Link& link, Instant now);
  void handle_conflict(const Key& key, const MacAddress& mac, Instant now);
  void send_announcements(Instant now);

  ResolverSink& sink_;
  std::vector<Link> links_;
  std::set<Key> own_;  // addresses that are ours, by interface
  std::map<Key, Entry> entries_;
  std::set<std::pair<Instant, Key>> due_;     // all but fixed ones
  std::set<std::pair<Instant, Key>> silent_;  // those of due_ that are silent, first to end first
  unsigned asking_ = 0;
  unsigned moves_told_ = 0;  // since moves_since_
  Instant moves_since_;
  std::vector<Announcement> announcements_;
  std::map<Key, Instant> conflicts_;  // last remark about each
  Instant last_full_remark_{-1};
};

const char* to_word(Resolver::State state);

}  // namespace postern
