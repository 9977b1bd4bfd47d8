// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/pending.h"

#include <algorithm>

#include "base/assert.h"

namespace postern::dns {

Spelling Spelling::of(Bytes name) {
  Spelling spelling;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != lower(name[i])) spelling.bits[i / 8] |= static_cast<uint8_t>(1 << i % 8);
  }
  return spelling;
}

void Spelling::apply(std::span<uint8_t> lower_name) const {
  for (size_t i = 0; i < lower_name.size(); ++i) {
    if ((bits[i / 8] >> i % 8 & 1) != 0) lower_name[i] &= 0xDF;
  }
}

bool Pending::is_awaited() const {
  return std::any_of(attempts.begin(), attempts.begin() + attempt_count,
                     [](const Attempt& a) { return a.is_open && !a.is_silent; });
}

PendingTable::PendingTable(const io::HashSeed& seed)
    : seed_(seed), shares_(kShares), places_(kPendingMax), buckets_(kBuckets, kNone), ids_(65536) {
  for (uint32_t place = kPendingMax; place-- > 0;) {
    places_[place].next = free_;
    free_ = place;
  }
}

Pending* PendingTable::find(const Question& question, uint64_t hash) {
  for (uint32_t place = buckets_[hash % kBuckets]; place != kNone; place = places_[place].next) {
    Pending& pending = places_[place];
    if (pending.hash == hash && pending.question.type == question.type &&
        pending.question.wants_dnssec == question.wants_dnssec &&
        pending.question.checking_disabled == question.checking_disabled &&
        pending.question.name == question.name) {
      return &pending;
    }
  }
  return nullptr;
}

Pending* PendingTable::add(const Question& question, uint64_t hash) {
  if (free_ == kNone) return nullptr;
  uint32_t place = free_;
  Pending& pending = places_[place];
  free_ = pending.next;
  pending.question = question;
  pending.hash = hash;
  pending.serial = ++serial_;
  pending.asker = Pending::kNobody;
  pending.attempt_count = 0;
  pending.is_used = true;
  pending.is_stream_tried = pending.is_judged = false;
  pending.was_asked = 0;
  pending.asked_plain = Pending::kNoServer;
  pending.next = buckets_[hash % kBuckets];
  buckets_[hash % kBuckets] = place;
  pending.after_active = kNone;
  pending.before_active = youngest_;
  (youngest_ == kNone ? oldest_ : places_[youngest_].after_active) = place;
  youngest_ = place;
  ++size_;
  return &pending;
}

void PendingTable::remove(Pending& pending) {
  uint32_t place = place_of(pending);
  for (uint8_t i = 0; i < pending.attempt_count; ++i) {
    if (pending.attempts[i].is_open) free_id(pending.attempts[i].id);
    pending.attempts[i].is_open = false;
  }
  uint32_t* link = &buckets_[pending.hash % kBuckets];
  while (*link != place)
    link = &places_[*link].next;
  *link = pending.next;
  uint32_t before = pending.before_active;
  uint32_t after = pending.after_active;
  (before == kNone ? oldest_ : places_[before].after_active) = after;
  (after == kNone ? youngest_ : places_[after].before_active) = before;
  if (pending.asker != Pending::kNobody) --shares_[pending.asker].questions;
  for (const Waiter& waiter : pending.waiters) {
    if (!waiter.client.is_own) --shares_[share_of(waiter.client.address)].waiters;
  }
  waiters_ -= pending.waiters.size();
  if (pending.waiters.capacity() <= kWaitersKept) {
    pending.waiters.clear();
  } else {
    // Else each place would come to have room for the greatest crowd.
    pending.waiters = std::vector<Waiter>();
  }
  pending.is_used = false;
  pending.next = free_;
  free_ = place;
  --size_;
}

uint16_t PendingTable::share_of(Ipv4Address client) const {
  static_assert(kShares < Pending::kNobody && kWaitersMax <= 0xFFFF);
  return static_cast<uint16_t>(io::fold(client.number ^ seed_.first, seed_.second) % kShares);
}

bool PendingTable::has_share(const Client& client, bool is_new) const {
  if (client.is_own) return true;
  const Share& share = shares_[share_of(client.address)];
  if (is_new && share.questions >= kQuestionsOfClientMax) return false;
  return share.waiters < kWaitersOfClientMax;
}

void PendingTable::add_waiter(Pending& pending, const Waiter& waiter, bool is_new) {
  POSTERN_ASSERT(has_room_to_wait());
  pending.waiters.push_back(waiter);
  ++waiters_;
  if (waiter.client.is_own) return;
  uint16_t share = share_of(waiter.client.address);
  ++shares_[share].waiters;
  if (!is_new) return;
  pending.asker = share;
  ++shares_[share].questions;
}

uint16_t PendingTable::take_id(const Pending& pending, uint8_t attempt, uint16_t random) {
  // At most half of all IDs can be out, so this ends soon.
  static_assert(kPendingMax * kAttemptsMax <= 32768);
  while (ids_[random] != 0)
    ++random;
  ids_[random] = place_of(pending) * static_cast<uint32_t>(kAttemptsMax) + attempt + 1;
  return random;
}

PendingTable::Found PendingTable::find_id(uint16_t id) {
  if (ids_[id] == 0) return {};
  uint32_t number = ids_[id] - 1;
  Pending& pending = places_[number / kAttemptsMax];
  return {&pending, &pending.attempts[number % kAttemptsMax]};
}

Pending* PendingTable::find_serial(uint32_t place, uint64_t serial) {
  Pending& pending = places_[place];
  return pending.is_used && pending.serial == serial ? &pending : nullptr;
}

}  // namespace postern::dns
