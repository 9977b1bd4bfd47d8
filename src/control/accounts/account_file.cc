// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/account_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "control/accounts/password.h"
#include "control/config/account_text.h"
#include "control/config/report.h"
#include "control/text_file.h"

namespace postern::accounts {
namespace {

using Json = nlohmann::ordered_json;
using config::User;
using config::UserGroup;

constexpr unsigned kFileVersion = 1;

// Kept as an exception of the JSON library would be: caught where the file is parsed.
std::vector<std::string> strings_of(const Json& object, const char* key) {
  return object.value(key, std::vector<std::string>());
}

Result<User> parse_user(const Json& object) {
  User user;
  user.name = object.at("name").get<std::string>();
  user.description = object.value("description", "");
  user.enabled = object.value("enabled", true);
  user.password = object.value("password", "");
  auto role = config::find_role(object.value("role", "none"));
  if (!role) return Error{ErrorCode::invalid, "an unknown role"};
  user.role = *role;
  user.groups = strings_of(object, "groups");
  for (const std::string& text : strings_of(object, "keys")) {
    auto key = config::parse_public_key(text);
    if (!key) return Error{ErrorCode::invalid, "a key " + key.error().text};
    user.keys.push_back(std::move(*key));
  }
  if (std::string fault = fault_of(user); !fault.empty()) return Error{ErrorCode::invalid, fault};
  return user;
}

Result<UserGroup> parse_group(const Json& object) {
  UserGroup group;
  group.name = object.at("name").get<std::string>();
  group.description = object.value("description", "");
  group.groups = strings_of(object, "groups");
  if (std::string fault = fault_of(group); !fault.empty()) return Error{ErrorCode::invalid, fault};
  return group;
}

template <typename Item>
Result<std::vector<Item>> parse_list(const Json& file, const char* key,
                                     Result<Item> (*parse)(const Json&), size_t items_max) {
  std::vector<Item> items;
  const Json list = file.value(key, Json::array());
  if (!list.is_array() || list.size() > items_max) {
    return Error{ErrorCode::invalid, std::string(key) + " is no list, or too long a one"};
  }
  for (const Json& object : list) {
    std::string place = std::string(key) + ", entry " + std::to_string(items.size() + 1);
    auto item = object.is_object() ? parse(object) : Error{ErrorCode::invalid, "not an object"};
    if (!item) return std::move(item).error().within(place);
    items.push_back(std::move(*item));
  }
  return items;
}

Result<LocalAccounts> parse(const Json& file) {
  if (!file.is_object() || file.value("version", 0u) != kFileVersion) {
    return Error{ErrorCode::invalid, "is not an account file of this version"};
  }
  auto users = parse_list<User>(file, "users", parse_user, config::kAccountsMax);
  if (!users) return std::move(users).error();
  auto groups = parse_list<UserGroup>(file, "groups", parse_group, config::kGroupsMax);
  if (!groups) return std::move(groups).error();
  return LocalAccounts{std::move(*users), std::move(*groups)};
}

Json user_json(const User& user) {
  Json keys = Json::array();
  for (const config::UserKey& key : user.keys)
    keys.push_back(config::to_text(key));
  return {{"name", user.name},       {"description", user.description},
          {"enabled", user.enabled}, {"password", user.password},
          {"keys", std::move(keys)}, {"role", config::to_word(user.role)},
          {"groups", user.groups}};
}

template <typename Item, typename ToJson>
std::string lines_of(const std::vector<Item>& items, ToJson to_json) {
  std::string out;
  for (const Item& item : items) {
    out += out.empty() ? "\n " : ",\n ";
    out += to_json(item).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return out;
}

bool is_line(std::string_view text, size_t bytes_max) {
  return text.size() <= bytes_max && std::none_of(text.begin(), text.end(), [](char c) {
           return (c >= 0 && c < 0x20) || c == 0x7F;
         });
}

std::string groups_fault(const std::vector<std::string>& groups) {
  if (groups.size() > config::kGroupsOfAccount) {
    return "has more than " + std::to_string(config::kGroupsOfAccount) + " groups";
  }
  std::set<std::string_view> seen;
  for (const std::string& group : groups) {
    if (std::string fault = config::account_name_fault(group); !fault.empty()) return fault;
    if (!seen.insert(group).second) return "names the group " + group + " twice";
  }
  return {};
}

Error together(const std::string& text) {
  return {ErrorCode::invalid, text};
}

// Names of both places, each once.
template <typename Item>
Result<std::unordered_set<std::string_view>> names_of(const std::vector<Item>& configured,
                                                      const std::vector<Item>& local) {
  std::unordered_set<std::string_view> names;
  for (const Item& item : configured)
    names.insert(item.name);
  for (const Item& item : local) {
    if (names.insert(item.name).second) continue;
    bool is_configured = std::any_of(configured.begin(), configured.end(),
                                     [&](const Item& other) { return other.name == item.name; });
    return together(item.name + (is_configured ? " is in the configuration already"
                                               : " is in the account file already"));
  }
  return names;
}

Result<void> check_keys(const config::Users& configured, const LocalAccounts& local) {
  std::unordered_map<std::string, std::string_view> owners;
  for (const auto* users : {&configured.accounts, &local.users}) {
    for (const User& user : *users) {
      for (const config::UserKey& key : user.keys) {
        auto [owner, is_new] = owners.emplace(config::short_text(key.key), user.name);
        if (is_new) continue;
        return together("a key of " + user.name + " is one of " + std::string(owner->second) +
                        " already: a key is one person's");
      }
    }
  }
  return {};
}

}  // namespace

User* LocalAccounts::find(std::string_view name) {
  auto found =
      std::find_if(users.begin(), users.end(), [&](const User& user) { return user.name == name; });
  return found == users.end() ? nullptr : &*found;
}

UserGroup* LocalAccounts::find_group(std::string_view name) {
  auto found = std::find_if(groups.begin(), groups.end(),
                            [&](const UserGroup& group) { return group.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

Result<LocalAccounts> parse_account_file(std::string_view text) {
  if (text.size() > kTextFileMax) return together("is larger than 4 MiB");
  Json file = Json::parse(text, nullptr, false);
  if (file.is_discarded()) return together("is not JSON");
  try {
    return parse(file);
  } catch (const Json::exception&) {
    return together("an entry is not as it was written");
  }
}

std::string account_file_text(const LocalAccounts& accounts) {
  auto group_json = [](const UserGroup& group) {
    return Json{{"name", group.name}, {"description", group.description}, {"groups", group.groups}};
  };
  return "{\"version\": " + std::to_string(kFileVersion) + ",\n\"users\": [" +
         lines_of(accounts.users, user_json) + "],\n\"groups\": [" +
         lines_of(accounts.groups, group_json) + "]}\n";
}

std::string fault_of(const User& user) {
  if (std::string fault = config::account_name_fault(user.name); !fault.empty()) return fault;
  std::string fault = groups_fault(user.groups);
  if (!is_line(user.description, config::kDescriptionMax)) {
    fault = "has a description of more than " + std::to_string(config::kDescriptionMax) +
            " bytes or with control characters";
  } else if (user.keys.size() > config::kKeysOfAccount) {
    fault = "has more than " + std::to_string(config::kKeysOfAccount) + " keys";
  } else if (!user.password.empty() && fault.empty()) {
    fault = hash_fault(user.password);
    if (!fault.empty()) fault = "has a password that " + fault;
  }
  return fault.empty() ? fault : user.name + " " + fault;
}

std::string fault_of(const UserGroup& group) {
  if (std::string fault = config::account_name_fault(group.name); !fault.empty()) return fault;
  std::string fault = groups_fault(group.groups);
  if (!is_line(group.description, config::kDescriptionMax)) fault = "has no fit description";
  return fault.empty() ? fault : group.name + " " + fault;
}

Result<void> check_together(const config::Users& configured, const LocalAccounts& local) {
  if (configured.accounts.size() + local.users.size() > config::kAccountsMax ||
      configured.groups.size() + local.groups.size() > config::kGroupsMax) {
    return Error{ErrorCode::exhausted, "at most " + std::to_string(config::kAccountsMax) +
                                           " accounts and " + std::to_string(config::kGroupsMax) +
                                           " groups are possible"};
  }
  auto users = names_of(configured.accounts, local.users);
  if (!users) return std::move(users).error();
  auto groups = names_of(configured.groups, local.groups);
  if (!groups) return std::move(groups).error().within("group");
  auto check_groups = [&](const auto& items) -> Result<void> {
    for (const auto& item : items) {
      for (const std::string& group : item.groups) {
        if (groups->count(group) > 0) continue;
        return Error{ErrorCode::not_found,
                     item.name + ": there is no group " + config::printable(group)};
      }
    }
    return {};
  };
  if (auto good = check_groups(local.users); !good) return good;
  if (auto good = check_groups(local.groups); !good) return good;
  std::vector<UserGroup> all = configured.groups;
  all.insert(all.end(), local.groups.begin(), local.groups.end());
  if (auto fault = config::find_group_fault(all)) {
    return together("group " + all[fault->index].name + " " + fault->text);
  }
  return check_keys(configured, local);
}

}  // namespace postern::accounts
