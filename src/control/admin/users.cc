// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/users.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "control/accounts/account_file.h"
#include "control/admin/who.h"
#include "control/config/account_text.h"
#include "control/log/error_log.h"

namespace postern::admin {
namespace {

using accounts::Accounts;
using accounts::LocalAccounts;
using config::User;
using config::UserGroup;

struct Desk {
  Accounts& accounts;
  std::function<void(const std::string& line)> tell;
};
using DeskPtr = std::shared_ptr<Desk>;

// A command with who gave it.
struct Asked {
  DeskPtr desk;
  const Json& request;
  const Peer& peer;
};

Json user_json(const accounts::Book& book, const User& user) {
  Json keys = Json::array();
  for (const config::UserKey& key : user.keys)
    keys.push_back(config::to_text(key));
  return {{"name", user.name},
          {"description", user.description},
          {"enabled", user.enabled},
          {"role", config::to_word(user.role)},
          {"has_password", !user.password.empty()},
          {"keys", std::move(keys)},
          {"groups", user.groups},
          {"where", book.is_local(user) ? "account file" : "configuration"}};
}

Json group_json(const accounts::Book& book, const UserGroup& group) {
  return {{"name", group.name},
          {"description", group.description},
          {"groups", group.groups},
          {"where", book.is_local(group) ? "account file" : "configuration"}};
}

Json list_json(const Accounts& accounts) {
  Json users = Json::array();
  for (const User& user : accounts.book().users())
    users.push_back(user_json(accounts.book(), user));
  Json groups = Json::array();
  for (const UserGroup& group : accounts.book().groups())
    groups.push_back(group_json(accounts.book(), group));
  return {{"users", std::move(users)}, {"groups", std::move(groups)}};
}

Json policy_json(const config::PasswordPolicy& policy) {
  Json classes = Json::array();
  for (config::CharacterClass item : policy.classes)
    classes.push_back(static_cast<unsigned>(item));
  return {{"min_length", policy.min_length},
          {"classes", std::move(classes)},
          {"hash_mib", policy.hash_mib},
          {"hash_passes", policy.hash_passes},
          {"text", config::to_text(policy)}};
}

Json lockouts_json(const Accounts& accounts, Instant now) {
  Json list = Json::array();
  for (const accounts::Blocked& blocked : accounts.attempts().blocked(now)) {
    list.push_back({{"what", blocked.what},
                    {"kind", blocked.is_address ? "address" : "name"},
                    {"door", accounts::to_word(blocked.door)},
                    {"from", blocked.from},
                    {"name", blocked.name},
                    {"wrong", blocked.wrong},
                    {"seconds_left", (blocked.until - now).ns / 1'000'000'000}});
  }
  const auto& counters = accounts.attempts().counters();
  return {{"lockouts", std::move(list)},
          {"wrong", counters.wrong},
          {"refused", counters.refused},
          {"blocked", counters.blocked},
          {"forgotten", counters.forgotten}};
}

std::string name_of(const Json& request, const char* key = "name") {
  return config::folded_name(request.at(key).get<std::string>());
}

// The account of the file, or why it is not there.
Result<User*> local_user(const Accounts& accounts, LocalAccounts& local, const std::string& name) {
  if (User* user = local.find(name)) return user;
  std::string shown = printable(name);
  if (accounts.find(name) != nullptr) {
    return Error{ErrorCode::denied,
                 shown + " is an account of the configuration (users.accounts); change it there"};
  }
  return Error{ErrorCode::not_found, "there is no account " + shown};
}

Result<void> set_fields(User& user, const Json& request) {
  user.description = request.value("description", user.description);
  user.enabled = request.value("enabled", user.enabled);
  auto role = config::find_role(request.value("role", std::string(config::to_word(user.role))));
  if (!role) {
    return Error{ErrorCode::invalid, "a role is one of none, viewer, operator, admin"};
  }
  user.role = *role;
  return {};
}

Result<void> add_keys(User& user, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    auto key = config::parse_public_key(text);
    if (!key) return Error{ErrorCode::invalid, "the key " + key.error().text};
    user.keys.push_back(std::move(*key));
  }
  return {};
}

// All changes end here: on the disk or refused, then told.
void change(const DeskPtr& desk, const std::string& who, const std::string& text,
            Accounts::Edit edit, Reply reply) {
  // Edits read the request when the dispatcher no longer looks after fields of the wrong type.
  auto guarded = [edit = std::move(edit)](LocalAccounts& local) -> Result<void> {
    try {
      return edit(local);
    } catch (const Json::exception&) {
      return Error{ErrorCode::invalid, "a field of the request has the wrong type"};
    }
  };
  auto line = "accounts: " + text + " (by " + who + ")";
  desk->accounts.edit(std::move(guarded), [desk, line, text, reply = std::move(reply)](
                                              const Result<void>& done) mutable {
    if (!done) return reply.refuse(done.error());
    desk->tell(line);
    reply.done({{"text", text}});
  });
}

// The same once `edit` has the hash of the password that the request may have.
using EditWithHash = std::function<Result<void>(LocalAccounts& local, const std::string& hash)>;
void change_with_password(const Asked& asked, const std::string& text, EditWithHash edit,
                          Reply reply) {
  auto go_on = [desk = asked.desk, who = who_is(asked.peer), text, edit = std::move(edit)](
                   const std::string& hash, Reply answer) {
    auto with_hash = [edit, hash](LocalAccounts& local) { return edit(local, hash); };
    change(desk, who, text, with_hash, std::move(answer));
  };
  if (!asked.request.contains("password")) return go_on("", std::move(reply));
  std::string password = asked.request["password"].get<std::string>();
  std::string fault = config::password_fault(asked.desk->accounts.settings().password,
                                             name_of(asked.request), password);
  if (!fault.empty()) return reply.refuse({ErrorCode::invalid, fault});
  asked.desk->accounts.hash_password(
      std::move(password),
      [go_on, reply = std::move(reply)](const Result<std::string>& hash) mutable {
        if (!hash) return reply.refuse(hash.error());
        go_on(*hash, std::move(reply));
      });
}

void add_user(const Asked& asked, Reply reply) {
  User user;
  user.name = name_of(asked.request);
  user.groups = asked.request.value("groups", std::vector<std::string>());
  Result<void> good = set_fields(user, asked.request);
  if (good) good = add_keys(user, asked.request.value("keys", std::vector<std::string>()));
  if (!good) return reply.refuse(good.error());
  if (std::string fault = accounts::fault_of(user); !fault.empty()) {
    return reply.refuse({ErrorCode::invalid, fault});
  }
  auto edit = [user](LocalAccounts& local, const std::string& hash) -> Result<void> {
    local.users.push_back(user);
    local.users.back().password = hash;
    return {};
  };
  change_with_password(asked, "added " + user.name, edit, std::move(reply));
}

void set_user(const Asked& asked, Reply reply) {
  const std::string name = name_of(asked.request);
  Json wanted = asked.request;
  wanted.erase("password");
  auto edit = [desk = asked.desk, name, wanted = std::move(wanted)](
                  LocalAccounts& local, const std::string& hash) -> Result<void> {
    auto user = local_user(desk->accounts, local, name);
    if (!user) return std::move(user).error();
    if (auto good = set_fields(**user, wanted); !good) return good;
    if (!hash.empty()) (*user)->password = hash;
    std::string fault = accounts::fault_of(**user);
    return fault.empty() ? Result<void>() : Error{ErrorCode::invalid, fault};
  };
  std::string what;
  if (asked.request.contains("password")) what += " password";
  for (const char* key : {"description", "role"}) {
    if (asked.request.contains(key)) what += std::string(" ") + key;
  }
  std::string text = "changed" + what + " of " + printable(name);
  if (asked.request.contains("enabled")) {
    text = (asked.request["enabled"] == true ? "enabled " : "disabled ") + printable(name);
  }
  change_with_password(asked, text, edit, std::move(reply));
}

// A command that changes one account of the file at once.
using EditUser = Result<void> (*)(LocalAccounts& local, User& user, const Json& request);
void change_user(const Asked& asked, EditUser edit_user, const std::string& verb, Reply reply) {
  const std::string name = name_of(asked.request);
  auto edit = [desk = asked.desk, name, edit_user,
               request = asked.request](LocalAccounts& local) -> Result<void> {
    auto user = local_user(desk->accounts, local, name);
    if (!user) return std::move(user).error();
    return edit_user(local, **user, request);
  };
  std::string text = verb + " " + printable(name);
  if (asked.request.contains("group")) text += ": " + printable(name_of(asked.request, "group"));
  change(asked.desk, who_is(asked.peer), text, edit, std::move(reply));
}

Result<void> delete_user(LocalAccounts& local, User& user, const Json&) {
  local.users.erase(local.users.begin() + (&user - local.users.data()));
  return {};
}

Result<void> join_group(LocalAccounts&, User& user, const Json& request) {
  std::string group = name_of(request, "group");
  if (std::find(user.groups.begin(), user.groups.end(), group) != user.groups.end()) return {};
  user.groups.push_back(std::move(group));
  std::string fault = accounts::fault_of(user);
  return fault.empty() ? Result<void>() : Error{ErrorCode::invalid, fault};
}

Result<void> leave_group(LocalAccounts&, User& user, const Json& request) {
  std::string group = name_of(request, "group");
  if (std::erase(user.groups, group) > 0) return {};
  return Error{ErrorCode::not_found, user.name + " is not in the group " + printable(group)};
}

Result<void> add_key(LocalAccounts&, User& user, const Json& request) {
  if (auto good = add_keys(user, {request.at("key").get<std::string>()}); !good) return good;
  std::string fault = accounts::fault_of(user);
  return fault.empty() ? Result<void>() : Error{ErrorCode::invalid, fault};
}

// By the key itself or by its comment.
Result<void> delete_key(LocalAccounts&, User& user, const Json& request) {
  std::string text = request.at("key").get<std::string>();
  auto key = config::parse_public_key(text);
  auto gone = std::erase_if(user.keys, [&](const config::UserKey& own) {
    return key ? own.key == key->key : own.comment == text;
  });
  if (gone > 0) return {};
  return Error{ErrorCode::not_found, user.name + " has no such key"};
}

void add_group(const Asked& asked, Reply reply) {
  UserGroup group;
  group.name = name_of(asked.request);
  group.description = asked.request.value("description", std::string());
  group.groups = asked.request.value("groups", std::vector<std::string>());
  if (std::string fault = accounts::fault_of(group); !fault.empty()) {
    return reply.refuse({ErrorCode::invalid, fault});
  }
  auto edit = [group](LocalAccounts& local) -> Result<void> {
    local.groups.push_back(group);
    return {};
  };
  change(asked.desk, who_is(asked.peer), "added the group " + group.name, edit, std::move(reply));
}

void delete_group(const Asked& asked, Reply reply) {
  const std::string name = name_of(asked.request);
  auto edit = [name](LocalAccounts& local) -> Result<void> {
    UserGroup* group = local.find_group(name);
    if (group == nullptr) {
      return Error{ErrorCode::not_found,
                   "there is no group " + printable(name) + " in the account file"};
    }
    local.groups.erase(local.groups.begin() + (group - local.groups.data()));
    return {};  // whoever is still in it is named as the reason why not
  };
  change(asked.desk, who_is(asked.peer), "deleted the group " + printable(name), edit,
         std::move(reply));
}

void import_users(const Asked& asked, Reply reply) {
  auto wanted = accounts::parse_account_file(asked.request.at("text").get<std::string>());
  if (!wanted) return reply.refuse(wanted.error());
  std::string text = "imported " + std::to_string(wanted->users.size()) + " accounts and " +
                     std::to_string(wanted->groups.size()) + " groups";
  auto edit = [more = std::move(*wanted)](LocalAccounts& local) -> Result<void> {
    local.users.insert(local.users.end(), more.users.begin(), more.users.end());
    local.groups.insert(local.groups.end(), more.groups.begin(), more.groups.end());
    return {};
  };
  change(asked.desk, who_is(asked.peer), text, edit, std::move(reply));
}

void show_user(const Accounts& accounts, const Json& request, Reply& reply) {
  std::string name = name_of(request);
  const User* user = accounts.find(name);
  if (user == nullptr) {
    return reply.refuse({ErrorCode::not_found, "there is no account " + printable(name)});
  }
  Json result = user_json(accounts.book(), *user);
  result["member_of"] = accounts.book().groups_of(*user);
  reply.done(result);
}

void add_questions(Dispatcher& dispatcher, const DeskPtr& desk) {
  dispatcher.add("user list", [desk](const Json&, const Peer&, Reply reply) {
    reply.done(list_json(desk->accounts));
  });
  dispatcher.add("user show", [desk](const Json& request, const Peer&, Reply reply) {
    show_user(desk->accounts, request, reply);
  });
  dispatcher.add("user policy", [desk](const Json&, const Peer&, Reply reply) {
    reply.done(policy_json(desk->accounts.settings().password));
  });
  dispatcher.add("user lockouts", [desk](const Json&, const Peer&, Reply reply) {
    reply.done(lockouts_json(desk->accounts, desk->accounts.now()));
  });
}

}  // namespace

void add_user_commands(Dispatcher& dispatcher, Accounts& accounts,
                       std::function<void(const std::string& line)> tell) {
  auto desk = std::make_shared<Desk>(Desk{accounts, std::move(tell)});
  add_questions(dispatcher, desk);
  using Body = void (*)(const Asked&, Reply);
  auto add = [&](const char* name, Body body) {
    dispatcher.add(
        name,
        [desk, body](const Json& request, const Peer& peer, Reply reply) {
          body({desk, request, peer}, std::move(reply));
        },
        Effect::changes);
  };
  auto add_change = [&](const char* name, const char* verb, EditUser edit) {
    dispatcher.add(
        name,
        [desk, verb, edit](const Json& request, const Peer& peer, Reply reply) {
          change_user({desk, request, peer}, edit, verb, std::move(reply));
        },
        Effect::changes);
  };
  add("user add", add_user);
  add("user set", set_user);
  add("user group add", add_group);
  add("user group delete", delete_group);
  add("user import", import_users);
  add_change("user delete", "deleted", delete_user);
  add_change("user join", "group joined by", join_group);
  add_change("user leave", "group left by", leave_group);
  add_change("user key add", "added a key of", add_key);
  add_change("user key delete", "deleted a key of", delete_key);
  auto unlock = [desk](const Json& request, const Peer& peer, Reply reply) {
    std::string what = name_of(request, "what");
    const User* user = desk->accounts.find(what);
    if (user != nullptr && user->role > peer.role) {
      return reply.refuse({ErrorCode::denied, what + " has the role " +
                                                  std::string(config::to_word(user->role)) +
                                                  "; only one with that role unlocks it"});
    }
    if (!desk->accounts.attempts().forget(what)) {
      return reply.refuse({ErrorCode::not_found, "nothing is known of " + printable(what)});
    }
    desk->tell("accounts: wrong log-ins of " + printable(what) + " forgotten (by " + who_is(peer) +
               ")");
    reply.done({{"text", "wrong log-ins of " + printable(what) + " are forgotten"}});
  };
  dispatcher.add("user unlock", unlock, Effect::changes);
}

}  // namespace postern::admin
