// SPDX-License-Identifier: BSD-3-Clause
// Who a log-in is: by the key that was proved, or by name and password; and what the log says of
// it. No socket here. Thread: control.
#pragma once

#include <functional>
#include <string>

#include "control/accounts/accounts.h"
#include "control/remote/channel/handshake.h"

namespace postern::remote {

// What a session was let in by.
struct Proof {
  Method method = Method::key;
  PublicKey key = {};
  uint64_t password_number = 0;  // see accounts::PasswordNumbers; with a password
};

struct Admission {
  Verdict verdict = Verdict::denied;
  std::string name;  // of the account, with `welcome`
  config::Role role = config::Role::none;
  uint64_t password_number = 0;  // of the account, with `welcome`
  std::string why;               // otherwise, for the log
  bool is_checked = true;        // otherwise; false: turned away, which may come as a flood
};

// Calls `done` once, at once for a key, later for a password. A key is not delayed by wrong
// attempts: nobody guesses one, and so nobody keeps its owner out. It forgives none, either: who
// comes by a key again and again does not free the way for who guesses the password.
void admit(accounts::Accounts& accounts, LogIn log_in, Ipv4Address from,
           const std::function<void(const Admission& admission)>& done);

// Whether the account may go on; its role by now, `none` when it may not: it is no more, has lost
// the key, or got another password.
config::Role role_now(const accounts::Accounts& accounts, const std::string& name,
                      const Proof& proof);

}  // namespace postern::remote
