// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/password_numbers.h"

#include <utility>

namespace postern::accounts {

void PasswordNumbers::follow(const Book& before, const Book& now) {
  const auto old = std::exchange(numbers_, {});
  for (const config::User& user : now.users()) {
    const config::User* was = before.find(user.name);
    auto renewal = renewals_.find(user.name);
    const bool is_renewed = renewal != renewals_.end() && renewal->second == user.password;
    auto known = old.find(user.name);
    const bool is_same =
        was != nullptr && known != old.end() && (was->password == user.password || is_renewed);
    numbers_.emplace(user.name, is_same ? known->second : ++last_);
  }
  renewals_.clear();
}

uint64_t PasswordNumbers::of(std::string_view name) const {
  auto found = numbers_.find(name);
  return found == numbers_.end() ? 0 : found->second;
}

}  // namespace postern::accounts
