// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/roles.h"

#include <catch2/catch.hpp>

#include "control/accounts/password.h"
#include "control/admin/dispatcher.h"

using namespace postern;
using namespace postern::admin;
using config::Role;

TEST_CASE("control/roles: what is not listed takes an administrator", "[F61]") {
  CHECK(least_role("show sessions") == Role::viewer);
  CHECK(least_role("status") == Role::viewer);
  CHECK(least_role("dns flush") == Role::op);
  CHECK(least_role("capture start") == Role::op);
  for (const char* command : {"apply", "confirm", "revert", "rollback", "user add", "user import",
                              "lease reserve", "show", "made up"})
    CHECK(least_role(command) == Role::admin);
}

TEST_CASE("control/roles: the dispatcher refuses who may not, in clear words", "[F61]") {
  Dispatcher dispatcher;
  int calls = 0;
  for (const char* command : {"status", "dns flush", "apply"}) {
    dispatcher.add(command, [&](const Json&, const Peer&, Reply reply) {
      ++calls;
      reply.done(Json::object());
    });
  }
  auto ask = [&](const std::string& command, Role role) {
    Peer peer;
    peer.role = role;
    std::string answer;
    dispatcher.handle(R"({"version": 1, "command": ")" + command + "\"}", peer,
                      [&](std::string text) { answer = std::move(text); });
    Json response = Json::parse(answer);
    return response["ok"] == true ? "ok" : response["error"]["text"].get<std::string>();
  };
  CHECK(ask("status", Role::viewer) == "ok");
  CHECK(ask("dns flush", Role::op) == "ok");
  CHECK(ask("apply", Role::admin) == "ok");
  CHECK(calls == 3);
  CHECK(ask("status", Role::none) == "`status` takes the role viewer; yours is none");
  CHECK(ask("dns flush", Role::viewer) == "`dns flush` takes the role operator; yours is viewer");
  CHECK(ask("apply", Role::op) == "`apply` takes the role admin; yours is operator");
  CHECK(calls == 3);
}

TEST_CASE("control/roles: a configuration is shown without hashes", "[F60]") {
  config::PasswordPolicy policy;
  policy.hash_mib = 19;
  const std::string hash = *accounts::hash_of("correct-horse1", policy);
  const std::string bcrypt = "$2b$05$abcdefghijklmnopqrstuuk/8whANs0NpyApUy8R5L9YS7W9HfGni";
  const std::string yescrypt =
      "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$6g3GY3m37.I4xIBRDxZHMhlg4tA1hkzQF0hdNVup6P5";
  CHECK(without_hashes("a\npassword: " + hash + "\nb") == "a\npassword: $argon2id$hidden\nb");
  CHECK(without_hashes("{password: \"" + hash + "\", role: x}") ==
        "{password: \"$argon2id$hidden\", role: x}");
  CHECK(without_hashes("{password: " + hash + ", role: x}") ==
        "{password: $argon2id$hidden, role: x}");
  CHECK(without_hashes("[" + hash + "]") == "[$argon2id$hidden]");
  CHECK(without_hashes(hash) == "$argon2id$hidden");
  CHECK(without_hashes("# " + bcrypt + "\n# " + yescrypt + " $6$a$b") ==
        "# $2b$hidden\n# $y$hidden $6$hidden");
  CHECK(without_hashes("nothing, $5 and 6$") == "nothing, $5 and 6$");
}

TEST_CASE("control/roles: a configuration whose hashes are not found is not shown", "[F60]") {
  config::PasswordPolicy policy;
  policy.hash_mib = 19;
  config::Users users;
  users.accounts.emplace_back().password = *accounts::hash_of("correct-horse1", policy);
  users.accounts.emplace_back().name = "keys alone";
  const std::string hash = users.accounts[0].password;
  CHECK(without_hashes("password: " + hash, users).value() == "password: $argon2id$hidden");
  const size_t last = hash.rfind('$');
  for (const std::string& text : {"\"\\x24" + hash.substr(1) + "\"",
                                  hash.substr(0, last + 1) + "\\\n" + hash.substr(last + 1),
                                  hash + " # was " + hash.substr(last + 1)}) {
    INFO(text);
    auto shown = without_hashes(text, users);
    REQUIRE_FALSE(shown);
    CHECK(shown.error().code == ErrorCode::denied);
  }
}
