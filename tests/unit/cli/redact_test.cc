// SPDX-License-Identifier: BSD-3-Clause
#include "cli/support/redact.h"

#include <catch2/catch.hpp>

namespace postern::cli {

TEST_CASE("cli/redact: nothing of a secret stays, however it is written", "[F63]") {
  const char* text = GENERATE(
      "password: XYZZY", "  password:   XYZZY", "admin-password: 'XYZZY # no comment'",
      "\"password\": \"XYZZY\"", "api_key: XYZZY, XYZZY", "users: { a: { hash: XYZZY, b: 1 } }",
      "users: [ { name: a, password: \"XY]Z\nZY XYZZY\" } ]", "keys: [ XYZZY,\n  XYZZY ]",
      "keys: [\nXYZZY\n]", "keys:\n- XYZZY\n- XYZZY", "keys:\n  - XYZZY\n\n  - XYZZY",
      "- psk: |\n    XYZZY\n\n    XYZZY", "secret: >-\n  XYZZY", "password:\n  XYZZY",
      "x: $argon2id$v=19$m=65536,t=2,p=1$/XYZZY/a$+XYZZY/b", "x: $argon2id$v=19$m=65536$XYZZY",
      "x: \"$6$rounds=1$XYZZY\"", "to: https://admin:XYZZY@logs.example/in",
      "x: | \n  -----BEGIN PRIVATE KEY-----\n  XYZZY\n"
      "  -----END PRIVATE KEY-----",
      "# the password is XYZZY", "name: a  # XYZZY", "x: aB3XYZZYaB3aB3aB3aB3",
      "x: 0123456789abcdef0123456789abcdefXYZZY1aB", "- - token: XYZZY\n      XYZZY",
      "token : XYZZY");
  INFO(text);
  const std::string told = redact_configuration(text);
  INFO(told);
  CHECK(told.find("XYZZY") == std::string::npos);
  CHECK(told.find("ZY") == std::string::npos);
}

TEST_CASE("cli/redact: what is no secret stays", "[F63]") {
  const char* text =
      GENERATE("interfaces:\n  wan: { port: \"pci:0000:03:00.0\", zone: external }\n",
               "    - { name: no-trojan, in: lan, service: tcp/31337, action: drop }\n",
               "      servers: [ 192.0.2.53#dns.example ]\n", "nat:\n  source:\n  - { out: wan }\n",
               "to: https://logs.example/in\n", "mac: \"02:00:5e:00:53:01\"\n");
  CHECK(redact_configuration(text) == text);
}

TEST_CASE("cli/redact: what follows a secret is there again", "[F63]") {
  CHECK(redact_configuration("a:\n  password: x\n    y\n  name: b\nkeys:\n  - z\nend: 1\n") ==
        "a:\n  password: (redacted)\n  name: b\nkeys: (redacted)\nend: 1\n");
}

TEST_CASE("cli/redact: log lines and JSON lose their secrets", "[F63]") {
  CHECK(redact_lines("login token=abc def\nnext # line\n") ==
        "login token= (redacted)\nnext # line\n");
  Json json = {{"name", "lan"},
               {"api_token", "abc"},
               {"list", {{{"password", {1, 2}}, {"text", "http://a:b@c/"}}}}};
  redact_json(json);
  CHECK(json["name"] == "lan");
  CHECK(json["api_token"] == "(redacted)");
  CHECK(json["list"][0]["password"] == "(redacted)");
  CHECK(json["list"][0]["text"] == "http://(redacted)@c/");
}

}  // namespace postern::cli
