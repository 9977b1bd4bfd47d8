// SPDX-License-Identifier: BSD-3-Clause
// Book: all accounts and groups, those of the configuration and those of the account file, by name
// and by key. What is in both places is the configuration's. Immutable once made; pure.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "control/accounts/account_file.h"
#include "control/config/model_users.h"

namespace postern::accounts {

class Book {
 public:
  Book() = default;
  Book(Book&&) = default;
  Book& operator=(Book&&) = default;
  ~Book() = default;
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;
  Book(const config::Users& configured, const LocalAccounts& local);

  // nullptr: none of this name. Names as they are kept, see config::folded_name().
  const config::User* find(std::string_view name) const;
  const config::User* find(const config::PublicKey& key) const;
  const config::UserGroup* find_group(std::string_view name) const;
  bool is_local(const config::User& user) const;
  bool is_local(const config::UserGroup& group) const;

  // All groups that the account is a member of, groups of groups included; sorted, each once.
  std::vector<std::string> groups_of(const config::User& user) const;
  bool is_member(const config::User& user, std::string_view group) const;
  // Whether somebody could administer with this role or more.
  bool has_role(config::Role least) const;

  const std::deque<config::User>& users() const { return users_; }
  const std::deque<config::UserGroup>& groups() const { return groups_; }

 private:
  // Configured ones first. What the indices point to does not move: a copy would point elsewhere.
  std::deque<config::User> users_;
  std::deque<config::UserGroup> groups_;
  std::unordered_set<std::string> configured_users_;
  std::unordered_set<std::string> configured_groups_;
  std::unordered_map<std::string_view, const config::User*> by_name_;
  std::map<config::PublicKey, const config::User*> by_key_;
  std::unordered_map<std::string_view, const config::UserGroup*> groups_by_name_;
};

}  // namespace postern::accounts
