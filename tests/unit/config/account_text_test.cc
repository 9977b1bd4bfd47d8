// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/account_text.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::config;

namespace {

const std::string kKeyLine =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm";

std::string hash_with(const std::string& parameters) {
  return "$argon2id$v=19$" + parameters +
         "$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
}

}  // namespace

TEST_CASE("config/account_text: names are small and short", "[F70]") {
  for (const char* name : {"alice", "a", "_www", "bob.smith", "4711", "x-ray_2"})
    CHECK(account_name_fault(name) == "");
  for (const char* name : {"", "Alice", "-x", ".x", "a b", "any", "none", "a:b", "a/b", "\xC3\xA4"})
    CHECK(account_name_fault(name) != "");
  CHECK(is_account_name(std::string(63, 'a')));
  CHECK_FALSE(is_account_name(std::string(64, 'a')));
  CHECK(folded_name("Alice.S") == "alice.s");
}

TEST_CASE("config/account_text: a key is read in both forms and written as ssh has it", "[F70]") {
  auto key = parse_public_key(kKeyLine + " alice@pc");
  REQUIRE(key);
  CHECK(key->comment == "alice@pc");
  CHECK(to_text(*key) == kKeyLine + " alice@pc");
  auto same = parse_public_key(short_text(key->key));
  REQUIRE(same);
  CHECK(same->key == key->key);
  CHECK(to_text(*same) == kKeyLine);
}

TEST_CASE("config/account_text: what is no public key is refused", "[F70]") {
  auto text =
      GENERATE(as<std::string>(), "", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 AAAA",
               "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",
               "ed25519:", "ed25519:AAAA", "ed25519:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZW",
               "ed25519:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZ=",
               "-----BEGIN OPENSSH PRIVATE KEY-----");
  CHECK_FALSE(parse_public_key(text));
}

TEST_CASE("config/account_text: hashes have a floor and a ceiling", "[F60]") {
  CHECK(password_hash_fault(hash_with("m=65536,t=2,p=1")) == "");
  CHECK(password_hash_fault(hash_with("m=19456,t=1,p=1")) == "");
  for (const char* parameters :
       {"m=4096,t=3,p=1", "m=1048576,t=2,p=1", "m=65536,t=0,p=1", "m=65536,t=11,p=1",
        "m=65536,t=2,p=2", "m=065536,t=2,p=1", "m=65536,t=2", "m=-1,t=2,p=1", ""}) {
    CHECK(password_hash_fault(hash_with(parameters)) != "");
  }
  CHECK(password_hash_fault("secret!1") != "");
  CHECK(password_hash_fault("$argon2id$v=19$m=65536,t=2,p=1$$") != "");
}

TEST_CASE("config/account_text: a password has length, digits and specials", "[F60]") {
  PasswordPolicy policy;
  CHECK(password_fault(policy, "alice", "correct-horse1") == "");
  CHECK(password_fault(policy, "alice",
                       "pass\t\x01wort\xC3\xA4"
                       "1") == "");  // not all can be seen
  for (const char* password : {"", "a-1", "password", "password1", "passwort-", "alice-2024",
                               "ALICE-2024", "line\nend-12"}) {
    INFO(password);
    CHECK(password_fault(policy, "alice", password) != "");
  }
  CHECK(password_fault(policy, "alice", std::string(1025, '1') + "-") != "");
  policy.classes = {CharacterClass::lower, CharacterClass::upper};
  policy.min_length = 10;
  CHECK(password_fault(policy, "alice", "abcdefghiJ") == "");
  CHECK(password_fault(policy, "alice", "abcdefghij1-").find("a capital letter") !=
        std::string::npos);
  CHECK(to_text(PasswordPolicy{}) == "at least 8 bytes with a digit and a special character");
}

TEST_CASE("config/account_text: groups within themselves are named, deep ones, too", "[F70]") {
  auto group = [](std::string name, std::vector<std::string> within) {
    UserGroup out;
    out.name = std::move(name);
    out.groups = std::move(within);
    return out;
  };
  std::vector<UserGroup> groups = {group("a", {"b", "c"}), group("b", {"c"}), group("c", {})};
  CHECK_FALSE(find_group_fault(groups));
  groups[2].groups = {"a"};
  auto fault = find_group_fault(groups);
  REQUIRE(fault);
  CHECK(fault->text.find("contains itself") != std::string::npos);
  std::vector<UserGroup> chain;
  for (int i = 0; i < 18; ++i)
    chain.push_back(group("g" + std::to_string(i), {"g" + std::to_string(i + 1)}));
  fault = find_group_fault(chain);
  REQUIRE(fault);
  CHECK(fault->text.find("nested deeper than 16") != std::string::npos);
  chain.erase(chain.begin(), chain.begin() + 2);
  CHECK_FALSE(find_group_fault(chain));
}
