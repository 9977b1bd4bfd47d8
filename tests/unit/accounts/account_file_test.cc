// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/account_file.h"

#include <catch2/catch.hpp>

#include "control/accounts/book.h"
#include "control/config/account_text.h"

using namespace postern;
using namespace postern::accounts;

namespace {

const std::string kHash =
    "$argon2id$v=19$m=65536,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm pc";

config::User user(std::string name, std::vector<std::string> groups = {}) {
  config::User out;
  out.name = std::move(name);
  out.groups = std::move(groups);
  return out;
}

config::UserGroup group(std::string name, std::vector<std::string> groups = {}) {
  config::UserGroup out;
  out.name = std::move(name);
  out.groups = std::move(groups);
  return out;
}

}  // namespace

TEST_CASE("accounts/account_file: what is written is read", "[F70]") {
  LocalAccounts accounts;
  CHECK(parse_account_file(account_file_text(accounts)).value() == accounts);
  config::User alice = user("alice", {"staff"});
  alice.description = "Alice \"A\" Smith, \xC3\x84rztin";
  alice.enabled = false;
  alice.password = kHash;
  alice.role = config::Role::op;
  alice.keys.push_back(*config::parse_public_key(kKey));
  accounts.users = {alice, user("bob")};
  accounts.groups = {group("staff", {"all"}), group("all")};
  CHECK(parse_account_file(account_file_text(accounts)).value() == accounts);
}

TEST_CASE("accounts/account_file: a file that is not ours is refused with the entry", "[F60]") {
  auto [text, fault] = GENERATE(table<std::string, std::string>({
      {"", "not JSON"},
      {"[]", "not an account file"},
      {R"({"version": 2})", "not an account file"},
      {R"({"version": 1, "users": {}})", "no list"},
      {R"({"version": 1, "users": [1]})", "users, entry 1: not an object"},
      {R"({"version": 1, "users": [{"name": 5}]})", "not as it was written"},
      {R"({"version": 1, "users": [{"name": "Alice"}]})", "entry 1: 'Alice' is not a name"},
      {R"({"version": 1, "users": [{"name": "a"}, {"name": "b", "role": "root"}]})",
       "entry 2: an unknown role"},
      {R"({"version": 1, "users": [{"name": "a", "password": "secret!1"}]})", "is not a hash"},
      {R"({"version": 1, "users": [{"name": "a", "keys": ["x"]}]})", "a key is not an Ed25519"},
      {R"({"version": 1, "users": [{"name": "a", "groups": ["g", "g"]}]})", "twice"},
  }));
  auto read = parse_account_file(text);
  REQUIRE_FALSE(read);
  CHECK(read.error().text.find(fault) != std::string::npos);
}

TEST_CASE("accounts/account_file: both places together have each name, key and group once",
          "[F70]") {
  config::Users configured;
  configured.accounts = {user("alice", {"staff"})};
  configured.groups = {group("staff")};
  LocalAccounts local;
  local.users = {user("bob", {"staff", "sales"})};
  local.groups = {group("sales", {"staff"})};
  REQUIRE(check_together(configured, local));
  auto fault_with = [&](auto change) {
    LocalAccounts other = local;
    change(other);
    auto checked = check_together(configured, other);
    return checked ? std::string() : checked.error().text;
  };
  CHECK(fault_with([](auto& l) { l.users.push_back(user("alice")); }) ==
        "alice is in the configuration already");
  CHECK(fault_with([](auto& l) { l.users.push_back(user("bob")); }) ==
        "bob is in the account file already");
  CHECK(fault_with([](auto& l) { l.groups.push_back(group("staff")); }) ==
        "group: staff is in the configuration already");
  CHECK(fault_with([](auto& l) { l.groups.clear(); }) == "bob: there is no group sales");
  CHECK(fault_with([](auto& l) { l.groups[0].groups = {"sales"}; }) ==
        "group sales contains itself: sales -> sales");
  CHECK(fault_with([](auto& l) {
          for (const char* name : {"x", "y"}) {
            l.users.push_back(user(name));
            l.users.back().keys.push_back(*config::parse_public_key(kKey));
          }
        }).find("a key is one person's") != std::string::npos);
}

TEST_CASE("accounts/book: finds by name and key, and groups of groups", "[F70]") {
  config::Users configured;
  configured.accounts = {user("alice", {"boss"})};
  configured.groups = {group("boss", {"staff"}), group("staff", {"all"}), group("all")};
  LocalAccounts local;
  local.users = {user("alice"), user("bob", {"staff"}), user("carol")};
  local.users[1].keys.push_back(*config::parse_public_key(kKey));
  Book book(configured, local);
  CHECK(book.users().size() == 3);
  REQUIRE(book.find("alice") != nullptr);
  CHECK(book.groups_of(*book.find("alice")) == std::vector<std::string>{"all", "boss", "staff"});
  CHECK_FALSE(book.is_local(*book.find("alice")));
  CHECK(book.is_local(*book.find("bob")));
  CHECK(book.is_member(*book.find("bob"), "all"));
  CHECK_FALSE(book.is_member(*book.find("bob"), "boss"));
  CHECK(book.find(config::parse_public_key(kKey)->key) == book.find("bob"));
  CHECK(book.find("dave") == nullptr);
  CHECK_FALSE(book.has_role(config::Role::admin));
}
