// SPDX-License-Identifier: BSD-3-Clause
// Hashes of passwords: ours are Argon2id (RFC 9106) by libsodium. Those of other systems are
// checked so that people keep their password when accounts are imported: crypt(3) ($1$, $5$, $6$,
// $2a$, $2b$, $2y$, $y$) and those of LDAP directories ({CRYPT}, {SHA}, {SSHA}). They are made
// anew, as ours, at the first log-in. Costs beyond a second or so are refused. Thread: any; all of
// it takes its time.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/config/model_users.h"

namespace postern::accounts {

// `exhausted` when there is no memory for it.
Result<std::string> hash_of(const std::string& password, const config::PasswordPolicy& policy);
bool is_password(const std::string& hash, const std::string& password);

// What is wrong with a hash, ours or another's: "is not ..."; empty when it can be checked.
std::string hash_fault(std::string_view hash);
// Whether it is Argon2id of at least the cost that the policy asks for.
bool is_up_to_date(const std::string& hash, const config::PasswordPolicy& policy);
// A hash that nobody has a password for, of the policy's cost: checking one against it takes as
// long as against a real one.
std::string hash_of_nobody(const config::PasswordPolicy& policy);

}  // namespace postern::accounts
