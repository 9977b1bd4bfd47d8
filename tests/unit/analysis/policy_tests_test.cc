// SPDX-License-Identifier: BSD-3-Clause
// The tests of a configuration: read, refused, passed and failed.
#include "control/analysis/policy_tests.h"

#include "control/analysis/judge.h"
#include "control/check.h"
#include "unit/analysis/analysed.h"

namespace postern {
namespace {

constexpr const char* kNat =
    "nat:\n"
    "  source: [ { name: hide, out: wan } ]\n"
    "  port_maps: [ { name: web, on: wan, service: tcp/80, to: 10.9.0.80:8080, allow_from: any } "
    "]\n";

std::string with_tests(const std::vector<std::string>& tests) {
  std::string text = gateway_with(
      {"name: ssh, in: lan, out: gateway, service: tcp/22, action: permit",
       "name: out, in: lan, out: external, service: [tcp, icmp/8], action: permit",
       "name: night, in: dmz, service: tcp/25, when: \"daily 22:00-24:00\", action: permit",
       "name: no-mail, in: dmz, service: tcp/25, action: deny", "name: cleanup, action: drop"},
      kNat);
  text += "tests:\n";
  for (const std::string& test : tests)
    text += "  - { " + test + " }\n";
  return text;
}

std::string told(const std::vector<config::Finding>& findings) {
  std::string out;
  for (const config::Finding& finding : findings)
    out += to_text(finding, "x") + "\n";
  return out;
}

std::string outcome(const std::string& test) {
  return told(check_text(with_tests({test})).findings);
}

constexpr const char* kOut =
    "name: t, in: lan, protocol: tcp, from: 192.168.1.9, to: 198.51.100.7:443, ";

}  // namespace

TEST_CASE("analysis/tests: what holds says nothing", "[C06][C04]") {
  for (const std::string& test : {
           std::string(kOut) + "verdict: permit",
           std::string(kOut) + "verdict: permit, rule: out, out: wan, sent_from: 203.0.113.1",
           std::string(kOut) + "verdict: permit, sent_to: \"198.51.100.7:443\"",
           std::string(kOut) + "verdict: drop, tcp_flags: ack",
           std::string("name: t, in: lan, protocol: udp, from: 192.168.1.9, to: 198.51.100.7:53, "
                       "verdict: drop, rule: cleanup"),
           std::string("name: t, in: lan, protocol: icmp/8, from: 192.168.1.9, to: 198.51.100.7, "
                       "verdict: permit"),
           std::string(
               "name: t, in: wan, protocol: tcp, from: 198.51.100.7, to: 203.0.113.1:80, "
               "verdict: permit, rule: port-map/web, out: dmz, sent_to: \"10.9.0.80:8080\""),
           std::string("name: t, in: lan, protocol: tcp, from: 192.168.1.9, to: 192.168.1.1:22, "
                       "verdict: permit, out: gateway"),
           std::string("name: t, in: dmz, protocol: tcp, from: 10.9.0.2, to: 198.51.100.7:25, "
                       "verdict: deny"),
           std::string("name: t, in: dmz, protocol: tcp, from: 10.9.0.2, to: 198.51.100.7:25, "
                       "at: \"tue 23:10\", verdict: permit, rule: night"),
       }) {
    INFO(test);
    CHECK(outcome(test).empty());
  }
}

TEST_CASE("analysis/tests: what fails says what was expected and seen", "[C06][C04]") {
  CHECK(outcome(std::string(kOut) + "verdict: drop") ==
        "x:18:5: error: tests.t: fails: expected drop, seen permit by rule out (line 13)\n");
  CHECK_THAT(outcome("name: t, in: lan, protocol: udp, from: 192.168.1.9, to: 198.51.100.7:53, "
                     "verdict: permit"),
             Catch::Contains("fails: expected permit, seen drop by rule cleanup (line 16)"));
  CHECK_THAT(outcome("name: t, in: lan, protocol: tcp, from: 10.9.0.9, to: 198.51.100.7:80, "
                     "verdict: permit"),
             Catch::Contains("seen drop (spoofed_source): 10.9.0.9 belongs behind dmz"));
  CHECK_THAT(outcome(std::string(kOut) + "verdict: permit, rule: ssh"),
             Catch::Contains("fails: expected rule ssh, seen permit by rule out (line 13)"));
  CHECK_THAT(outcome(std::string(kOut) + "verdict: permit, out: dmz"),
             Catch::Contains("fails: expected out dmz, seen wan"));
  CHECK_THAT(outcome(std::string(kOut) + "verdict: permit, sent_from: 203.0.113.9"),
             Catch::Contains("fails: expected sent_from 203.0.113.9, seen 203.0.113.1:0"));
}

TEST_CASE("analysis/tests: somebody may be logged in", "[C06][F27]") {
  const std::string text =
      gateway_with({"name: hr, in: lan, out: dmz, users: \"group:hr\", action: permit"}) +
      "services: { portal: { listen: lan } }\n"
      "users:\n"
      "  accounts: { anna: { groups: [payroll] }, bert: {} }\n"
      "  groups: { payroll: { groups: [hr] }, hr: {} }\n"
      "tests:\n  - { name: t, in: lan, protocol: tcp, from: 192.168.1.9, to: 10.9.0.9:443, ";
  auto outcome_for = [&](const std::string& rest) {
    return told(check_text(text + rest + " }\n").findings);
  };
  CHECK(outcome_for("verdict: permit, user: anna").empty());
  CHECK(outcome_for("verdict: drop, user: bert").empty());
  CHECK(outcome_for("verdict: permit, user: bert, groups: [hr]").empty());
  CHECK(outcome_for("verdict: drop").empty());
  CHECK_THAT(outcome_for("verdict: permit, user: bert"),
             Catch::Contains("fails: expected permit, seen drop"));
  CHECK_THAT(outcome_for("verdict: drop, groups: [hr]"), Catch::Contains("goes with user"));
}

TEST_CASE("analysis/tests: a configuration whose tests fail is invalid, and that alone is told",
          "[C06]") {
  const Checked passed = check_text(with_tests({std::string(kOut) + "verdict: permit"}));
  CHECK(passed.ok());
  CHECK_FALSE(passed.is_only_tests());
  const Checked failed = check_text(
      with_tests({std::string(kOut) + "verdict: deny", std::string(kOut) + "verdict: drop"}));
  CHECK_FALSE(failed.ok());
  CHECK(failed.is_only_tests());
  CHECK(analysis::failed_tests_text(failed.findings) ==
        "test 't' (line 18) fails: expected deny, seen permit by rule out (line 13); and 1 more");
  CHECK_FALSE(check_text("version: 1").is_only_tests());
}

TEST_CASE("analysis/tests: form is checked before", "[C06]") {
  struct Bad {
    const char* test;
    const char* text;
  };
  const Bad bad[] = {
      {"name: t, in: lna, protocol: tcp, from: 1.2.3.4, to: 1.2.3.5:80, verdict: drop",
       "tests[0].in: unknown interface 'lna'; did you mean 'lan'?"},
      {"name: t, in: lan, protocol: tcp, from: 1.2.3.4, to: 1.2.3.5, verdict: drop",
       "tests[0].to: needs a port: 1.2.3.5:443"},
      {"name: t, in: lan, protocol: gre, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop",
       "tests[0].to: the protocol has no ports"},
      {"name: t, in: lan, protocol: tcp/80, from: 1.2.3.4, to: 1.2.3.5, verdict: drop",
       "tests[0].protocol: is not one protocol; ports stand behind the addresses"},
      {"name: t, in: lan, protocol: tcp+udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop",
       "tests[0].protocol: is not one protocol"},
      {"name: t, in: lan, protocol: udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop, rule: "
       "cleanpu",
       "tests[0].rule: unknown rule 'cleanpu'; did you mean 'cleanup'?"},
      {"name: t, in: lan, protocol: udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop, out: "
       "wan",
       "tests[0].out: goes with verdict permit"},
      {"name: t, in: lan, protocol: udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop, "
       "tcp_flags: syn",
       "tests[0].tcp_flags: goes with protocol tcp"},
      {"name: t, in: lan, protocol: udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop, at: "
       "noon",
       "tests[0].at: 'noon' is no day and time, as mon 08:30"},
      {"name: t, in: lan, protocol: udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: maybe",
       "tests[0].verdict: unknown word 'maybe'; expected one of permit, drop, deny"},
      {"in: lan, protocol: udp, from: 1.2.3.4, to: \"1.2.3.5:80\", verdict: drop", "name"},
      {"name: t, in: lan, protocol: tcp, from: 192.168.1.9, to: \"1.2.3.5:80\", verdict: drop, "
       "tcp_flags: syn+fni",
       "fails: --tcp-flags: 'fni' is none of"},
  };
  for (const Bad& one : bad) {
    INFO(one.test);
    CHECK_THAT(outcome(one.test), Catch::Contains(one.text));
  }
  std::vector<std::string> many;
  for (int i = 0; i < 25; ++i) {
    many.push_back(std::string(kOut) + "verdict: permit, at: \"mon 10:" + std::to_string(10 + i) +
                   "\"");
  }
  CHECK_THAT(told(check_text(with_tests(many)).findings),
             Catch::Contains("tests[24].at: all tests together may name 24 different times"));
}

TEST_CASE("analysis/tests: an interface that waits for its address has one in tests", "[C06]") {
  std::string text = with_tests({std::string(kOut) + "verdict: permit, sent_from: 198.18.0.2"});
  const std::string fixed = "address: 203.0.113.1/24";
  text.replace(text.find(fixed), fixed.size(), "address: dhcp");
  const std::string route = "routes: [ { to: default, via: 203.0.113.254 } ]\n";
  text.replace(text.find(route), route.size(), "\n");
  CHECK(told(check_text(text).findings).empty());
}

}  // namespace postern
