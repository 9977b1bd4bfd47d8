// SPDX-License-Identifier: BSD-3-Clause
#include "cli/ssh_session.h"

#include <catch2/catch.hpp>

#include "cli/difference.h"
#include "cli/trial.h"

using namespace postern::cli;

TEST_CASE("cli/ssh_session: what sshd says of a session", "[C01]") {
  auto session = parse_ssh_connection("192.0.2.7 50000 192.168.1.1 22");
  REQUIRE(session);
  CHECK(session->client == "192.0.2.7");
  CHECK(session->client_port == "50000");
  CHECK(session->server == "192.168.1.1");
  CHECK(session->server_port == "22");
  CHECK_FALSE(parse_ssh_connection(""));
  CHECK_FALSE(parse_ssh_connection("192.0.2.7 50000 192.168.1.1"));
  CHECK_FALSE(parse_ssh_connection("192.0.2.7 50000 192.168.1.1 22 more"));
}

TEST_CASE("cli/trial: times of a trial") {
  CHECK(parse_seconds("90s") == 90);
  CHECK(parse_seconds("90") == 90);
  CHECK(parse_seconds("5m") == 300);
  CHECK(parse_seconds("2h") == 7200);
  for (const char* text : {"", "m", "5 m", "5x", "-5", "5m5", "99999999999", "4000000h"})
    CHECK(parse_seconds(text) == 0);
}

TEST_CASE("cli/difference: the lines that differ", "[P14]") {
  auto lines = difference({"in force", "a\nb\nc\n"}, {"gateway.yaml", "a\nB\nc\n"});
  REQUIRE(lines);
  CHECK(lines->find("--- in force\n+++ gateway.yaml\n") == 0);
  CHECK(lines->find("-b\n+B\n") != std::string::npos);
  CHECK(difference({"a", "same\n"}, {"b", "same\n"})->empty());
}
