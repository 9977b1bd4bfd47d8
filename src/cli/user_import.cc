// SPDX-License-Identifier: BSD-3-Clause
// postern user import: reads the accounts of another system here, hashes what is in clear here, and
// sends the daemon what it would write into the account file.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/user.h"
#include "control/accounts/account_file.h"
#include "control/accounts/import.h"
#include "control/accounts/password.h"
#include "control/config/account_text.h"

namespace postern::cli {
namespace {

using accounts::Import;
using accounts::ImportedUser;
using accounts::LocalAccounts;

struct ImportOptions {
  std::string file;
  std::string format;
  std::string shadow;
  std::vector<std::string> groups;
  bool skip_bad = false;
  bool dry_run = false;
};

// The result of one question to the daemon.
Result<Json> ask(const Globals& globals, const char* command) {
  auto response = call(globals, {{"command", command}});
  if (!response) return std::move(response).error();
  if (!response->value("ok", false)) return error_of(*response);
  return response->value("result", Json::object());
}

config::PasswordPolicy policy_of(const Json& answer) {
  config::PasswordPolicy policy;
  policy.min_length = answer.value("min_length", policy.min_length);
  policy.hash_mib = answer.value("hash_mib", policy.hash_mib);
  policy.hash_passes = answer.value("hash_passes", policy.hash_passes);
  policy.classes.clear();
  for (const Json& item : answer.value("classes", Json::array()))
    policy.classes.push_back(static_cast<config::CharacterClass>(item.get<unsigned>()));
  return policy;
}

std::set<std::string> names_of(const Json& list) {
  std::set<std::string> names;
  for (const Json& row : list)
    names.insert(row.value("name", ""));
  return names;
}

// Those that are there already are bad lines, too.
void refuse_known(Import& import, const std::set<std::string>& known) {
  std::erase_if(import.users, [&](const ImportedUser& found) {
    if (known.count(found.user.name) == 0) return false;
    import.refuse(found.line, found.user.name + " is an account already");
    return true;
  });
}

// On all processors: a password in clear costs some tenths of a second.
Result<void> hash_all(std::vector<ImportedUser>& users, const config::PasswordPolicy& policy) {
  constexpr unsigned kThreadsMax = 4;  // with the memory of one hash each
  std::atomic<size_t> next = 0;
  std::atomic<bool> is_short = false;
  auto work = [&] {
    for (size_t i = next++; i < users.size() && !is_short; i = next++) {
      if (users[i].password.empty()) continue;
      auto hash = accounts::hash_of(users[i].password, policy);
      if (!hash) {
        is_short = true;
      } else {
        users[i].user.password = std::move(*hash);
      }
    }
  };
  std::vector<std::thread> threads;
  unsigned count = std::clamp(std::thread::hardware_concurrency(), 1u, kThreadsMax);
  threads.reserve(count);
  for (unsigned i = 0; i < count; ++i)
    threads.emplace_back(work);
  for (std::thread& thread : threads)
    thread.join();
  if (is_short) return Error{ErrorCode::failed, "no memory is left to hash a password"};
  return {};
}

LocalAccounts accounts_of(Import& import, const std::vector<std::string>& groups,
                          const std::set<std::string>& known_groups) {
  LocalAccounts out;
  std::set<std::string> wanted(import.groups.begin(), import.groups.end());
  for (const std::string& group : groups)
    wanted.insert(config::folded_name(group));
  for (const std::string& group : wanted) {
    if (known_groups.count(group) == 0) out.groups.emplace_back().name = group;
  }
  out.users.reserve(import.users.size());
  for (ImportedUser& found : import.users) {
    std::set<std::string> all(found.user.groups.begin(), found.user.groups.end());
    for (const std::string& group : groups)
      all.insert(config::folded_name(group));
    found.user.groups.assign(all.begin(), all.end());
    out.users.push_back(found.user);
  }
  return out;
}

Json summary_of(const Import& import, const LocalAccounts& accounts, bool is_done) {
  Json bad = Json::array();
  for (const Import::Bad& line : import.bad)
    bad.push_back({{"line", line.line}, {"text", line.text}});
  return {{"imported", is_done},
          {"users", accounts.users.size()},
          {"groups", accounts.groups.size()},
          {"left_out", import.left_out},
          {"bad_lines", import.bad_count},
          {"bad", std::move(bad)}};
}

void print_bad(const Import& import, const std::string& file) {
  for (const Import::Bad& line : import.bad)
    std::fprintf(stderr, "%s:%zu: %s\n", file.c_str(), line.line, line.text.c_str());
}

int finish(const Import& import, const LocalAccounts& accounts, bool is_done,
           const Globals& globals) {
  if (globals.json) {
    print_json(summary_of(import, accounts, is_done));
  } else {
    std::printf(
        "%s %zu accounts and %zu groups; %zu bad lines, %zu accounts of the system left "
        "out\n",
        is_done ? "imported" : "would import", accounts.users.size(), accounts.groups.size(),
        import.bad_count, import.left_out);
  }
  return kDone;
}

int refuse_bad(const Import& import, const std::string& file, const Globals& globals) {
  std::string text = fmt::format(
      "{}: {} bad lines; nothing was imported (--skip-bad leaves them "
      "out)",
      file, import.bad_count);
  if (!globals.json) return report({ErrorCode::invalid, text}, globals);
  Json out = summary_of(import, {}, false);
  out["error"] = {{"code", "invalid"}, {"text", text}};
  print_json(out);
  return kInvalid;
}

int import_file(const ImportOptions& options, const Globals& globals) {
  auto text = read_input(options.file);
  auto shadow =
      options.shadow.empty() ? Result<std::string>(std::string()) : read_input(options.shadow);
  if (!text || !shadow) return report(text ? shadow.error() : text.error(), globals);
  auto policy = ask(globals, "user policy");
  auto known = policy ? ask(globals, "user list") : policy;
  if (!known) return report(known.error(), globals);
  Import import = accounts::read_import(*accounts::find_format(options.format), *text, *shadow,
                                        policy_of(*policy));
  refuse_known(import, names_of(known->value("users", Json::array())));
  if (!globals.json) print_bad(import, options.file);
  if (import.bad_count > 0 && !options.skip_bad) return refuse_bad(import, options.file, globals);
  if (!options.dry_run) {
    auto hashed = hash_all(import.users, policy_of(*policy));
    if (!hashed) return report(hashed.error(), globals);
  }
  LocalAccounts accounts =
      accounts_of(import, options.groups, names_of(known->value("groups", Json::array())));
  if (options.dry_run || accounts.users.empty()) return finish(import, accounts, false, globals);
  auto response =
      call(globals, {{"command", "user import"}, {"text", accounts::account_file_text(accounts)}});
  if (!response) return report(response.error(), globals);
  if (!response->value("ok", false)) return report(error_of(*response), globals);
  return finish(import, accounts, true, globals);
}

}  // namespace

void add_user_import(Command& user, const Globals& globals) {
  auto options = std::make_shared<ImportOptions>();  // the parser writes, the body reads
  user.add("import", "take over the accounts of another system, all or none")
      .argument("FILE", options->file, "their file")
      .option("--format", options->format, "what it is (csv)")
      .one_of({"csv", "htpasswd", "ldif", "passwd"})
      .option("--shadow", options->shadow, "with passwd: the file with the hashes")
      .option("--group", options->groups, "a group for all of them; may be given again")
      .flag("--skip-bad", options->skip_bad, "leave out what is wrong, import the rest")
      .flag("--dry-run", options->dry_run, "only say what would be imported")
      .runs([options, &globals] {
        if (options->format.empty()) options->format = "csv";
        return import_file(*options, globals);
      });
}

}  // namespace postern::cli
