// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/roles.h"

#include <catch2/catch.hpp>

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
  CHECK(without_hashes("a\npassword: $argon2id$v=19$m=1$x$y\nb \"$argon2id$z\", c") ==
        "a\npassword: $argon2id$hidden\nb \"$argon2id$hidden\", c");
  CHECK(without_hashes("nothing") == "nothing");
}
