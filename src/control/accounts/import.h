// SPDX-License-Identifier: BSD-3-Clause
// Accounts of other systems, as text: /etc/passwd with /etc/shadow, htpasswd, CSV, LDIF (RFC 2849).
//
//   passwd    people are those with a user id from 1000 to 65533; others are left out and counted
//   htpasswd  name:hash
//   csv       a first line that names the columns: name, description, password (in clear), hash,
//             role, enabled, groups (with spaces or ; between); RFC 4180 quoting
//   ldif      entries with uid or sAMAccountName are people, of class posixGroup, groupOfNames or
//             group are groups; userPassword, displayName or cn, memberOf, member, memberUid,
//             userAccountControl
//
// Names are made small; names of groups get '-' for what a name cannot have. Each thing that is
// wrong is told with its line, and the account of it is left out. Bounds: kTextFileMax bytes,
// kAccountsMax accounts, kBadMax lines told. Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/model_users.h"

namespace postern::accounts {

enum class ImportFormat { passwd, htpasswd, csv, ldif };
std::optional<ImportFormat> find_format(std::string_view word);

struct ImportedUser {
  config::User user;     // with the hash where there is one
  std::string password;  // in clear, within the policy; empty: none
  size_t line = 0;
};

struct Import {
  static constexpr size_t kBadMax = 1000;
  struct Bad {
    size_t line = 0;  // from 1
    std::string text;
  };
  std::vector<ImportedUser> users;
  std::vector<std::string> groups;  // that they are in, each once
  std::vector<Bad> bad;
  size_t bad_count = 0;  // with those that are not told
  size_t left_out = 0;   // accounts of the system

  void refuse(size_t line, std::string text);
};

// `shadow` is for passwd alone. `policy` is asked about passwords in clear.
Import read_import(ImportFormat format, std::string_view text, std::string_view shadow,
                   const config::PasswordPolicy& policy);

// --- for the readers of the formats (import_csv.cc, import_ldif.cc)
void read_csv(std::string_view text, const config::PasswordPolicy& policy, Import& import);
void read_ldif(std::string_view text, const config::PasswordPolicy& policy, Import& import);
// Takes the first line off the text, without its end.
std::string_view take_line(std::string_view& text);
// Adds the account after the checks that all of them get; what is wrong is refused at its line.
void add_imported(ImportedUser found, const config::PasswordPolicy& policy, Import& import);
// A password as it is kept elsewhere: a hash, in clear behind {CLEARTEXT}, none, or locked ("!" or
// "*" in front: the account is disabled).
void take_hash(std::string_view value, ImportedUser& found);
// "Domain Users" -> "domain-users"; empty when nothing is left of it.
std::string group_name_of(std::string_view text);

}  // namespace postern::accounts
