// SPDX-License-Identifier: BSD-3-Clause
// postern user, postern passwd-hash: accounts of the account file, and hashes for the
// configuration.
#include "cli/user.h"

#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/password_prompt.h"
#include "cli/show.h"
#include "control/accounts/password.h"
#include "control/config/account_text.h"

namespace postern::cli {
namespace {

struct UserOptions {
  std::string name;
  std::string what;  // group, key
  std::optional<std::string> role;
  std::optional<std::string> description;
  std::vector<std::string> groups;
  std::vector<std::string> keys;
  bool no_password = false;
};

const std::vector<std::string> kRoles = {"none", "viewer", "operator", "admin"};

std::string joined(const Json& row, const char* key) {
  std::string out;
  for (const Json& item : row.value(key, Json::array())) {
    if (item.is_string()) out += (out.empty() ? "" : " ") + item.get<std::string>();
  }
  return or_dash(out);
}

void print_users(const Json& result, const Globals& globals) {
  Table table({{"NAME"},
               {"ROLE"},
               {"STATE"},
               {"PASSWORD"},
               {"KEYS", Align::right},
               {"GROUPS"},
               {"WHERE"},
               {"DESCRIPTION"}});
  for (const Json& row : result.value("users", Json::array())) {
    table.add({cell(row, "name"), cell(row, "role"),
               row.value("enabled", false) ? "enabled" : "disabled",
               row.value("has_password", false) ? "set" : "none",
               std::to_string(row.value("keys", Json::array()).size()), joined(row, "groups"),
               cell(row, "where"), or_dash(row.value("description", ""))});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
}

void print_groups(const Json& result, const Globals& globals) {
  Table table({{"GROUP"}, {"WITHIN"}, {"WHERE"}, {"DESCRIPTION"}});
  for (const Json& row : result.value("groups", Json::array())) {
    table.add({cell(row, "name"), joined(row, "groups"), cell(row, "where"),
               or_dash(row.value("description", ""))});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
}

void print_user(const Json& user) {
  std::printf("name         %s\n", cell(user, "name").c_str());
  std::printf("description  %s\n", or_dash(user.value("description", "")).c_str());
  std::printf("state        %s\n", user.value("enabled", false) ? "enabled" : "disabled");
  std::printf("role         %s\n", cell(user, "role").c_str());
  std::printf("password     %s\n", user.value("has_password", false) ? "set" : "none");
  std::printf("groups       %s\n", joined(user, "groups").c_str());
  std::printf("member of    %s\n", joined(user, "member_of").c_str());
  std::printf("where        %s\n", cell(user, "where").c_str());
  for (const Json& key : user.value("keys", Json::array()))
    std::printf("key          %s\n", key.get<std::string>().c_str());
}

void print_lockouts(const Json& result, const Globals& globals) {
  Table table(
      {{"BLOCKED"}, {"KIND"}, {"AT"}, {"FOR", Align::right}, {"LAST NAME"}, {"LAST ADDRESS"}});
  for (const Json& row : result.value("lockouts", Json::array())) {
    table.add({cell(row, "what"), cell(row, "kind"), cell(row, "door"),
               duration_text(number(row, "seconds_left")), cell(row, "name"),
               or_dash(row.value("from", ""))});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  if (globals.no_header) return;
  std::printf("%s wrong log-ins, %s refused unchecked\n", cell(result, "wrong").c_str(),
              cell(result, "refused").c_str());
}

void print_text(const Json& result) {
  std::printf("%s\n", result.value("text", "done").c_str());
}

int add_user(const UserOptions& options, const Globals& globals) {
  Json request = {{"command", "user add"}, {"name", options.name}};
  if (options.role) request["role"] = *options.role;
  if (options.description) request["description"] = *options.description;
  if (!options.groups.empty()) request["groups"] = options.groups;
  if (!options.keys.empty()) request["keys"] = options.keys;
  if (!options.no_password) {
    auto password = ask_new_password(options.name);
    if (!password) return report(password.error(), globals);
    request["password"] = *password;
  }
  return ask_and_show(globals, request, print_text);
}

int set_user(const UserOptions& options, const Globals& globals) {
  Json request = {{"command", "user set"}, {"name", options.name}};
  if (options.role) request["role"] = *options.role;
  if (options.description) request["description"] = *options.description;
  if (request.size() == 2) {
    std::fputs(
        "postern: nothing to change: --role or --description (try `postern user set "
        "--help`)\n",
        stderr);
    return kUsage;
  }
  return ask_and_show(globals, request, print_text);
}

int set_password(const UserOptions& options, const Globals& globals) {
  auto password = ask_new_password(options.name);
  if (!password) return report(password.error(), globals);
  return ask_and_show(globals,
                      {{"command", "user set"}, {"name", options.name}, {"password", *password}},
                      print_text);
}

int make_hash(const config::PasswordPolicy& policy, const Globals& globals) {
  if (policy.hash_mib < config::kHashMibMin || policy.hash_mib > config::kHashMibMax ||
      policy.hash_passes < config::kHashPassesMin || policy.hash_passes > config::kHashPassesMax) {
    std::fprintf(stderr, "postern: --mib takes %u to %u, --passes %u to %u\n", config::kHashMibMin,
                 config::kHashMibMax, config::kHashPassesMin, config::kHashPassesMax);
    return kUsage;
  }
  auto password = ask_new_password("");
  if (!password) return report(password.error(), globals);
  std::string fault = config::password_fault(policy, "", *password);
  if (!fault.empty()) return report({ErrorCode::failed, fault}, globals);
  auto hash = accounts::hash_of(*password, policy);
  if (!hash) return report(hash.error(), globals);
  if (globals.json) {
    print_json({{"hash", *hash}});
  } else {
    std::printf("%s\n", hash->c_str());
  }
  return kDone;
}

void add_hash(Command command, const Globals& globals) {
  auto policy = std::make_shared<config::PasswordPolicy>();
  command.option("--mib", policy->hash_mib, "memory that one guess costs, MiB (64)")
      .option("--passes", policy->hash_passes, "how often a guess goes through it (2)")
      .runs([policy, &globals] { return make_hash(*policy, globals); });
}

using Options = std::shared_ptr<UserOptions>;

// A command about one name, and perhaps one thing more.
struct Simple {
  const char* word;
  const char* help;
  const char* command;
  const char* what;      // name of the second argument; nullptr: none
  const char* what_key;  // of the request
};

void add_simple(Command& above, const Simple& simple, const Options& options,
                const Globals& globals) {
  Command command = above.add(simple.word, simple.help);
  command.argument("NAME", options->name, "the name");
  if (simple.what != nullptr) command.argument(simple.what, options->what, "which one");
  command.runs([simple, options, &globals] {
    Json request = {{"command", simple.command}, {"name", options->name}};
    if (simple.what != nullptr) request[simple.what_key] = options->what;
    return ask_and_show(globals, request, print_text);
  });
}

void add_switch(Command& user, bool to, const Options& options, const Globals& globals) {
  user.add(to ? "enable" : "disable",
           to ? "let somebody in again" : "let somebody in no more; the account stays")
      .argument("NAME", options->name, "the name")
      .runs([options, to, &globals] {
        return ask_and_show(globals,
                            {{"command", "user set"}, {"name", options->name}, {"enabled", to}},
                            print_text);
      });
}

void add_groups(Command& user, const Options& options, const Globals& globals) {
  Command group = user.add("group", "groups of people");
  group.add("list", "all groups").runs([&globals] {
    return ask_and_show(globals, {{"command", "user list"}},
                        [&](const Json& result) { print_groups(result, globals); });
  });
  group.add("add", "a new group")
      .argument("NAME", options->name, "its name")
      .option("--description", options->description, "what it is")
      .option("--group", options->groups, "a group that its members are members of, too")
      .runs([options, &globals] {
        return ask_and_show(globals,
                            {{"command", "user group add"},
                             {"name", options->name},
                             {"description", options->description.value_or("")},
                             {"groups", options->groups}},
                            print_text);
      });
  add_simple(group, {"delete", "delete a group without members", "user group delete", nullptr, ""},
             options, globals);
  add_simple(group, {"join", "make somebody a member", "user join", "GROUP", "group"}, options,
             globals);
  add_simple(group, {"leave", "end a membership", "user leave", "GROUP", "group"}, options,
             globals);
}

void add_looks(Command& user, const Options& options, const Globals& globals) {
  user.add("list", "all accounts").runs([&globals] {
    return ask_and_show(globals, {{"command", "user list"}},
                        [&](const Json& result) { print_users(result, globals); });
  });
  user.add("show", "one account")
      .argument("NAME", options->name, "the name")
      .runs([options, &globals] {
        return ask_and_show(globals, {{"command", "user show"}, {"name", options->name}},
                            print_user);
      });
  user.add("lockouts", "names and addresses that are blocked after wrong log-ins").runs([&globals] {
    return ask_and_show(globals, {{"command", "user lockouts"}},
                        [&](const Json& result) { print_lockouts(result, globals); });
  });
  user.add("unlock", "forget the wrong log-ins of a name or an address")
      .argument("WHAT", options->what, "the name or the address")
      .runs([options, &globals] {
        return ask_and_show(globals, {{"command", "user unlock"}, {"what", options->what}},
                            print_text);
      });
}

}  // namespace

void add_user(Command& root, const Globals& globals) {
  auto options = std::make_shared<UserOptions>();  // the parser writes, the body reads
  Command user = root.add("user", "accounts of people, their groups, keys and roles");
  add_looks(user, options, globals);
  user.add("add", "a new account; its password is asked for")
      .argument("NAME", options->name, "the name to log in with")
      .option("--role", options->role, "what they may do on the gateway (none)")
      .one_of(kRoles)
      .option("--description", options->description, "who it is")
      .option("--group", options->groups, "a group to be in; may be given again")
      .option("--key", options->keys, "a key that `postern key generate` has printed")
      .flag("--no-password", options->no_password, "nobody gets in by a password")
      .runs([options, &globals] { return add_user(*options, globals); });
  user.add("set", "change role or description")
      .argument("NAME", options->name, "the name")
      .option("--role", options->role, "what they may do on the gateway")
      .one_of(kRoles)
      .option("--description", options->description, "who it is")
      .runs([options, &globals] { return set_user(*options, globals); });
  user.add("passwd", "set a new password")
      .argument("NAME", options->name, "the name")
      .runs([options, &globals] { return set_password(*options, globals); });
  add_simple(user, {"delete", "delete an account", "user delete", nullptr, ""}, options, globals);
  add_switch(user, true, options, globals);
  add_switch(user, false, options, globals);
  add_groups(user, options, globals);
  Command key = user.add("key", "Ed25519 keys of an account");
  add_simple(key, {"add", "one more key", "user key add", "KEY", "key"}, options, globals);
  add_simple(key, {"delete", "by the key or its comment", "user key delete", "KEY", "key"}, options,
             globals);
  add_user_import(user, globals);
  add_hash(user.add("hash", "the same as passwd-hash"), globals);
  add_hash(root.add("passwd-hash", "make the hash of a password for the configuration"), globals);
}

}  // namespace postern::cli
