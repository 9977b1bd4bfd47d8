// SPDX-License-Identifier: BSD-3-Clause
// Servers: the upstream servers, how each is doing, and which to ask next.
//
// A server that left kFailuresMax queries in a row without an answer is down: it is asked no more
// but for one query in kProbeEvery, which goes to a server that works as well, so that no client
// waits for a dead one. Any answer makes it healthy. State follows a server over a reload by its
// address. Bounds: kServersMax. Thread: control.
#pragma once

#include <array>
#include <vector>

#include "services/dns/latency.h"
#include "services/dns/transport.h"

namespace postern::dns {

constexpr size_t kServersMax = 256;
constexpr size_t kServersAskedAtOnce = 4;  // by a strategy that asks in parallel

struct Server {
  ServerAddress address;
  uint32_t failures = 0;   // in a row
  Instant probe_at;        // while it is down
  Instant plain_until;     // it refuses EDNS: asked without
  Instant one_case_until;  // it does not keep the case of names
  Duration round_trip;     // smoothed; zero: not known
  uint64_t queries = 0;
  uint64_t answers = 0;
  uint64_t timeouts = 0;
};

struct ServerGroup {
  std::vector<uint16_t> servers;  // in the order of the configuration
};

class Servers {
 public:
  static constexpr uint32_t kFailuresMax = 3;
  static constexpr Duration kProbeEvery = seconds(2);
  static constexpr uint16_t kNone = 0xFFFF;

  // Starts a new set of groups; servers that are named again keep their state.
  void begin();
  // A group of these servers; returns its number.
  uint16_t add_group(const std::vector<ServerAddress>& addresses);
  // Forgets the servers that no group named. `old_to_new[i]` is kNone for a forgotten one.
  std::vector<uint16_t> finish();

  const std::vector<Server>& all() const { return servers_; }
  Server& at(uint16_t number) { return servers_[number]; }
  const ServerGroup& group(uint16_t number) const { return groups_[number]; }

  bool is_down(uint16_t number) const { return servers_[number].failures >= kFailuresMax; }
  bool all_down(uint16_t group) const;
  // The next one to ask: healthy ones before those that are down, in order, none of those that
  // `was_asked` has (bits by place in the group). kNone when all were asked.
  uint16_t choose(uint16_t group, uint64_t& was_asked) const;
  // One that is down and may be asked beside, or kNone.
  uint16_t choose_probe(uint16_t group, Instant now);

  void note_answer(uint16_t number, Duration took);
  void note_silence(uint16_t number, Instant now);
  // Of all answers since the start, those of servers that are forgotten included.
  const Latency& latency() const { return latency_; }

 private:
  std::vector<Server> servers_;
  std::vector<bool> is_named_;
  std::vector<ServerGroup> groups_;
  Latency latency_;
};

}  // namespace postern::dns
