// SPDX-License-Identifier: BSD-3-Clause
// PasswordNumbers: a number for the password of each account, another one after each change of it.
//
// Whoever logged in by a password keeps its number, and is logged in as long as it is that of the
// account. A number is never given twice. The same password hashed anew keeps its number, when
// that was announced. Bounded by the accounts. Thread: control.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "control/accounts/book.h"

namespace postern::accounts {

class PasswordNumbers {
 public:
  // `hash` is of the password that the account has. Good until the next follow().
  void expect_renewal(const std::string& name, const std::string& hash) { renewals_[name] = hash; }
  void follow(const Book& before, const Book& now);
  // 0: no such account.
  uint64_t of(std::string_view name) const;

 private:
  std::map<std::string, uint64_t, std::less<>> numbers_;
  std::map<std::string, std::string> renewals_;
  uint64_t last_ = 0;
};

}  // namespace postern::accounts
