// SPDX-License-Identifier: BSD-3-Clause
// Attempts: counts wrong log-ins by name (at each door) and by address, makes the next one wait,
// and blocks (F61).
//
//   wrong  1..free_attempts   the next one is checked at once
//          ..attempts         the next one must wait: delay, 2 delay, 4 delay ...
//          attempts           blocked for `block`, told once, then it begins anew
//
// An attempt that comes too soon is not checked and counts as a wrong one: who waits as told is not
// blocked for it. A right log-in forgets the wrong ones of its name, and of its address those for
// that name. An address of `exempt` never waits and is never blocked, whatever became of the name;
// no more does a person at the address of their last right log-in, as long as the address is not
// blocked itself. So a guesser elsewhere keeps neither from getting in.
//
// Bounded: kEntriesMax names (known or not) of a door and as many addresses. At the limit the one
// that was heard of longest ago is forgotten, and counted: first those that never got in, of these
// the blocked ones last. What comes from an address that is refused makes no new name known, so one
// address does not push names out. Pure of time; thread: control.
#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/model_users.h"

namespace postern::accounts {

// Where somebody logs in. Names are counted for each: whoever reaches one keeps nobody out of the
// other.
enum class Door : uint8_t { remote, portal, proxy, mail };
constexpr size_t kDoors = 4;
const char* to_word(Door door);  // "remote"

// One name or address that is blocked now.
struct Blocked {
  bool is_address = false;
  Door door = Door::remote;  // of the name; of an address: of the last attempt
  std::string what;          // the name or the address
  std::string from;          // the address of the last attempt; empty: none
  std::string name;          // its name
  uint32_t wrong = 0;
  Instant until;
};

class Attempts {
 public:
  static constexpr size_t kEntriesMax = 16'384;  // names of a door; and as many addresses
  struct Who {
    std::string_view name;
    std::optional<Ipv4Address> from;
    Door door = Door::remote;
  };
  struct Answer {
    bool is_admitted = true;
    bool is_blocked = false;  // else it came too soon
    Duration wait;            // until the next one is checked
  };
  struct Counters {
    uint64_t wrong = 0;      // log-ins that were checked
    uint64_t refused = 0;    // that were not
    uint64_t blocked = 0;    // times that a name or an address was blocked
    uint64_t forgotten = 0;  // names and addresses for want of room
  };

  void configure(const config::Lockout& settings, std::vector<AddressRange> exempt);
  void when_blocked(std::function<void(const Blocked& blocked)> then) {
    on_blocked_ = std::move(then);
  }

  // Whether a log-in is to be checked. One that is admitted must end by one of the three below.
  Answer admit(const Who& who, Instant now);
  void note_wrong(const Who& who, Instant now);
  void note_right(const Who& who, Instant now);
  void note_nothing(const Who& who, Instant now);  // it was not checked after all

  // A wrong log-in that has nothing to do with a name: a key that nobody has. It counts for the
  // address alone. The answer: what admit() would have said to the address.
  Answer note_stranger(Ipv4Address from, Instant now);

  // What is blocked at `now`.
  std::vector<Blocked> blocked(Instant now) const;
  // Forgets a name, at all doors, or an address; false: nothing was known of it.
  bool forget(std::string_view what);
  const Counters& counters() const { return counters_; }

 private:
  struct Entry {
    std::string key;  // a name, or an address as text
    bool is_address = false;
    uint32_t wrong = 0;
    uint32_t pending = 0;  // admitted, and not ended
    Instant last;
    Instant not_before;
    Instant blocked_until;
    Blocked told;
    std::string usual_place;  // names: the address of the last right log-in
    std::vector<std::pair<std::string, uint32_t>> names;  // addresses: wrong ones by name, a few
  };
  struct Table {
    std::list<Entry> strangers;  // the latest first, as below
    std::list<Entry> known;      // with a usual place
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index;
  };

  static std::list<Entry>& list_of(Table& table, const Entry& entry);
  bool is_exempt(const Who& who) const;
  uint32_t free_of(const Entry& entry) const;
  Entry* find(Table& table, const std::string& key, Instant now);
  Entry& touch(Table& table, const std::string& key, Instant now);
  Table& names_of(const Who& who) { return names_[static_cast<size_t>(who.door)]; }
  void make_room(Table& table, Instant now);
  Answer judge(const Entry& entry, Instant now) const;
  Answer refuse(const Answer& answer, std::initializer_list<Entry*> entries, const Who& who,
                Instant now);
  void end(const Who& who, Instant now, bool is_wrong);
  void count(Entry& entry, const Who& who, Instant now);
  void block(Entry& entry, const Who& who, Instant now);

  config::Lockout settings_;
  std::vector<AddressRange> exempt_;
  std::array<Table, kDoors> names_;
  Table addresses_;
  Counters counters_;
  std::function<void(const Blocked& blocked)> on_blocked_;
};

}  // namespace postern::accounts
