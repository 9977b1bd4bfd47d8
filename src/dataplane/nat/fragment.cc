// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/fragment.h"

#include <array>

#include "base/limits.h"
#include "dataplane/table/table_memory.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr Duration kTrainLife = seconds(30);
constexpr Duration kWaitMax = seconds(2);
constexpr unsigned kHeldPerTrain = 16;
// A datagram of 64 KiB over a path of 576 bytes comes in 119 pieces.
constexpr unsigned kPiecesMax = 128;

// Bytes [begin, end) of a datagram's data.
struct Piece {
  uint16_t begin = 0, end = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

// Slots in order of arrival, by index.
struct Queue {
  uint32_t first = kNone, last = kNone;
};

struct Train {
  FlowKey key;
  be16 source_port, destination_port;  // of its first fragment
  uint16_t icmp_kind = 0;              // likewise
  bool has_first = false;
  bool has_last = false;
  bool is_refused = false;
  uint8_t waiting_count = 0;
  uint16_t pieces_count = 0;
  uint16_t data_end = 0;  // with has_last
  uint32_t covered = 0;   // bytes in `pieces`
  Instant created;
  Queue waiting;                          // later fragments, until the first comes
  uint32_t older = kNone, newer = kNone;  // by `created`; free: older is the next free one
  uint32_t waits_before = kNone, waits_after = kNone;  // while pieces wait, by the first one's time
  std::array<Piece, kPiecesMax> pieces;

  bool is_complete() const { return has_first && has_last && covered == data_end; }
  bool is_over(Instant now) const { return now - created >= kTrainLife; }
};

struct Slot {
  Packet packet;
  Instant since;
  uint32_t next = kNone;
};

FlowKey key_of(const Packet& packet) {
  FlowKey key;
  key.source = packet.key.source;
  key.destination = packet.key.destination;
  key.source_port = be16(packet.identification);
  key.protocol = packet.key.protocol;
  return key;
}

Piece piece_of(const Packet& packet) {
  unsigned bytes = packet.l3_length - ipv4_at(packet.l3()).header_bytes();
  return {packet.fragment_offset, static_cast<uint16_t>(packet.fragment_offset + bytes)};
}

// False: the piece contradicts what has come (RFC 1858, RFC 3128: overlaps are attacks), or there
// are too many. The same piece again is no contradiction: networks duplicate packets.
bool note_piece(Train& train, Piece piece, bool is_last) {
  bool is_beyond =
      train.has_last && (is_last ? piece.end != train.data_end : piece.end >= train.data_end);
  if (is_beyond) return false;
  for (unsigned i = 0; i < train.pieces_count; ++i) {
    const Piece& known = train.pieces[i];
    if (known == piece) return !is_last || train.has_last;
    if (piece.begin < known.end && known.begin < piece.end) return false;
    if (is_last && known.end > piece.end) return false;
  }
  if (train.pieces_count == kPiecesMax) return false;
  train.pieces[train.pieces_count++] = piece;
  train.covered += piece.end - piece.begin;
  if (is_last) {
    train.has_last = true;
    train.data_end = piece.end;
  }
  return true;
}

void give_ports(const Train& train, Packet& packet) {
  packet.key.source_port = train.source_port;
  packet.key.destination_port = train.destination_port;
  packet.key.icmp_kind = train.icmp_kind;
  packet.ports_recovered = true;
}

}  // namespace

struct alignas(kOwnLines) FragmentTable::State {
  explicit State(const HashSeed& seed);

  uint32_t find_or_add(const FlowKey& key, Instant now);
  void forget(uint32_t train);
  Verdict refuse(uint32_t train);
  Verdict wait(uint32_t train, Packet& packet, Instant now);
  bool take_from_longest(const Train* but, Packet& out);
  void let_go(uint32_t train);
  void give_up(uint32_t train);
  void end_wait(uint32_t train);
  void give_up_late(Instant now);

  void push(Queue& queue, uint32_t slot);
  uint32_t pop(Queue& queue);
  size_t take(Queue& queue, std::span<Packet> out);

  FlowMap index;
  TableArray<Train> trains;
  TableArray<Slot> slots;
  uint32_t free_train = kNone;
  uint32_t oldest = kNone, newest = kNone;
  Queue free_slots;
  Queue ready;                                       // their first fragment has come
  Queue given_up;                                    // it has not come in time
  uint32_t waits_first = kNone, waits_last = kNone;  // trains of which pieces wait
  uint32_t held = 0;
};

FragmentTable::State::State(const HashSeed& seed)
    : index(kFragmentTrains, seed), trains(kFragmentTrains), slots(kFragmentsHeldMax) {
  for (uint32_t i = kFragmentTrains; i-- > 0;) {
    trains[i].older = free_train;
    free_train = i;
  }
  for (uint32_t i = 0; i < kFragmentsHeldMax; ++i)
    push(free_slots, i);
}

void FragmentTable::State::push(Queue& queue, uint32_t slot) {
  slots[slot].next = kNone;
  (queue.last == kNone ? queue.first : slots[queue.last].next) = slot;
  queue.last = slot;
}

uint32_t FragmentTable::State::pop(Queue& queue) {
  uint32_t slot = queue.first;
  if (slot == kNone) return kNone;
  queue.first = slots[slot].next;
  if (queue.first == kNone) queue.last = kNone;
  return slot;
}

size_t FragmentTable::State::take(Queue& queue, std::span<Packet> out) {
  size_t count = 0;
  while (count < out.size() && queue.first != kNone) {
    uint32_t slot = pop(queue);
    out[count++] = slots[slot].packet;
    push(free_slots, slot);
    --held;
  }
  return count;
}

uint32_t FragmentTable::State::find_or_add(const FlowKey& key, Instant now) {
  uint32_t train = index.find(key);
  if (train != kNone && !trains[train].is_over(now)) return train;
  if (train != kNone) forget(train);
  if (free_train == kNone) forget(oldest);
  train = free_train;
  free_train = trains[train].older;
  trains[train] = Train{};
  trains[train].key = key;
  trains[train].created = now;
  trains[train].older = newest;
  (newest == kNone ? oldest : trains[newest].newer) = train;
  newest = train;
  index.insert(key, train);
  return train;
}

void FragmentTable::State::forget(uint32_t train) {
  Train& gone = trains[train];
  give_up(train);
  index.erase(gone.key);
  (gone.older == kNone ? oldest : trains[gone.older].newer) = gone.newer;
  (gone.newer == kNone ? newest : trains[gone.newer].older) = gone.older;
  gone.older = free_train;
  free_train = train;
}

// The train stays, so that its later pieces are refused too.
Verdict FragmentTable::State::refuse(uint32_t train) {
  trains[train].is_refused = true;
  give_up(train);
  return drop(DropReason::fragment_malformed);
}

void FragmentTable::State::give_up(uint32_t train) {
  end_wait(train);
  for (uint32_t slot; (slot = pop(trains[train].waiting)) != kNone;)
    push(given_up, slot);
}

// Takes a train out of the list of those of which pieces wait, if it is there.
void FragmentTable::State::end_wait(uint32_t train) {
  Train& ends = trains[train];
  if (ends.waiting.first == kNone) return;
  (ends.waits_before == kNone ? waits_first : trains[ends.waits_before].waits_after) =
      ends.waits_after;
  (ends.waits_after == kNone ? waits_last : trains[ends.waits_after].waits_before) =
      ends.waits_before;
}

// Keeps a copy of `packet`. When there is no room, the train that has waited longest goes, and
// `packet` becomes a piece of it, to be dropped.
Verdict FragmentTable::State::wait(uint32_t train, Packet& packet, Instant now) {
  Train& waits = trains[train];
  Packet gone;
  const bool is_full = free_slots.first == kNone;
  if (is_full && !take_from_longest(&waits, gone)) return drop(DropReason::fragment_table_full);
  if (waits.waiting.first == kNone) {
    waits.waits_before = waits_last;
    waits.waits_after = kNone;
    (waits_last == kNone ? waits_first : trains[waits_last].waits_after) = train;
    waits_last = train;
  }
  uint32_t slot = pop(free_slots);
  slots[slot].packet = packet;
  slots[slot].since = now;
  push(waits.waiting, slot);
  ++waits.waiting_count;
  ++held;
  if (!is_full) return hold();
  packet = gone;
  return drop(DropReason::fragment_table_full);
}

// One piece out of the way, of those that are given up; if there is none, of the train that has
// waited longest. False: all the others' are on their way out.
bool FragmentTable::State::take_from_longest(const Train* but, Packet& out) {
  if (given_up.first == kNone) {
    uint32_t longest = waits_first;
    if (longest != kNone && &trains[longest] == but) longest = but->waits_after;
    if (longest == kNone) return false;
    forget(longest);
  }
  return take(given_up, {&out, 1}) == 1;
}

// The first fragment of the train has come.
void FragmentTable::State::let_go(uint32_t train) {
  end_wait(train);
  for (uint32_t slot; (slot = pop(trains[train].waiting)) != kNone;) {
    give_ports(trains[train], slots[slot].packet);
    push(ready, slot);
  }
}

void FragmentTable::State::give_up_late(Instant now) {
  // What of such a train came later would wait in vain as well: pieces of a datagram without this
  // one.
  while (waits_first != kNone && now - slots[trains[waits_first].waiting.first].since >= kWaitMax)
    forget(waits_first);
}

FragmentTable::FragmentTable(const HashSeed& seed) : state_(new State(seed)) {}
FragmentTable::~FragmentTable() = default;

Verdict FragmentTable::admit(Packet& packet, Instant now) {
  State& state = *state_;
  uint32_t index = state.find_or_add(key_of(packet), now);
  Train& train = state.trains[index];
  if (train.is_refused) return drop(DropReason::fragment_malformed);
  bool must_wait = packet.is_later_fragment && !train.has_first;
  if (must_wait && train.waiting_count == kHeldPerTrain) {
    return drop(DropReason::fragment_table_full);
  }
  if (!note_piece(train, piece_of(packet), !packet.more_fragments)) return state.refuse(index);
  if (must_wait) return state.wait(index, packet, now);
  if (packet.is_later_fragment) {
    give_ports(train, packet);
  } else if (!train.has_first) {
    train.has_first = true;
    train.source_port = packet.key.source_port;
    train.destination_port = packet.key.destination_port;
    train.icmp_kind = packet.key.icmp_kind;
    state.let_go(index);
  } else if (train.source_port != packet.key.source_port ||
             train.destination_port != packet.key.destination_port) {
    return state.refuse(index);  // the same place written twice with different ports
  }
  // Nothing more is to come, and the next datagram with this identification is another one.
  if (train.is_complete()) state.forget(index);
  return forward();
}

size_t FragmentTable::release(std::span<Packet> out) {
  return state_->take(state_->ready, out);
}

size_t FragmentTable::expire(Instant now, std::span<Packet> out) {
  state_->give_up_late(now);
  return state_->take(state_->given_up, out);
}

uint32_t FragmentTable::held() const {
  return state_->held;
}

}  // namespace postern
