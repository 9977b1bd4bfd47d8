// SPDX-License-Identifier: BSD-3-Clause
// users: people with their groups, keys and roles, and what is asked of their passwords (F60, F61,
// F70). Plain values, see model.h. The account file holds more of the same kinds
// (control/accounts).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/config/model_mark.h"

namespace postern::config {

// What somebody may do on the gateway itself; each may do what those before it may. `op` is
// "operator" in the file.
enum class Role : uint8_t { none, viewer, op, admin };

using PublicKey = std::array<uint8_t, 32>;  // Ed25519, RFC 8032

struct UserKey {
  PublicKey key = {};
  std::string comment;  // as it stands behind the key, "alice@pc"; may be empty
  bool operator==(const UserKey&) const = default;
};

struct User {
  std::string name;
  std::string description;
  bool enabled = true;   // false: stays, but nobody gets in by it
  std::string password;  // its hash; empty: nobody gets in by a password
  std::vector<UserKey> keys;
  Role role = Role::none;
  std::vector<std::string> groups;
  Mark mark;
  bool operator==(const User&) const = default;
};

struct UserGroup {
  std::string name;
  std::string description;
  std::vector<std::string> groups;  // its members are members of these, too
  Mark mark;
  bool operator==(const UserGroup&) const = default;
};

enum class CharacterClass : uint8_t { lower, upper, digit, special };

struct PasswordPolicy {
  uint32_t min_length = 8;  // bytes
  // At least one character of each.
  std::vector<CharacterClass> classes = {CharacterClass::digit, CharacterClass::special};
  uint32_t hash_mib = 64;  // of Argon2id, for passwords that are set from now on
  uint32_t hash_passes = 2;
  bool operator==(const PasswordPolicy&) const = default;
};

struct Lockout {
  uint32_t free_attempts = 3;      // wrong ones before anything is delayed
  Duration delay = seconds(1);     // before the next attempt; doubled by each further wrong one
  uint32_t attempts = 10;          // wrong ones for one name, then it is blocked
  uint32_t address_attempts = 30;  // the same from one address
  Duration block = seconds(900);
  Duration forget = seconds(3600);  // after the last wrong attempt they begin to count anew
  std::vector<std::string> exempt;  // address items that are never delayed or blocked
  bool operator==(const Lockout&) const = default;
};

struct Users {
  bool account_file = true;  // accounts that `postern user` looks after, in the state directory
  PasswordPolicy password;
  Lockout lockout;
  std::vector<User> accounts;
  std::vector<UserGroup> groups;
  bool operator==(const Users&) const = default;
};

}  // namespace postern::config
