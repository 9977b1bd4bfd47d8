// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/fragment.h"

#include <algorithm>
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
  std::array<Piece, kPiecesMax> pieces;

  bool is_complete() const { return has_first && has_last && covered == data_end; }
  bool is_over(Instant now) const { return now - created >= kTrainLife; }
};

struct Slot {
  Packet packet;
  Instant since;
  uint32_t train = kNone;  // while it waits, else kNone
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

struct FragmentTable::State {
  explicit State(const HashSeed& seed);

  uint32_t find_or_add(const FlowKey& key, Instant now);
  void forget(uint32_t train);
  Verdict refuse(uint32_t train);
  Verdict wait(uint32_t train, const Packet& packet, Instant now);
  void let_go(uint32_t train);
  void give_up(Queue& waiting);
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
  Queue ready;     // their first fragment has come
  Queue given_up;  // it has not come in time
  uint32_t held = 0;
  Instant next_late;  // nobody's wait is over before, if anybody waits
  uint32_t waiting = 0;
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
  give_up(gone.waiting);
  index.erase(gone.key);
  (gone.older == kNone ? oldest : trains[gone.older].newer) = gone.newer;
  (gone.newer == kNone ? newest : trains[gone.newer].older) = gone.older;
  gone.older = free_train;
  free_train = train;
}

// The train stays, so that its later pieces are refused too.
Verdict FragmentTable::State::refuse(uint32_t train) {
  trains[train].is_refused = true;
  give_up(trains[train].waiting);
  return drop(DropReason::fragment_malformed);
}

void FragmentTable::State::give_up(Queue& queue) {
  for (uint32_t slot; (slot = pop(queue)) != kNone;) {
    slots[slot].train = kNone;
    --waiting;
    push(given_up, slot);
  }
}

Verdict FragmentTable::State::wait(uint32_t train, const Packet& packet, Instant now) {
  uint32_t slot = pop(free_slots);
  slots[slot].packet = packet;
  slots[slot].since = now;
  slots[slot].train = train;
  push(trains[train].waiting, slot);
  ++trains[train].waiting_count;
  if (waiting == 0) next_late = now + kWaitMax;
  ++waiting;
  ++held;
  return hold();
}

// The first fragment of the train has come.
void FragmentTable::State::let_go(uint32_t train) {
  for (uint32_t slot; (slot = pop(trains[train].waiting)) != kNone;) {
    give_ports(trains[train], slots[slot].packet);
    slots[slot].train = kNone;
    --waiting;
    push(ready, slot);
  }
}

void FragmentTable::State::give_up_late(Instant now) {
  if (waiting == 0 || now < next_late) return;
  next_late = now + kWaitMax;
  for (uint32_t i = 0; i < kFragmentsHeldMax; ++i) {
    if (slots[i].train == kNone) continue;
    Instant end = slots[i].since + kWaitMax;
    if (end <= now) {
      // What of this train came later would wait in vain as well: pieces of a datagram without this
      // one.
      forget(slots[i].train);
    } else {
      next_late = std::min(next_late, end);
    }
  }
}

FragmentTable::FragmentTable(const HashSeed& seed) : state_(new State(seed)) {}
FragmentTable::~FragmentTable() = default;

Verdict FragmentTable::admit(Packet& packet, Instant now) {
  State& state = *state_;
  uint32_t index = state.find_or_add(key_of(packet), now);
  Train& train = state.trains[index];
  if (train.is_refused) return drop(DropReason::fragment_malformed);
  bool must_wait = packet.is_later_fragment && !train.has_first;
  if (must_wait && (train.waiting_count == kHeldPerTrain || state.held == kFragmentsHeldMax)) {
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
