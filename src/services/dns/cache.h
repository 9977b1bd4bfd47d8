// SPDX-License-Identifier: BSD-3-Clause
// Cache: answers as they go over the wire, found by question.
//
//   index (open addressing, 32-bit slots)  ->  entry (fixed part)  ->  octets: message, places of
//                                                                      the TTLs
//
// A hit copies the message and patches ID, question and TTLs in the copy (reply.h); nothing is
// parsed or allocated. An answer that has expired stays for `stale_s` more, to be told when no
// server can be reached (RFC 8767).
//
// Bounds: `entries` and `bytes` (everything the cache takes, index included). At either limit the
// queue of entries is gone through from the oldest: one that was used since the hand came by stays
// for another round, the first that was not makes room (second chance); counted as `evicted`.
// Thread: control.
#pragma once

#include <memory>
#include <vector>

#include "base/time.h"
#include "services/dns/answer.h"
#include "services/io/hash.h"

namespace postern::dns {

struct CacheLimits {
  uint32_t entries = 100'000;
  uint64_t bytes = uint64_t{64} << 20;
  uint32_t ttl_max_s = 86'400;
  uint32_t negative_ttl_max_s = 3'600;  // RFC 2308 section 5: one to three hours
  uint32_t stale_s = 86'400;            // 0: nothing is kept beyond its time
  friend bool operator==(const CacheLimits&, const CacheLimits&) = default;
};

struct CacheEntry {
  uint64_t hash = 0;
  Instant stored;
  Instant expires;
  Instant asked_again;  // until then a stale answer is told without asking
  std::unique_ptr<uint8_t[]> octets;
  uint32_t message_bytes = 0;
  uint16_t ttls = 0;
  uint8_t bits = 0;       // DO, CD of the question
  bool was_used = false;  // since the hand came by
  bool is_negative = false;
  bool is_failure = false;  // never told beyond its time
  uint32_t newer = 0;       // in the queue of age; of a free entry the next free one
  uint32_t older = 0;

  Bytes message() const { return {octets.get(), message_bytes}; }
  std::span<const uint16_t> ttl_at() const {
    return {reinterpret_cast<const uint16_t*>(octets.get() + (message_bytes + 1) / 2 * 2), ttls};
  }
  uint32_t age_s(Instant now) const {
    return static_cast<uint32_t>((now - stored).ns / 1'000'000'000);
  }
  bool is_fresh(Instant now) const { return now < expires; }
};

class Cache {
 public:
  Cache(const CacheLimits& limits, const io::HashSeed& seed);
  ~Cache();

  // Of a question: its name in lower case with type and class, and the bits that make another
  // answer of it.
  struct Key {
    Bytes question;
    uint8_t bits = 0;
    uint64_t hash = 0;
  };
  Key key_of(Bytes lower_question, bool wants_dnssec, bool checking_disabled) const;

  // The entry, fresh or stale; nullptr when there is none that may still be told.
  CacheEntry* find(const Key& key, Instant now);
  // Keeps an answer for min(its TTL, the limit); one of TTL 0 is not kept. nullptr then.
  CacheEntry* insert(const Key& key, const Answer& answer, Instant now);
  // Removes the entries of `name` and of what is below it; all for the root. Returns how many.
  size_t flush(const Name& name);
  // Ends entries whose time is over for good, a few at a time.
  void sweep(Instant now);
  // Other limits; entries beyond them go.
  void set_limits(const CacheLimits& limits);

  size_t entries() const { return used_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t evicted() const { return evicted_; }
  const CacheLimits& limits() const { return limits_; }

 private:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  uint32_t* find_slot(const Key& key);
  void build_index();
  void index(uint32_t number);
  void unindex(uint32_t number);
  uint32_t take_entry();
  void remove(uint32_t number);
  void link_newest(uint32_t number);
  void unlink(uint32_t number);
  void make_room(uint64_t bytes);
  bool is_over(const CacheEntry& entry, Instant now) const;
  bool is_used(uint32_t number) const { return entries_[number].octets != nullptr; }
  uint64_t bytes_of(const CacheEntry& entry) const;

  CacheLimits limits_;
  io::HashSeed seed_;
  std::vector<uint32_t> slots_;  // numbers of entries; a power of two, at most half used
  std::vector<CacheEntry> entries_;
  uint32_t free_ = kNone;
  uint32_t newest_ = kNone;
  uint32_t oldest_ = kNone;
  uint32_t swept_ = 0;  // where sweep() goes on
  size_t used_ = 0;
  uint64_t bytes_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace postern::dns
