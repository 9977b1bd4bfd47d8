// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/book.h"

#include <algorithm>
#include <set>

namespace postern::accounts {

Book::Book(const config::Users& configured, const LocalAccounts& local) {
  for (const config::User& user : configured.accounts)
    configured_users_.insert(user.name);
  for (const config::UserGroup& group : configured.groups)
    configured_groups_.insert(group.name);
  for (const auto* users : {&configured.accounts, &local.users}) {
    for (const config::User& user : *users) {
      if (by_name_.count(user.name) > 0) continue;
      const config::User& kept = users_.emplace_back(user);
      by_name_.emplace(kept.name, &kept);
      for (const config::UserKey& key : kept.keys)
        by_key_.emplace(key.key, &kept);
    }
  }
  for (const auto* groups : {&configured.groups, &local.groups}) {
    for (const config::UserGroup& group : *groups) {
      if (groups_by_name_.count(group.name) > 0) continue;
      const config::UserGroup& kept = groups_.emplace_back(group);
      groups_by_name_.emplace(kept.name, &kept);
    }
  }
}

const config::User* Book::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const config::User* Book::find(const config::PublicKey& key) const {
  auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

const config::UserGroup* Book::find_group(std::string_view name) const {
  auto found = groups_by_name_.find(name);
  return found == groups_by_name_.end() ? nullptr : found->second;
}

bool Book::is_local(const config::User& user) const {
  return configured_users_.count(user.name) == 0;
}

bool Book::is_local(const config::UserGroup& group) const {
  return configured_groups_.count(group.name) == 0;
}

std::vector<std::string> Book::groups_of(const config::User& user) const {
  std::set<std::string> found;
  std::vector<std::string> open = user.groups;
  while (!open.empty()) {
    std::string name = std::move(open.back());
    open.pop_back();
    const config::UserGroup* group = find_group(name);
    if (group == nullptr || !found.insert(std::move(name)).second) continue;
    open.insert(open.end(), group->groups.begin(), group->groups.end());
  }
  return {found.begin(), found.end()};
}

bool Book::is_member(const config::User& user, std::string_view group) const {
  std::vector<std::string> groups = groups_of(user);
  return std::binary_search(groups.begin(), groups.end(), group);
}

bool Book::has_role(config::Role least) const {
  return std::any_of(users_.begin(), users_.end(), [&](const config::User& user) {
    return user.enabled && user.role >= least && !(user.password.empty() && user.keys.empty());
  });
}

}  // namespace postern::accounts
