// SPDX-License-Identifier: BSD-3-Clause
// HttpLogins: who clients of the proxy are: by their address, where somebody is logged in at the
// log-in page, or by name and password (Basic), which browsers send with each connection.
//
// A password costs its hash once: what was right is remembered by a keyed digest for kRemembered,
// as long as the account and its password stay the same, and several connections that come with it
// at a time wait for one check. Wrong ones count as they do at the other doors (F61), but once
// each: browsers and updaters send an old password with every request, and that is no guessing. Of
// one address one is checked at a time, so that many users behind it do not look like a guesser.
//
// Thread: control. Bounds: kRememberedMax log-ins by password, right ones and wrong ones; of an
// address kWaitingMax wait to be checked; as many addresses as the proxy has connections.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/accounts/accounts.h"
#include "services/http/proxy/seams.h"

namespace postern {

class HttpLogins {
 public:
  static constexpr Duration kRemembered = seconds(600);
  static constexpr Duration kWrongRemembered = seconds(300);
  static constexpr size_t kRememberedMax = 4096;
  static constexpr size_t kWaitingMax = 256;

  struct World {
    std::function<Instant()> now;
    // Who is logged in at the address; empty: nobody.
    std::function<std::string(Ipv4Address)> user_at;
    // A log-in by password was refused; `is_checked`: it was wrong, else it was turned away.
    std::function<void(const std::string& user, Ipv4Address from, const std::string& why,
                       bool is_checked)>
        refused;
  };
  HttpLogins(accounts::Accounts& accounts, World world);
  ~HttpLogins();
  HttpLogins(const HttpLogins&) = delete;
  HttpLogins& operator=(const HttpLogins&) = delete;

  // nullptr: nobody is. Good until the next call.
  const http::Identity* at(Ipv4Address client);
  struct Claim {
    std::string user;
    std::string password;
    Ipv4Address from;
  };
  // Calls `then` once, now or later.
  void check(Claim claim, const http::Seams::Verified& then);
  // Accounts, groups or passwords have changed.
  void accounts_changed();

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Remembered {
    std::string user;
    uint64_t password_number = 0;
    Instant until;
  };
  // One that waits for its check.
  struct Check {
    Claim claim;
    Digest digest;
    uint64_t number_of_changes = 0;  // when it began
  };
  Digest digest_of(const Claim& claim) const;
  const http::Identity* remembered(const Digest& digest);
  bool is_known_wrong(const Digest& digest) const;
  const http::Identity* identity_of(const std::string& user);
  void begin_check(Ipv4Address from);
  void end_check(Ipv4Address from, const accounts::Outcome& outcome);
  void answer(const Digest& digest, const http::LoginAnswer& what);

  accounts::Accounts& accounts_;
  World world_;
  Digest key_;
  std::map<std::string, http::Identity> identities_;  // by user
  std::map<Digest, Remembered> remembered_;
  std::map<Digest, Instant> wrong_;  // until when it is remembered
  std::map<Digest, std::vector<http::Seams::Verified>> waiting_;
  std::map<Ipv4Address, std::deque<Check>> checks_;  // the first of each is under way
  uint64_t changes_ = 0;                             // of accounts
};

}  // namespace postern
