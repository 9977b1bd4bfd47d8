// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/user_items.h"

#include <algorithm>

#include "control/config/account_text.h"
#include "control/config/report.h"

namespace postern::config {
namespace {

constexpr std::string_view kGroup = "group:";

}  // namespace

std::optional<UserItem> parse_user_item(std::string_view text) {
  if (text == "any") return UserItem{};
  UserItem item{UserItem::Kind::user, text};
  if (text.starts_with(kGroup)) {
    item.kind = UserItem::Kind::group;
    item.name.remove_prefix(kGroup.size());
  }
  if (!is_account_name(item.name)) return std::nullopt;
  return item;
}

std::string user_item_fault(std::string_view text) {
  if (parse_user_item(text)) return {};
  return quote(text) + " is no user (anna), group (group:hr) or any";
}

std::vector<std::string> groups_of(const Users& users, std::string_view account) {
  std::vector<std::string> groups;
  auto add = [&groups](const std::vector<std::string>& more) {
    for (const std::string& group : more) {
      if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    }
  };
  for (const User& user : users.accounts) {
    if (user.name == account) add(user.groups);
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    auto found = std::find_if(users.groups.begin(), users.groups.end(),
                              [&](const UserGroup& group) { return group.name == groups[i]; });
    if (found != users.groups.end()) add(found->groups);
  }
  return groups;
}

}  // namespace postern::config
