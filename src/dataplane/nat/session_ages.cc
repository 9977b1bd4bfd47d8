// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/session_ages.h"

#include <algorithm>
#include <bit>

#include "base/limits.h"

namespace postern {
namespace {

// In the links of a session: this is no neighbour but the end of the list of that spot.
constexpr uint32_t kEndOfSpot = 0x80000000;
// Half a year; differences of 32-bit ticks keep their sign.
constexpr int64_t kTimeoutTicksMax = int64_t{1} << 30;

}  // namespace

void SessionAges::List::mark(uint32_t spot) {
  filled[spot / 64] |= uint64_t{1} << spot % 64;
  filled_words |= uint64_t{1} << spot / 64;
}

void SessionAges::List::unmark(uint32_t spot) {
  filled[spot / 64] &= ~(uint64_t{1} << spot % 64);
  if (filled[spot / 64] == 0) filled_words &= ~(uint64_t{1} << spot / 64);
}

uint64_t SessionAges::List::next_filled() const {
  uint32_t from = static_cast<uint32_t>(drained + 1) % kSpots;
  uint32_t word = from / 64;
  uint64_t bits = filled[word] >> from % 64 << from % 64;
  if (bits == 0) {
    // The words behind it, round the ring; what this word has in front of `from` comes last of all.
    word = (word + 1) % 64;
    int skipped = std::countr_zero(std::rotr(filled_words, static_cast<int>(word)));
    word = (word + static_cast<uint32_t>(skipped)) % 64;
    bits = filled[word];
  }
  uint32_t spot = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
  return drained + 1 + (spot - from) % kSpots;
}

SessionAges::SessionAges(TableArray<Session>& sessions, TableArray<SessionDetail>& details)
    : sessions_(sessions), details_(details) {
  set_timeouts(Timeouts{});
}

void SessionAges::set_timeouts(const Timeouts& timeouts) {
  timeouts_ = timeouts;
  for (unsigned i = 0; i < kTimeoutClasses; ++i) {
    int64_t ticks = (timeouts.of[i].ns + (int64_t{1} << 24) - 1) >> 24;
    timeout_ticks_[i] = static_cast<int32_t>(std::clamp<int64_t>(ticks, 0, kTimeoutTicksMax));
  }
}

// RFC4787-REQ5, RFC5382-REQ5: never before the timeout. last_seen is rounded down, hence one tick
// more.
bool SessionAges::has_run_out(const Session& session) const {
  return quiet_ticks(session) > timeout_ticks_[static_cast<unsigned>(session.timeout)];
}

// Below zero when a packet was noted since now_.
int32_t SessionAges::quiet_ticks(const Session& session) const {
  return std::bit_cast<int32_t>(static_cast<uint32_t>(now_) - session.last_seen);
}

// The spot whose time comes when the session runs out, if no packet comes.
uint64_t SessionAges::due_spot(const Session& session) const {
  int64_t left =
      int64_t{timeout_ticks_[static_cast<unsigned>(session.timeout)]} + 1 - quiet_ticks(session);
  uint64_t deadline = now_ + static_cast<uint64_t>(left);
  return (deadline + (1u << kTicksShift) - 1) >> kTicksShift;
}

void SessionAges::put(uint32_t index, List& list, uint64_t spot) {
  spot = std::clamp(spot, list.drained + 1, list.drained + kSpots - 1);
  uint32_t at = static_cast<uint32_t>(spot % kSpots);
  SessionDetail& session = details_[index];
  uint32_t last = list.last[at];
  session.age_next = kEndOfSpot | at;
  if (last == kNone) {
    session.age_previous = kEndOfSpot | at;
    list.first[at] = index;
    list.mark(at);
  } else {
    session.age_previous = last;
    details_[last].age_next = index;
  }
  list.last[at] = index;
  ++list.size;
}

void SessionAges::insert(uint32_t index, Instant now) {
  now_ = static_cast<uint64_t>(now.ns) >> 24;
  Session& session = sessions_[index];
  unsigned list = static_cast<unsigned>(age_list_of(session.timeout, session.tcp));
  session.age_list = static_cast<uint8_t>(list) & 0x7F;
  put(index, lists_[list], due_spot(session));
}

void SessionAges::remove(uint32_t index) {
  List& list = lists_[sessions_[index].age_list];
  uint32_t previous = details_[index].age_previous, next = details_[index].age_next;
  bool is_first = (previous & kEndOfSpot) != 0, is_last = (next & kEndOfSpot) != 0;
  if (is_first) {
    list.first[previous & ~kEndOfSpot] = is_last ? kNone : next;
  } else {
    details_[previous].age_next = next;
  }
  if (is_last) {
    list.last[next & ~kEndOfSpot] = is_first ? kNone : previous;
  } else {
    details_[next].age_previous = previous;
  }
  if (is_first && is_last) list.unmark(next & ~kEndOfSpot);
  --list.size;
}

// New timeouts: every session goes to its new spot, a few a call. Longer ones need no hurry, but
// shorter ones would otherwise wait for the old deadline.
void SessionAges::follow(const Timeouts& timeouts) {
  if (!std::equal(timeouts.of, timeouts.of + kTimeoutClasses, timeouts_.of)) {
    set_timeouts(timeouts);
    replaced_ = 0;
  }
  for (unsigned i = 0; i < kAgesCheckedPerCall && replaced_ < sessions_.size(); ++i, ++replaced_) {
    Session& session = sessions_[replaced_];
    if (!session.in_use) continue;
    remove(replaced_);
    put(replaced_, lists_[session.age_list], due_spot(session));
  }
}

uint32_t SessionAges::next_expired_of(List& list, unsigned& checks) {
  uint64_t due = now_ >> kTicksShift;
  while (list.drained < due) {
    uint64_t spot = list.size == 0 ? due + 1 : list.next_filled();
    list.drained = std::min(spot - 1, due);
    if (spot > due) break;
    uint32_t index = list.first[spot % kSpots];
    if (has_run_out(sessions_[index])) return index;
    if (checks == 0) return kNone;
    --checks;
    remove(index);
    put(index, list, due_spot(sessions_[index]));
  }
  return kNone;
}

uint32_t SessionAges::next_expired(Instant now, const Timeouts& timeouts) {
  now_ = static_cast<uint64_t>(now.ns) >> 24;
  follow(timeouts);
  unsigned checks = kAgesCheckedPerCall;
  for (List& list : lists_) {
    uint32_t index = next_expired_of(list, checks);
    if (index != kNone || checks == 0) return index;
  }
  return kNone;
}

uint32_t SessionAges::victim() {
  constexpr unsigned kGivenUp = static_cast<unsigned>(AgeList::established);  // lists before it
  unsigned checks = kAgesCheckedPerCall;
  for (unsigned i = 0; i < kGivenUp; ++i) {
    List& list = lists_[i];
    while (list.size != 0) {
      uint64_t spot = list.next_filled();
      uint32_t index = list.first[spot % kSpots];
      uint64_t due = std::min(due_spot(sessions_[index]), list.drained + kSpots - 1);
      // Not seen since it was put there: nobody in this list is older. Out of checks: old enough.
      if (due <= spot || checks == 0) return index;
      --checks;
      remove(index);
      put(index, list, due);
    }
  }
  return kNone;
}

}  // namespace postern
