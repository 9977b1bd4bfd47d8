// SPDX-License-Identifier: BSD-3-Clause
// Whom a rule is for, as it stands in the file: "anna", "group:hr", or "any" for whoever is logged
// in (F27). Pure; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/model_users.h"

namespace postern::config {

struct UserItem {
  enum class Kind : uint8_t { any, user, group };
  Kind kind = Kind::any;
  std::string_view name;  // of the text that it was read from
};

std::optional<UserItem> parse_user_item(std::string_view text);
// What is wrong with it; empty: nothing.
std::string user_item_fault(std::string_view text);

// All groups of an account, those that its groups are in as well; none where there is no such one.
std::vector<std::string> groups_of(const Users& users, std::string_view account);

}  // namespace postern::config
