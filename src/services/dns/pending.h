// SPDX-License-Identifier: BSD-3-Clause
// PendingTable: the questions that are asked of servers, who waits for each, and the IDs that are
// out.
//
// A place is used again with its memory for the few who mostly wait for one answer, so a miss in a
// busy hour hardly allocates. IDs are unique among all that are out, 16 random bits each (RFC
// 5452). Bounds: kPendingMax questions, kWaitersMax clients in all, and a quarter of either for one
// client address; beyond any the client gets SERVFAIL at once. What clients hold is counted in a
// table of fixed size by a seeded hash: two that meet there, one pair in kShares, share a quarter.
// Thread: control.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "services/dns/answer.h"
#include "services/dns/cache.h"

namespace postern::dns {

constexpr size_t kPendingMax = 4096;
constexpr size_t kWaitersMax = 16384;
constexpr size_t kQuestionsOfClientMax = kPendingMax / 4;
constexpr size_t kWaitersOfClientMax = kWaitersMax / 4;
constexpr size_t kAttemptsMax = 8;

// Who asks, and by which way the answer goes back.
struct Client {
  uint32_t listener = 0;
  uint32_t connection = 0;  // of TCP; 0: UDP
  Ipv4Address address;
  uint16_t port = 0;
  bool is_own = false;  // our validator: no limit, list or log is for it
};

// Which letters of a name were capitals.
struct Spelling {
  std::array<uint8_t, 32> bits = {};
  static Spelling of(Bytes name);
  void apply(std::span<uint8_t> lower_name) const;
};

struct Waiter {
  Client client;
  uint16_t id = 0;
  uint16_t flags = 0;
  uint16_t limit = kPlainUdpBytes;
  bool has_edns = false;
  Spelling spelling;
};

struct Attempt {
  uint16_t server = 0;
  uint16_t id = 0;
  uint32_t socket = 0;     // the answer must come in there; 0: none, or a stream
  uint64_t case_bits = 0;  // letter i of the name is a capital when bit i % 64 is set
  Instant sent;
  bool with_edns = false;
  bool by_stream = false;
  bool is_open = false;    // neither answered nor given up
  bool is_silent = false;  // it has taken too long, though an answer may still come
};

struct Pending {
  static constexpr uint16_t kNoServer = 0xFFFF;
  static constexpr uint16_t kNobody = 0xFFFF;
  Question question;
  uint64_t hash = 0;
  uint64_t serial = 0;  // of this use of the place
  uint16_t group = 0;
  uint16_t asker = kNobody;  // whose share it counts for; nobody's: we ask for ourselves
  uint8_t attempt_count = 0;
  bool is_used = false;
  bool is_stream_tried = false;
  bool is_judged = false;            // an answer is with the validator
  uint64_t was_asked = 0;            // servers of the group, by place
  uint16_t asked_plain = kNoServer;  // it refused the question with EDNS
  Instant started;
  Instant next_at;  // when another server is asked
  Instant gives_up_at;
  uint32_t next = 0;  // in the chain of its bucket, or free
  uint32_t before_active = 0;
  uint32_t after_active = 0;
  std::array<Attempt, kAttemptsMax> attempts;
  std::vector<Waiter> waiters;

  bool is_awaited() const;  // an attempt is open and may be answered in time
};

class PendingTable {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  static constexpr size_t kWaitersKept = 16;  // for as many a place keeps its memory
  explicit PendingTable(const io::HashSeed& seed = {});

  Pending* find(const Question& question, uint64_t hash);
  // nullptr when the table is full.
  Pending* add(const Question& question, uint64_t hash);
  // Gives its IDs back and frees the place.
  void remove(Pending& pending);
  // Whether the client holds less than its share, of the questions if it asks a new one.
  bool has_share(const Client& client, bool is_new) const;
  bool has_room_to_wait() const { return waiters_ < kWaitersMax; }
  // There is room. The first one that waits for a new question is who asks it.
  void add_waiter(Pending& pending, const Waiter& waiter, bool is_new = false);

  // A free ID for an attempt of `pending`, near `random`.
  uint16_t take_id(const Pending& pending, uint8_t attempt, uint16_t random);
  void free_id(uint16_t id) { ids_[id] = 0; }
  struct Found {
    Pending* pending = nullptr;
    Attempt* attempt = nullptr;
  };
  Found find_id(uint16_t id);
  Pending* find_serial(uint32_t place, uint64_t serial);
  uint32_t place_of(const Pending& pending) const {
    return static_cast<uint32_t>(&pending - places_.data());
  }

  // The oldest one and the next younger one; kNone at the end.
  uint32_t oldest() const { return oldest_; }
  Pending& at(uint32_t place) { return places_[place]; }
  size_t size() const { return size_; }
  size_t waiters() const { return waiters_; }

 private:
  static constexpr size_t kBuckets = 4096;
  static constexpr size_t kShares = 16'384;
  struct Share {
    uint16_t questions = 0;
    uint16_t waiters = 0;
  };
  uint16_t share_of(Ipv4Address client) const;

  io::HashSeed seed_;
  std::vector<Share> shares_;
  std::vector<Pending> places_;
  std::vector<uint32_t> buckets_;
  std::vector<uint32_t> ids_;  // by ID: place * kAttemptsMax + attempt + 1, 0 for none
  uint32_t free_ = kNone;
  uint32_t oldest_ = kNone;
  uint32_t youngest_ = kNone;
  uint64_t serial_ = 0;
  size_t size_ = 0;
  size_t waiters_ = 0;
};

}  // namespace postern::dns
