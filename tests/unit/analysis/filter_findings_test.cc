// SPDX-License-Identifier: BSD-3-Clause
// What is said about filter rules, in words, and what is not.
#include "unit/analysis/analysed.h"

namespace postern {

using Catch::Contains;

TEST_CASE("analysis/filter: a rule behind one that does the same", "[C06]") {
  CHECK(findings_in({"name: all, in: lan, action: permit",
                     "name: web, in: lan, service: tcp/80, action: permit"}) ==
        "10 never-reached: filter.rules.web: never reached: rule all (line 9) comes first, matches "
        "all of it and does the same; remove this one\n");
}

TEST_CASE("analysis/filter: a rule behind one that does the opposite", "[C06]") {
  const auto findings = analysed(
      model_of(gateway_with({"name: all, in: lan, action: permit",
                             "name: mail, in: lan, service: tcp/25, action: deny, log: true"})));
  CHECK(text_of(findings) ==
        "10 contradiction: filter.rules.mail: never reached: rule all (line 9) comes first, "
        "matches all of it and says permit, not deny; move this one above that one, or remove "
        "it\n");
  REQUIRE(findings.front().causes.size() == 1);
  CHECK(findings.front().causes[0].name == "all");
  CHECK(findings.front().causes[0].line == 9);
}

TEST_CASE("analysis/filter: rules that hide one together are named, and no others", "[C06]") {
  CHECK_THAT(findings_in({"name: low, in: lan, to: 0.0.0.0/1, action: permit",
                          "name: other, in: dmz, action: permit",
                          "name: one, in: lan, to: 198.51.100.1, service: tcp/80, action: permit",
                          "name: high, in: lan, to: 128.0.0.0/1, action: drop",
                          "name: late, in: lan, service: tcp, action: permit"}),
             Contains("late: never reached: rules low (line 9) and high (line 12) come first, "
                      "match all of it together and act otherwise"));
}

TEST_CASE("analysis/filter: an exception before the rule is good practice", "[C06]") {
  CHECK(findings_in({"name: bad, in: lan, from: 192.168.1.66, action: drop",
                     "name: mail, in: lan, out: external, service: [tcp/25, tcp/587], action: deny",
                     "name: web-no, in: lan, service: tcp/80, action: deny",
                     "name: web, in: lan, service: [tcp/80, tcp/443], action: permit",
                     "name: lan, in: lan, action: permit, log: true",
                     "name: cleanup, action: drop"}) == "");
}

TEST_CASE("analysis/filter: a rule that a later one would replace", "[C06]") {
  CHECK_THAT(
      findings_in({"name: web, in: lan, service: tcp/80, action: permit",
                   "name: dmz, in: dmz, action: drop", "name: lan, in: lan, action: permit"}),
      Contains("9 redundant: filter.rules.web: does nothing: without it rule lan (line 11) "
               "would do the same with all that reaches it; remove this one"));
  // What stands between, logs or counts is a reason for it.
  for (const char* between :
       {"name: x, in: lan, to: 10.9.0.9, action: deny", "name: x, in: lan, action: continue",
        "name: x, in: lan, service: tcp, to: 10.9.0.9, when: mon, action: drop"}) {
    CHECK(findings_in({"name: web, in: lan, service: tcp/80, action: permit", between,
                       "name: lan, in: lan, action: permit"}) == "");
  }
  CHECK(findings_in({"name: web, in: lan, service: tcp/80, action: permit, log: true",
                     "name: lan, in: lan, action: permit"}) == "");
}

TEST_CASE("analysis/filter: times, postures, qualifiers and scopes count", "[C06]") {
  const char* const narrow[] = {"when: mon-fri", "tcp: opening", "scope: forwarded",
                                "to_original: 203.0.113.1", "enabled: false"};
  for (const char* key : narrow) {
    INFO(key);
    CHECK(findings_in({"name: all, in: lan, service: tcp, action: permit, " + std::string(key),
                       "name: web, in: lan, service: tcp/80, action: deny"}) == "");
  }
  CHECK(findings_in({"name: all, in: lan, action: permit",
                     "name: admin, in: lan, service: tcp/22, action: deny, emergency: true"}) ==
        "");
  CHECK(findings_in({"name: all, in: lan, action: permit",
                     "name: web, in: lan, enabled: false, action: deny"}) == "");
  CHECK(findings_in({"name: count, in: lan, action: continue",
                     "name: web, in: lan, action: permit"}) == "");
  CHECK_THAT(
      findings_in({"name: all, in: lan, action: permit", "name: count, in: lan, action: continue"}),
      Contains("never-reached: filter.rules.count: never reached: rule all (line 9) comes "
               "first, matches all of it and decides; move this one above that one"));
  CHECK_THAT(findings_in({"name: week, in: lan, when: mon-fri, action: permit",
                          "name: end, in: lan, when: [sat, sun], action: permit",
                          "name: web, in: lan, service: tcp/80, action: permit"}),
             Contains("rules week (line 9) and end (line 10) come first"));
}

TEST_CASE("analysis/filter: guards and permits of port maps hide rules, too", "[C06]") {
  std::string text = gateway_with({"name: share, in: external, service: tcp/445, action: permit"});
  text.replace(text.find("address: 203.0.113.1/24"), 0, "windows_sharing: block, ");
  CHECK_THAT(text_of(analysed(model_of(text))),
             Contains("rule guard/windows-sharing/wan/in (line 3) comes first, matches all of it "
                      "and says drop, not permit"));
}

TEST_CASE("analysis/filter: one service of several behind a broader rule", "[C06]") {
  CHECK_THAT(findings_in({"name: tcp, in: lan, out: external, service: tcp, action: permit",
                          "name: mail, in: lan, out: external, service: tcp+udp/25, action: deny"}),
             Contains("10 partly-reached: filter.rules.mail: only partly reached: rule tcp (line "
                      "9) comes first for tcp/25 and says permit, not deny; move this one above"));
}

TEST_CASE("analysis/filter: rules of a template are told only where they are contradicted",
          "[C06][F24]") {
  const char* const guard = "template: dns-guard, with: { servers: 192.0.2.53, clients: lan }";
  CHECK(findings_in({"name: dns, in: lan, service: tcp+udp/53, to: 192.0.2.53, action: permit",
                     guard}) == "");
  const std::string told = findings_in({"name: lan, in: lan, action: permit", guard});
  CHECK_THAT(told, Contains("10 contradiction: filter.rules.dns-guard/foreign: never reached: rule "
                            "lan (line 9)"));
  CHECK_THAT(told, !Contains("dns-guard/named"));
}

TEST_CASE("analysis/filter: one that takes everything ends the list", "[C06]") {
  const std::string told =
      findings_in({"name: all, action: drop", "name: web, in: lan, service: tcp/80, action: permit",
                   "name: again, action: drop"});
  CHECK_THAT(told, Contains("10 contradiction: filter.rules.web"));
  CHECK_THAT(told, Contains("11 never-reached: filter.rules.again"));
}

TEST_CASE("analysis/filter: a rule for users hides no other and settles nothing", "[C06][F27]") {
  CHECK(findings_in({"name: hr, in: lan, users: [group:hr], action: permit",
                     "name: web, in: lan, service: tcp/80, action: deny",
                     "name: known, in: lan, users: [any], action: drop",
                     "name: lan, in: lan, action: permit"}) == "");
  // Among them others for users: who is in both groups meets the first alone.
  CHECK(findings_in({"name: hr, in: lan, users: [group:hr], action: permit",
                     "name: same, in: lan, users: [group:hr], action: drop"}) == "");
  // Without it those who are logged in would meet the rule between.
  CHECK(findings_in({"name: web, in: lan, service: tcp/80, action: permit",
                     "name: anna, in: lan, users: [anna], action: drop",
                     "name: lan, in: lan, action: permit"}) == "");
  // One of several services, taken from those who are logged in alone.
  CHECK(findings_in({"name: tcp, in: lan, users: [any], service: tcp, action: permit",
                     "name: mail, in: lan, service: tcp+udp/25, action: deny"}) == "");
}

TEST_CASE("analysis/filter: a rule for users is hidden by one for everybody", "[C06][F27]") {
  CHECK(findings_in({"name: all, in: lan, action: permit",
                     "name: anna, in: lan, users: [anna], action: drop"}) ==
        "10 contradiction: filter.rules.anna: never reached: rule all (line 9) comes first, "
        "matches all of it and says permit, not drop; move this one above that one, or remove "
        "it\n");
  CHECK_THAT(findings_in({"name: bob, in: lan, users: [bob], action: permit",
                          "name: all, in: lan, action: drop",
                          "name: anna, in: lan, users: [anna], action: drop"}),
             Contains("11 never-reached: filter.rules.anna: never reached: rule all (line 10)"));
}

TEST_CASE("analysis/filter: an alert is a reason for a rule", "[C06][F28]") {
  CHECK(findings_in({"name: web, in: lan, service: tcp/80, action: permit, alert: true",
                     "name: lan, in: lan, action: permit"}) == "");
}

}  // namespace postern
