// SPDX-License-Identifier: BSD-3-Clause
// users: groups exist and do not contain themselves, keys belong to one person, block lists make
// sense.
#include <map>
#include <unordered_set>

#include "control/config/account_text.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

class GroupNames {
 public:
  explicit GroupNames(const Users& users) {
    for (const UserGroup& group : users.groups) {
      names_.insert(group.name);
      list_.push_back(group.name);
    }
  }

  void require(Check& check, const std::vector<std::string>& groups,
               const std::string& path) const {
    if (groups.size() > kGroupsOfAccount) {
      check.report.error_at(path, "has more than " + std::to_string(kGroupsOfAccount) + " groups");
    }
    std::unordered_set<std::string_view> seen;
    for (size_t i = 0; i < groups.size(); ++i) {
      std::string place = item_path(path, i, groups.size());
      if (names_.count(groups[i]) == 0) {
        std::string text = "unknown group " + quote(groups[i]);
        check.report.error_at(place, check.report.is_full() ? text : text + hint(groups[i], list_));
      } else if (!seen.insert(groups[i]).second) {
        check.report.error_at(place, quote(groups[i]) + " is named twice");
      }
    }
  }

 private:
  std::unordered_set<std::string_view> names_;
  std::vector<std::string_view> list_;
};

void validate_keys(Check& check) {
  std::map<PublicKey, const User*> owners;
  for (const User& user : check.model.users.accounts) {
    std::string path = join(join("users.accounts", user.name), "keys");
    if (user.keys.size() > kKeysOfAccount) {
      check.report.error_at(path, "has more than " + std::to_string(kKeysOfAccount) + " keys");
    }
    for (size_t i = 0; i < user.keys.size(); ++i) {
      auto [owner, is_new] = owners.emplace(user.keys[i].key, &user);
      if (is_new) continue;
      check.report.error_at(
          item_path(path, i, user.keys.size()),
          "is a key of " + quote(owner->second->name) + " already: a key is one person's");
    }
  }
}

void validate_lockout(Check& check) {
  const Lockout& lockout = check.model.users.lockout;
  check.require_items(ItemKind::address, lockout.exempt, "users.lockout.exempt");
  if (lockout.free_attempts >= lockout.attempts) {
    check.report.error_at(
        "users.lockout.attempts",
        "must be above free_attempts (" + std::to_string(lockout.free_attempts) + ")");
  }
  if (lockout.attempts > lockout.address_attempts) {
    check.report.error_at("users.lockout.address_attempts",
                          "must not be below attempts (" + std::to_string(lockout.attempts) + ")");
  }
}

void validate_role(Check& check) {
  const AdminSocket& socket = check.model.admin.socket;
  if (socket.group.empty() && socket.role != Role::admin) {
    check.report.warning_at("admin.socket.role", "has no effect without admin.socket.group");
  }
}

}  // namespace

void validate_users(Check& check) {
  const Users& users = check.model.users;
  GroupNames names(users);
  for (const User& user : users.accounts)
    names.require(check, user.groups, join(join("users.accounts", user.name), "groups"));
  for (const UserGroup& group : users.groups)
    names.require(check, group.groups, join(join("users.groups", group.name), "groups"));
  if (auto fault = find_group_fault(users.groups)) {
    const UserGroup& group = users.groups[fault->index];
    check.report.error(group.mark, join("users.groups", group.name), fault->text);
  }
  validate_keys(check);
  validate_lockout(check);
  validate_role(check);
}

}  // namespace postern::config
