// SPDX-License-Identifier: BSD-3-Clause
// HttpLogins: who clients of the proxy are: by their address, where somebody is logged in at the
// log-in page, or by name and password (Basic), which browsers send with each connection.
//
// A password costs its hash once: what was right is remembered by a keyed digest for kRemembered,
// as long as the account and its password stay the same, and several connections that come with it
// at a time wait for one check. Wrong ones count as they do at the other doors (F61).
//
// Thread: control. Bounds: kRememberedMax log-ins by password, as many addresses as the page has.
#pragma once

#include <array>
#include <cstdint>
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
  static constexpr size_t kRememberedMax = 4096;

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
  // Calls `then` once, now or later; nullptr: wrong, or not now.
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
  Digest digest_of(const Claim& claim) const;
  const http::Identity* remembered(const Digest& digest);
  const http::Identity* identity_of(const std::string& user);
  void make_room();

  accounts::Accounts& accounts_;
  World world_;
  Digest key_;
  std::map<std::string, http::Identity> identities_;  // by user
  std::map<Digest, Remembered> remembered_;
  std::map<Digest, std::vector<http::Seams::Verified>> waiting_;
};

}  // namespace postern
