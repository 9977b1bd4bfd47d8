// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain/explain.h"

#include <nlohmann/json.hpp>

#include "unit/compile/compiled.h"

namespace postern {
namespace {

const std::string kOffice = R"(
version: 1
interfaces:
  wan: { port: "kernel:e0", zone: external, address: 203.0.113.1/24 }
  lan: { port: "kernel:e1", zone: internal, address: 192.168.1.1/24 }
  dmz: { port: "kernel:e2", zone: dmz, address: 10.9.0.1/24 }
routes: [ { to: default, via: 203.0.113.254 } ]
objects: { times: { office: "mon 08:00-18:00" } }
nat:
  source:
    - { name: branch, out: wan, to: 172.16.0.0/12, action: none }
    - { out: wan }
  one_to_one: [ { name: server, external: 203.0.113.9, internal: 10.9.0.9, on: wan } ]
  port_maps: [ { name: mail, on: wan, service: tcp/25, to: "10.9.0.5:2525", allow_from: any } ]
filter:
  rules:
    - { name: watch, in: lan, service: tcp/443, action: continue, log: true }
    - { name: late, in: lan, when: office, action: permit }
    - { name: no-telnet, description: old protocols, service: tcp/23, action: deny }
    - { name: out, in: [lan, dmz, gateway], out: [wan, dmz], action: permit }
    - { name: web, in: wan, to: 10.9.0.9, service: tcp/80, action: permit }
    - { name: ssh, in: lan, out: gateway, service: tcp/22, action: permit }
    - { name: cleanup, action: drop }
)";

// Tuesday midnight.
std::unique_ptr<Policy> office(const std::string& yaml = kOffice) {
  CompileInputs inputs;
  inputs.generation = 4;
  inputs.minute_of_week = 1440;
  return compiled(yaml, inputs);
}

ExplainJson ask(const Policy& policy, const ExplainJson& request) {
  auto answer = answer_explain(policy, request);
  INFO((answer ? "" : answer.error().text));
  REQUIRE(answer);
  return std::move(answer).value();
}

// "stage result item" of every stage.
std::vector<std::string> steps(const ExplainJson& answer) {
  std::vector<std::string> steps;
  for (const ExplainJson& stage : answer["stages"]) {
    std::string step = stage["stage"].get<std::string>() + " " + stage["result"].get<std::string>();
    if (stage.contains("item")) step += " " + stage["item"].get<std::string>();
    steps.push_back(step);
  }
  return steps;
}

using Steps = std::vector<std::string>;

}  // namespace

TEST_CASE("explain: a client's packet is followed from port to port", "[C04]") {
  auto answer = ask(
      *office(),
      {{"in", "lan"}, {"src", "192.168.1.10:5000"}, {"dst", "198.51.100.7:443"}, {"proto", "tcp"}});
  CHECK(steps(answer) == Steps{"packet ok", "spoof ok", "destination-nat none", "route wan",
                               "rule continue watch", "rule not-in-force late", "rule permit out",
                               "source-nat masquerade source-2"});
  CHECK(answer["verdict"] == "forward");
  CHECK(answer["generation"] == 4);
  CHECK(answer["rule"] == "out");
  CHECK(answer["out"] == "wan");
  CHECK(answer["next_hop"] == "203.0.113.254");
  CHECK(answer["sent"]["source"] == "203.0.113.1:*");
  CHECK(answer["sent"]["destination"] == "198.51.100.7:443");
  CHECK(text_of(answer) ==
        "tcp 192.168.1.10:5000 -> 198.51.100.7:443 syn in by lan, policy generation 4\n"
        "  packet           ok\n"
        "  spoof            ok            192.168.1.10 belongs behind lan (connected network "
        "192.168.1.0/24)\n"
        "  destination-nat  none\n"
        "  route            wan           route 0.0.0.0/0 via 203.0.113.254\n"
        "  rule             continue      watch (line 17): in lan service tcp/443 continue log\n"
        "  rule             not-in-force  late (line 18): in lan permit (not in force)\n"
        "  rule             permit        out (line 20): in lan dmz gateway out wan dmz permit\n"
        "  source-nat       masquerade    source-2 (line 12): out wan masquerade mapping "
        "endpoint_independent filtering address_and_port_dependent\n"
        "verdict: forward by wan to 203.0.113.254, as 203.0.113.1:* -> 198.51.100.7:443\n");
}

TEST_CASE("explain: exceptions and one-to-one addresses show in the source", "[C04][F08][F09]") {
  auto policy = office();
  auto answer = ask(
      *policy, {{"in", "lan"}, {"src", "192.168.1.10"}, {"dst", "172.16.0.1"}, {"proto", "esp"}});
  CHECK(steps(answer).back() == "source-nat none branch");
  CHECK(answer["sent"]["source"] == "192.168.1.10");
  answer =
      ask(*policy,
          {{"in", "dmz"}, {"src", "10.9.0.9:7"}, {"dst", "198.51.100.7:443"}, {"proto", "udp"}});
  CHECK(steps(answer).back() == "source-nat one-to-one server");
  CHECK(answer["sent"]["source"] == "203.0.113.9:7");
}

TEST_CASE("explain: a port map is followed to its inside host", "[C04][F10]") {
  auto answer =
      ask(*office(),
          {{"in", "wan"}, {"src", "198.51.100.7"}, {"dst", "203.0.113.1:25"}, {"proto", "tcp"}});
  CHECK(steps(answer) == Steps{"packet ok", "spoof ok", "destination-nat port-map mail",
                               "route dmz", "rule permit port-map/mail", "source-nat none"});
  CHECK(answer["sent"]["destination"] == "10.9.0.5:2525");
  CHECK(answer["verdict"] == "forward");
}

TEST_CASE("explain: an inside client reaches a port map round by the external address",
          "[C04][P01]") {
  auto answer =
      ask(*office(),
          {{"in", "lan"}, {"src", "192.168.1.10"}, {"dst", "203.0.113.1:25"}, {"proto", "tcp"}});
  CHECK(steps(answer) == Steps{"packet ok", "spoof ok", "destination-nat port-map mail",
                               "route dmz", "rule permit port-map/mail",
                               "source-nat masquerade source-2", "hairpin ok mail"});
  CHECK(answer["verdict"] == "forward");
  CHECK(answer["out"] == "dmz");
  CHECK(answer["sent"]["source"] == "203.0.113.1:*");
  CHECK(answer["sent"]["destination"] == "10.9.0.5:2525");
}

TEST_CASE("explain: each refusal names its stage and reason", "[C04]") {
  struct Row {
    const char* in;
    const char* src;
    const char* dst;
    const char* proto;
    const char* more;  // "tcp_flags=ack"
    const char* last;
    const char* reason;
  };
  auto row = GENERATE(
      Row{"wan", "192.168.1.10", "203.0.113.1:80", "tcp", "", "spoof refused", "spoofed_source"},
      Row{"wan", "203.0.113.1", "192.168.1.10:80", "tcp", "", "spoof refused", "spoofed_source"},
      Row{"lan", "203.0.113.9", "192.168.1.10:80", "tcp", "", "spoof refused", "spoofed_source"},
      Row{"lan", "192.168.1.10", "198.51.100.7:23", "tcp", "", "rule deny no-telnet",
          "filter_deny"},
      Row{"wan", "198.51.100.7", "203.0.113.1:80", "tcp", "", "rule drop cleanup", "filter_drop"},
      Row{"lan", "192.168.1.10", "198.51.100.7:80", "tcp", "ack", "session refused", "no_session"},
      Row{"lan", "192.168.1.10", "198.51.100.7:80", "tcp", "syn,fin", "packet refused",
          "tcp_flags_bad"},
      Row{"lan", "127.0.0.1", "198.51.100.7:80", "tcp", "", "packet refused", "source_address_bad"},
      Row{"wan", "198.51.100.7", "224.0.1.1:80", "udp", "", "rule drop cleanup", "filter_drop"},
      Row{"lan", "192.168.1.10", "10.9.0.255:80", "udp", "", "route refused",
          "broadcast_not_forwarded"});
  ExplainJson request = {{"in", row.in}, {"src", row.src}, {"dst", row.dst}, {"proto", row.proto}};
  if (*row.more != 0) request["tcp_flags"] = row.more;
  auto answer = ask(*office(), request);
  CHECK(steps(answer).back() == row.last);
  CHECK(answer["reason"] == row.reason);
  CHECK(answer["verdict"] == (std::string(row.reason) == "filter_deny" ? "deny" : "drop"));
  CHECK_FALSE(answer.contains("sent"));
}

TEST_CASE("explain: without route or rule that is what it says", "[C04][F22]") {
  std::string yaml = kOffice;
  yaml.replace(yaml.find("routes: [ { to: default, via: 203.0.113.254 } ]"), 47, "");
  auto answer =
      ask(*office(yaml),
          {{"in", "lan"}, {"src", "192.168.1.10"}, {"dst", "198.51.100.7:80"}, {"proto", "tcp"}});
  CHECK(answer["reason"] == "no_route");
  yaml = kOffice;
  yaml.replace(yaml.find("filter:\n"), 8, "filter:\n  posture: cut_off\n");
  answer =
      ask(*office(yaml),
          {{"in", "lan"}, {"src", "192.168.1.10"}, {"dst", "198.51.100.7:80"}, {"proto", "tcp"}});
  CHECK(answer["reason"] == "posture_cut_off");
  CHECK(steps(answer) == Steps{"packet ok", "spoof ok", "destination-nat none", "route wan",
                               "rule not-in-force late", "rule not-in-force out",
                               "rule not-in-force cleanup", "rule drop"});
}

TEST_CASE("explain: packets for the gateway itself end there", "[C04][F37]") {
  auto answer =
      ask(*office(),
          {{"in", "lan"}, {"src", "192.168.1.10"}, {"dst", "192.168.1.1:22"}, {"proto", "tcp"}});
  CHECK(answer["verdict"] == "host");
  CHECK(answer["out"] == "gateway");
  answer =
      ask(*office(),
          {{"in", "gateway"}, {"src", "203.0.113.1"}, {"dst", "198.51.100.7"}, {"proto", "icmp"}});
  CHECK(answer["verdict"] == "forward");
  CHECK(steps(answer).back() == "source-nat own");
}

TEST_CASE("explain: an answer with strange parts still prints", "[C04]") {
  CHECK(text_of(ExplainJson::object()) == " in by , policy generation \nverdict: \n");
  CHECK(text_of({{"stages", {1, "x", nullptr}}, {"verdict", 7}, {"sent", 1}}).size() > 10);
}

TEST_CASE("explain: a request that makes no packet is refused", "[C04]") {
  auto answer = answer_explain(*office(), {{"in", "lan"}});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::invalid);
}

}  // namespace postern
