// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/shut_out.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::remote;

TEST_CASE("remote/shut_out: what would end the session of who changes it is told", "[C01][F59]") {
  config::Model model;
  model.admin.remote.emplace();
  model.admin.remote->from = {"192.168.1.10"};
  config::User alice;
  alice.name = "alice";
  alice.role = config::Role::admin;
  alice.password = "a hash";
  model.users.accounts = {alice};
  Policy policy;
  PolicyInterface lan;
  lan.name = "lan";
  lan.exists = true;
  lan.zone = Zone::internal;
  lan.addresses = {{*parse_ipv4("192.168.1.1"), 24}};
  policy.interfaces = {lan};
  Insider insider;
  insider.account = "alice";
  insider.connection = {{*parse_ipv4("192.168.1.10"), 5000}, {*parse_ipv4("192.168.1.1"), 44333}};
  REQUIRE_FALSE(shuts_out(model, policy, insider));
  std::string why;
  SECTION("off") {
    model.admin.remote->enabled = false;
    why = "admin.remote would be off";
  }
  SECTION("gone") {
    model.admin.remote.reset();
    why = "admin.remote would be off";
  }
  SECTION("port") {
    model.admin.remote->port = 44334;
    why = "would not listen there";
  }
  SECTION("interface") {
    model.admin.remote->listen = {"dmz"};
    why = "would not listen there";
  }
  SECTION("address of ours") {
    policy.interfaces[0].addresses = {{*parse_ipv4("192.168.1.2"), 24}};
    why = "would not listen there";
  }
  SECTION("from") {
    model.admin.remote->from = {"192.168.1.11"};
    why = "admin.remote.from would not list you";
  }
  SECTION("account") {
    model.users.accounts.clear();
    why = "the account alice would be gone";
  }
  SECTION("account file") {
    model.users.accounts.clear();
    model.users.account_file = false;
    insider.local = &alice;
    why = "the account alice would be gone";
  }
  SECTION("role") {
    model.users.accounts[0].role = config::Role::op;
    why = "would not be an admin any more";
  }
  SECTION("disabled") {
    model.users.accounts[0].enabled = false;
    why = "would be disabled";
  }
  SECTION("without a way in") {
    model.users.accounts[0].password.clear();
    why = "would have no key and no password";
  }
  auto told = shuts_out(model, policy, insider);
  REQUIRE(told);
  CHECK(told->find(why) != std::string::npos);
  CHECK(told->starts_with("your session from 192.168.1.10 to 192.168.1.1:44333 would end: "));
}

TEST_CASE("remote/shut_out: an account of the account file stays", "[C01][F59]") {
  config::Model model;
  model.admin.remote.emplace();
  Policy policy;
  PolicyInterface lan;
  lan.exists = true;
  lan.zone = Zone::internal;
  lan.addresses = {{*parse_ipv4("192.168.1.1"), 24}};
  policy.interfaces = {lan};
  config::User alice;
  alice.role = config::Role::admin;
  alice.password = "a hash";
  Insider insider{
      {{*parse_ipv4("192.168.1.10"), 5000}, {*parse_ipv4("192.168.1.1"), 44333}}, "alice", &alice};
  CHECK_FALSE(shuts_out(model, policy, insider));
}
