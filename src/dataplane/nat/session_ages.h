// SPDX-License-Identifier: BSD-3-Clause
// SessionAges: which session runs out next, per list of ages, without work per packet.
//
//   list:  | spot | spot | spot | ...4096... |     a ring of spots, half a second each
//             |      `- sessions that cannot run out before this spot's time, in order of arrival
//             `- drained: everything before it is empty
//
// A packet only stores Session::last_seen. When a spot's time has come its sessions are looked at:
// one that has been quiet for its timeout has run out, any other goes to the spot of its present
// deadline. So a busy session is moved once per timeout, not once per packet, and nothing is ever
// sorted. Deadlines beyond the ring's 36 minutes wait in its last spot and are looked at again
// there.
//
// The links are in the sessions' details (age_previous, age_next; age_list in Session). Part of
// SessionTable; same thread.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/nat/session.h"

namespace postern {

class SessionAges {
 public:
  SessionAges(TableArray<Session>& sessions, TableArray<SessionDetail>& details);

  // Puts a session into the list that its timeout class and TCP state name; last_seen is set.
  void insert(uint32_t index, Instant now);
  void remove(uint32_t index);

  // As SessionTable says.
  uint32_t next_expired(Instant now, const Timeouts& timeouts);
  uint32_t victim();

  uint32_t size_of(AgeList list) const { return lists_[static_cast<unsigned>(list)].size; }

 private:
  static constexpr unsigned kLists = static_cast<unsigned>(AgeList::count_);
  static constexpr uint32_t kSpots = 4096;    // 64 words of 64 bits
  static constexpr unsigned kTicksShift = 5;  // 2^29 ns a spot

  struct List {
    // The first and last session of each spot; kNone: empty.
    std::array<uint32_t, kSpots> first, last;
    std::array<uint64_t, kSpots / 64> filled = {};  // bit: the spot has sessions
    uint64_t filled_words = 0;                      // bit: that word of `filled` is not zero
    uint64_t drained = 0;  // spots up to this one are empty; number of all time
    uint32_t size = 0;
    List() { first.fill(kNone), last.fill(kNone); }

    void mark(uint32_t spot);
    void unmark(uint32_t spot);
    // The number of the first spot after `drained` with sessions; the list is not empty.
    uint64_t next_filled() const;
  };

  void set_timeouts(const Timeouts& timeouts);
  int32_t quiet_ticks(const Session& session) const;
  uint64_t due_spot(const Session& session) const;
  bool has_run_out(const Session& session) const;
  void put(uint32_t index, List& list, uint64_t spot);
  uint32_t next_expired_of(List& list, unsigned& checks);
  void follow(const Timeouts& timeouts);

  TableArray<Session>& sessions_;
  TableArray<SessionDetail>& details_;
  std::array<List, kLists> lists_;
  uint64_t now_ = 0;   // ticks of all time
  Timeouts timeouts_;  // in force
  int32_t timeout_ticks_[kTimeoutClasses] = {};
  uint32_t replaced_ = kNone;  // sessions below it follow the timeouts in force
};

}  // namespace postern
