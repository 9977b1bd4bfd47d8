// SPDX-License-Identifier: BSD-3-Clause
// The text of the account file, STATE_DIR/accounts.json: JSON, one account a line.
//
//   {"version": 1,
//    "users": [
//     {"name": "alice", "password": "$argon2id$...", "keys": [...], "role": "none", "groups":
//     [...]},
//     ...],
//    "groups": [{"name": "staff", "groups": []}]}
//
// Passwords are hashes: of Argon2id, or those of another system until their owner logs in for the
// first time (password.h). Bounds: kTextFileMax bytes, kAccountsMax accounts. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/config/model_users.h"

namespace postern::accounts {

struct LocalAccounts {
  std::vector<config::User> users;
  std::vector<config::UserGroup> groups;
  bool operator==(const LocalAccounts&) const = default;

  // nullptr: none of this name.
  config::User* find(std::string_view name);
  config::UserGroup* find_group(std::string_view name);
};

// An error names the account that is wrong. Everything the writer would not write is refused.
Result<LocalAccounts> parse_account_file(std::string_view text);
std::string account_file_text(const LocalAccounts& accounts);

// What is wrong with an account or a group by itself; empty: nothing.
std::string fault_of(const config::User& user);
std::string fault_of(const config::UserGroup& group);
// What keeps the accounts of the file from standing beside those of the configuration: names in
// both places or twice, groups that are nowhere, keys of two people, circles, too many.
Result<void> check_together(const config::Users& configured, const LocalAccounts& local);

}  // namespace postern::accounts
