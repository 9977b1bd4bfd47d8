// SPDX-License-Identifier: BSD-3-Clause
// Logins: who is logged in where, and until when (F27). One user an address: who logs in at an
// address takes the place of whoever was there. Time is an argument; nothing here knows a socket.
// Thread: control. Bounded by kLoginsMax; the file of it is nowhere: after a restart everybody is
// logged out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace postern::portal {

constexpr size_t kLoginsMax = 4096;  // as many as the workers look up

struct Login {
  Ipv4Address address;
  std::string user;
  std::vector<std::string> groups;
  uint64_t password_number = 0;  // of the account then; it ends with another one
  std::string cookie;            // what the browser shows; a secret
  Instant since;
  int64_t since_s = 0;  // the same by the calendar
  Instant last_page;    // when its browser last asked for the page
};

enum class Ended : uint8_t {
  logged_out,     // by the user
  replaced,       // somebody else logged in at the address
  idle,           // nothing came from the address
  time_over,      // the longest time is over
  silent,         // its browser does not ask for the page any more
  other_machine,  // another one has the address
  administrator,  // by one, or the account or the page is no more
};
const char* to_word(Ended why);  // "logged-out"

struct Limits {
  Duration idle;       // 0: no limit, as below
  Duration longest;    // from the log-in on
  Duration heartbeat;  // between two looks at the page
  friend bool operator==(const Limits&, const Limits&) = default;
};

class Logins {
 public:
  using LastSeen = std::function<Instant(Ipv4Address)>;

  // False: no room. Whoever was at the address is to be taken out first.
  bool add(Login login);
  Login* find(Ipv4Address address);
  const Login* find(Ipv4Address address) const;
  // The login is no more.
  void erase(Ipv4Address address) { logins_.erase(address); }
  // Whether this is its browser: in a time that tells nothing of the cookie.
  static bool is_browser_of(const Login& login, std::string_view cookie);

  struct End {
    Ipv4Address address;
    Ended why;
  };
  // Those whose time is over.
  std::vector<End> due(const Limits& limits, Instant now, const LastSeen& last_seen) const;

  const std::map<Ipv4Address, Login>& all() const { return logins_; }

 private:
  std::map<Ipv4Address, Login> logins_;
};

}  // namespace postern::portal
