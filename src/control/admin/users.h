// SPDX-License-Identifier: BSD-3-Clause
// Accounts over the administration socket (F60, F61, F70):
//
//   "user list" {}                                 -> {users: [...], groups: [...]}
//   "user show" {name}                             -> one of them, and all its groups
//   "user policy" {}                               -> what a password must be like
//   "user add" {name, password, description, role, keys, groups}
//   "user set" {name, password, description, role, enabled}    what is given changes
//   "user delete" {name}
//   "user join", "user leave" {name, group};  "user key add", "user key delete" {name, key}
//   "user group add" {name, description, groups};  "user group delete" {name}
//   "user import" {text}                           an account file; all of it or nothing
//   "user lockouts" {}, "user unlock" {what}       names and addresses that are blocked
//
// Changes are of the account file; they are answered with {text} when they are on the disk. What
// the configuration says is changed there. No answer holds a password or a hash. Thread: control.
#pragma once

#include "control/accounts/accounts.h"
#include "control/admin/dispatcher.h"

namespace postern::admin {

// `tell` gets a line for each change: who, what.
void add_user_commands(Dispatcher& dispatcher, accounts::Accounts& accounts,
                       std::function<void(const std::string& line)> tell);

}  // namespace postern::admin
