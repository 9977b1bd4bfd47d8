// SPDX-License-Identifier: BSD-3-Clause
// The text grammar of accounts: names, Ed25519 keys, hashes of passwords, words of roles; and what
// a password must be like. The configuration, the account file and imports read by the same rules.
// Pure functions of the text; thread: any.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/config/model_users.h"

namespace postern::config {

constexpr size_t kAccountNameMax = 63;   // bytes
constexpr size_t kAccountsMax = 16'384;  // in the configuration and the account file together
constexpr size_t kGroupsMax = 1'024;     // the same
constexpr size_t kGroupsOfAccount = 64;  // named by one account or group
constexpr size_t kKeysOfAccount = 16;    // of one account
constexpr size_t kGroupDepthMax = 16;    // groups within groups
constexpr size_t kDescriptionMax = 255;  // bytes
constexpr size_t kKeyCommentMax = 127;   // bytes
constexpr size_t kPasswordMax = 1'024;   // bytes of a password; nobody types more
constexpr uint32_t kHashMibMin = 19;     // of Argon2id: less is weak (OWASP, with two passes)
constexpr uint32_t kHashMibMax = 256;    // more would let two log-ins take a small machine
constexpr uint32_t kHashPassesMin = 2;
constexpr uint32_t kHashPassesMax = 10;

// A small letter, digit or '_', then small letters, digits, '.', '_' and '-'; at most
// kAccountNameMax bytes. Names of accounts and of groups; "any" and "none" are neither.
bool is_account_name(std::string_view text);
// What is wrong with such a name; empty when nothing is.
std::string account_name_fault(std::string_view text);
// As people type it: capital ASCII letters are made small.
std::string folded_name(std::string_view text);

// "none", "viewer", "operator", "admin".
std::string_view to_word(Role role);
std::optional<Role> find_role(std::string_view word);

// "ssh-ed25519 AAAA... comment" (the line of a .pub file) or "ed25519:" and the 32 bytes in base64.
Result<UserKey> parse_public_key(std::string_view text);
// The first form; without a space at its end where there is no comment.
std::string to_text(const UserKey& key);
// "SHA256:..." needs a digest and is for who has one; this is the key itself, "ed25519:BASE64".
std::string short_text(const PublicKey& key);

// What is wrong with a hash; empty when it is one of Argon2id that we would check: at least
// kHashMibMin MiB, at most kHashMibMax and kHashPassesMax, one lane.
std::string password_hash_fault(std::string_view text);

// What the policy has against a password for the account; empty: nothing. Any byte is allowed in
// one but NUL, line feed and carriage return.
std::string password_fault(const PasswordPolicy& policy, std::string_view account,
                           std::string_view password);
// "at least 8 bytes with a digit and a special character".
std::string to_text(const PasswordPolicy& policy);

// A group of the list that is within itself, as "a -> b -> a", or nested too deep; empty: none.
// Groups that are not in the list are passed over.
struct GroupFault {
  size_t index = 0;  // in the list
  std::string text;
};
std::optional<GroupFault> find_group_fault(std::span<const UserGroup> groups);

}  // namespace postern::config
