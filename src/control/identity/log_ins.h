// SPDX-License-Identifier: BSD-3-Clause
// LogIns: who is logged in at which address, until when, and how it ends (F27). It belongs to a
// person at an address, through whichever door: the log-in page is one of them.
//
//   log_in() -> IdentityBoard -> workers
//   log_out(), tick(), review(), machine_seen() -> off the board -> when_ended()
//
// One user an address: who logs in there takes the place of whoever was there. A log-in ends with
// its limits, its account and its password, when its door closes, and when another machine shows up
// at its address: an address that was given to somebody else is not logged in. Bounded by
// kIdentitiesMax; it is in no file: after a restart everybody is logged out. Thread: control.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/identity/identity_board.h"
#include "control/log/user_names.h"

namespace postern {

// Where people log in; its limits, and the word in the logs.
enum class LogInDoor : uint8_t { portal };
constexpr size_t kLogInDoors = 1;
const char* to_word(LogInDoor door);  // "portal"

enum class LogInEnd : uint8_t {
  logged_out,     // by the user
  replaced,       // somebody else logged in at the address
  idle,           // nothing came from the address
  time_over,      // the longest time is over
  silent,         // its browser does not ask for the page any more
  other_machine,  // another one has the address
  administrator,  // by one, or the account or the door is no more
};
const char* to_word(LogInEnd why);  // "logged-out"

struct LogInLimits {
  Duration idle;     // 0: no limit, as below
  Duration longest;  // from the log-in on
};

struct LogIn {
  Ipv4Address address;
  LogInDoor door = LogInDoor::portal;
  std::string user;  // as the account is called
  std::vector<std::string> groups;
  uint64_t password_number = 0;  // of the account then; it ends with another one

  // Filled in by log_in().
  Instant since;
  int64_t since_s = 0;                // the same by the calendar
  Instant last_active;                // when its person was last there for the door
  std::optional<MacAddress> machine;  // none: it is behind a router
};

class LogIns {
 public:
  struct World {
    std::function<Instant()> now;
    std::function<int64_t()> wall_s;
    // Who has the address on a wire of ours; nothing for hosts behind routers.
    std::function<std::optional<MacAddress>(Ipv4Address)> machine_of;
  };
  explicit LogIns(World world) : world_(std::move(world)) {}
  LogIns(const LogIns&) = delete;
  LogIns& operator=(const LogIns&) = delete;

  // Before the first log-in, for nobody is let in without it. The board outlives this.
  void set_board(IdentityBoard& board) { board_ = &board; }
  // Called after each log-in, and after each end of one, when it is in the list no more.
  void when_begun(std::function<void(const LogIn&)> then) { on_begin_.push_back(std::move(then)); }
  void when_ended(std::function<void(const LogIn&, LogInEnd)> then) {
    on_end_.push_back(std::move(then));
  }
  // Of those who are logged in, too.
  void set_limits(LogInDoor door, const LogInLimits& limits);

  // False: no room. Whoever was at the address before is logged out.
  bool log_in(LogIn fresh);
  // Its person gave a sign of life to the door.
  void touch(Ipv4Address address);
  // False: nobody is logged in there.
  bool log_out(Ipv4Address address, LogInEnd why);
  // An administrator logs out whoever is at an address, or a user everywhere. How many.
  size_t log_out(const std::string& user_or_address);
  // Nobody could log out where the door is closed.
  void close(LogInDoor door);
  // Logs out whose time is over. Call it once a second at least.
  void tick();
  // A neighbor was seen.
  void machine_seen(Ipv4Address address, const MacAddress& mac);
  // After each change of accounts: the groups of its account now; nothing: it may not stay.
  using Groups = std::optional<std::vector<std::string>>;
  void review(const std::function<Groups(const LogIn&)>& groups_now);

  // Who is logged in there; nullptr: nobody.
  const LogIn* find(Ipv4Address address) const;
  const std::map<Ipv4Address, LogIn>& all() const { return log_ins_; }
  const LogInLimits& limits_of(const LogIn& log_in) const;
  // When it ends at the latest; zero: never for its age.
  Instant ends(const LogIn& log_in) const;
  // When its host was last seen by the workers; zero: not yet.
  Instant last_seen(Ipv4Address address) const;
  const UserNames& names() const { return names_; }
  const IdentityBoard* board() const { return board_; }

 private:
  std::optional<LogInEnd> due(const LogIn& log_in, Instant now) const;

  World world_;
  IdentityBoard* board_ = nullptr;
  UserNames names_;
  std::array<LogInLimits, kLogInDoors> limits_ = {};
  std::map<Ipv4Address, LogIn> log_ins_;
  std::vector<std::function<void(const LogIn&)>> on_begin_;
  std::vector<std::function<void(const LogIn&, LogInEnd)>> on_end_;
};

}  // namespace postern
