// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>
#include <fstream>

#include "cli/remote_host.h"
#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;
using namespace postern::cli;
using Word = KeyOpinion::Word;

TEST_CASE("cli/remote_host: names of gateways, with and without a port", "[F59]") {
  CHECK(parse_host("gw.example")->text() == "gw.example:44333");
  CHECK(parse_host("192.0.2.1:4000")->text() == "192.0.2.1:4000");
  for (const char* bad : {"", ":1", "gw:", "gw:0", "gw:65536", "gw:1:2", "a b", "gw/x", "gw:1x"}) {
    CHECK_FALSE(parse_host(bad));
  }
}

TEST_CASE("cli/remote_host: a key is known, unknown, or has changed", "[F59]") {
  test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/known_hosts";
  const auto key = remote::SigningKey::generate().public_key();
  const auto other = remote::SigningKey::generate().public_key();
  CHECK(judge_key(path, "gw:1", key, "")->word == Word::unknown);
  REQUIRE(add_known_host(path, "gw:1", key));
  {
    std::ofstream file(path, std::ios::app);
    file << "# by hand, without an end";
  }
  REQUIRE(add_known_host(path, "gw:2", other));
  CHECK(judge_key(path, "gw:1", key, "")->word == Word::known);
  CHECK(judge_key(path, "gw:2", other, "")->word == Word::known);
  CHECK(judge_key(path, "gw:3", other, "")->word == Word::unknown);
  auto changed = judge_key(path, "gw:2", key, "");
  CHECK(changed->word == Word::refused);
  CHECK(changed->why.find("remove line 3 of " + path) != std::string::npos);
  CHECK(changed->why.find(remote::to_text(other)) != std::string::npos);
  CHECK(changed->why.find(remote::to_text(key)) != std::string::npos);
  SECTION("a given key decides, whatever the file says") {
    CHECK(judge_key(path, "gw:2", key, remote::to_text(key))->word == Word::known);
    CHECK(judge_key(path, "gw:2", other, remote::to_text(key))->word == Word::refused);
    CHECK_FALSE(judge_key(path, "gw:2", other, "ed25519:abc"));
  }
  SECTION("a line that is not understood is no permission") {
    REQUIRE(write_text_file(path, "# remark\n\ngw:1 ed25519:x\n"));
    auto bad = judge_key(path, "gw:1", key, "");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().text == path + ":3: is not HOST:PORT and a key");
  }
}
