// SPDX-License-Identifier: BSD-3-Clause
#include "control/start_up.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "control/apply/last_good.h"
#include "control/apply/trial.h"
#include "control/host_path.h"
#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;
using test::configuration;

namespace {

const std::string kGood = configuration("    - { name: all, action: drop }\n");
const std::string kBad = configuration("    - { name: all, action: dropp }\n");

struct Bed {
  test::TemporaryDirectory directory;
  StartOptions options;
  ErrorLog log;

  Bed() {
    options.config_file = directory.path() + "/gateway.yaml";
    options.state_dir = options.run_dir = directory.path();
    config::LogFile quiet;
    quiet.console = false;
    REQUIRE(log.configure(quiet, config::LogLevel::info, directory.path()));
  }
  std::string logged() {
    log.output().settle();
    return *read_text_file(directory.path() + "/log/error.log");
  }
};

}  // namespace

TEST_CASE("control/start_up: the configuration file is what starts") {
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kGood));
  auto choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  CHECK_FALSE(choice->is_last_good);
  CHECK(choice->text == kGood);
  CHECK(choice->model.interfaces.size() == 2);
}

TEST_CASE("control/start_up: a bad file gives way to the last good one, loudly", "[C03]") {
  bool is_missing = GENERATE(false, true);
  Bed bed;
  if (!is_missing) REQUIRE(write_text_file(bed.options.config_file, kBad));
  REQUIRE(write_last_good(bed.options.state_dir, kGood));
  auto choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  CHECK(choice->is_last_good);
  CHECK(choice->text == kGood);
  CHECK(bed.logged().find("starting with the last good configuration") != std::string::npos);
  if (!is_missing) CHECK(bed.logged().find("gateway.yaml:9:") != std::string::npos);
}

TEST_CASE("control/start_up: what nobody confirmed is not what starts", "[C01]") {
  const bool is_over = GENERATE(false, true);
  const std::string before = configuration("    - { name: all, action: permit }\n");
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kGood));
  REQUIRE(write_last_good(bed.options.state_dir, before));
  TrialRecord record;
  record.on_trial = {digest_of(kGood), "alice", 1, 2};
  if (is_over) record.end_trial(3);
  REQUIRE(write_trial(bed.options.state_dir, record));
  for (int start = 0; start < 2; ++start) {  // and no later start either
    auto choice = choose_configuration(bed.options, bed.log);
    REQUIRE(choice);
    CHECK(choice->is_last_good);
    CHECK(choice->text == before);
    CHECK(choice->refusal == bed.options.config_file +
                                 " has a change that nobody confirmed; `postern apply " +
                                 bed.options.config_file + "` takes it");
    CHECK_FALSE(read_trial(bed.options.state_dir)->on_trial);
    CHECK(read_trial(bed.options.state_dir)->refuses(digest_of(kGood)));
  }
  // Another file is another matter.
  REQUIRE(write_text_file(bed.options.config_file, kGood + "# looked at again\n"));
  auto choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  CHECK_FALSE(choice->is_last_good);
}

TEST_CASE("control/start_up: after an end during a trial what was before it starts", "[C01]") {
  const std::string before = configuration("    - { name: all, action: permit }\n");
  const std::string tried = kGood + "# tried\n";
  Bed bed;
  REQUIRE(write_last_good(bed.options.state_dir, before));
  TrialRecord record;
  record.refuse({digest_of(before), "bob", 1});  // long ago; it was settled since
  record.on_trial = {digest_of(tried), "alice", 1, 2};
  REQUIRE(write_trial(bed.options.state_dir, record));

  SECTION("whatever the file says, now and later") {
    REQUIRE(write_text_file(bed.options.config_file, kGood));
    for (int start = 0; start < 2; ++start) {
      auto choice = choose_configuration(bed.options, bed.log);
      REQUIRE(choice);
      CHECK(choice->is_last_good);
      CHECK(choice->text == before);
    }
    CHECK(read_trial(bed.options.state_dir)->refuses(digest_of(tried)));
  }
  SECTION("from the file if that is it") {
    REQUIRE(write_text_file(bed.options.config_file, before));
    auto choice = choose_configuration(bed.options, bed.log);
    REQUIRE(choice);
    CHECK_FALSE(choice->is_last_good);
    CHECK(choice->text == before);
  }
  SECTION("without a file") {
    auto choice = choose_configuration(bed.options, bed.log);
    REQUIRE(choice);
    CHECK(choice->is_last_good);
    CHECK_FALSE(read_trial(bed.options.state_dir)->on_trial);
  }
  SECTION("unless it was confirmed at the last moment") {
    REQUIRE(write_last_good(bed.options.state_dir, tried));
    REQUIRE(write_text_file(bed.options.config_file, kGood));
    auto choice = choose_configuration(bed.options, bed.log);
    REQUIRE(choice);
    CHECK_FALSE(choice->is_last_good);
    CHECK(choice->text == kGood);
    CHECK_FALSE(read_trial(bed.options.state_dir)->on_trial);
    CHECK_FALSE(read_trial(bed.options.state_dir)->refuses(digest_of(tried)));
  }
}

TEST_CASE("control/start_up: a record of a trial that cannot be read forbids the file", "[C01]") {
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kGood));
  REQUIRE(write_last_good(bed.options.state_dir, kGood));
  for (const char* text :
       {"", "{", "[]", "{\"on_trial\": null}", "null", R"({"on_trial": 5, "refused": []})",
        R"({"on_trial": null, "refused": [5]})", R"({"on_trial": null, "refused": {}})"}) {
    REQUIRE(write_text_file(trial_path(bed.options.state_dir), text));
    auto choice = choose_configuration(bed.options, bed.log);
    REQUIRE(choice);
    CHECK(choice->is_last_good);
  }
}

TEST_CASE("control/start_up: nothing starts without a valid configuration", "[F02]") {
  auto last_good = GENERATE(as<std::string>{}, "", kBad);
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kBad));
  if (!last_good.empty()) REQUIRE(write_last_good(bed.options.state_dir, last_good));
  auto choice = choose_configuration(bed.options, bed.log);
  REQUIRE_FALSE(choice);
  CHECK(choice.error().code == ErrorCode::invalid);
}

TEST_CASE("control/start_up: a text that did not come up gives way to the last good one, once",
          "[C03][F02]") {
  const bool is_killed = GENERATE(false, true);
  const std::string before = configuration("    - { name: all, action: permit }\n");
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kGood));
  REQUIRE(write_last_good(bed.options.state_dir, before));
  auto choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  REQUIRE(choice->text == kGood);
  StartAttempt attempt(bed.options, *choice, bed.log);
  if (!is_killed) CHECK(attempt.failed({ErrorCode::failed, "no port kernel:enp1s0"}));
  choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  CHECK(choice->is_last_good);
  CHECK(choice->text == before);
  CHECK(choice->refusal ==
        bed.options.config_file + " did not come up: " +
            (is_killed ? "posternd ended while it started with it" : "no port kernel:enp1s0"));
  // The last good one has nothing behind it.
  CHECK_FALSE(StartAttempt(bed.options, *choice, bed.log).failed({ErrorCode::failed, "x"}));
  // What was missing may be there by the next start.
  choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  CHECK_FALSE(choice->is_last_good);
  StartAttempt second(bed.options, *choice, bed.log);
  REQUIRE(write_last_good(bed.options.state_dir, kGood));
  second.succeeded();
  CHECK_FALSE(read_attempt(bed.options.state_dir));
}

TEST_CASE("control/start_up: a start without another configuration behind it leaves no note",
          "[C03]") {
  auto last_good = GENERATE(as<std::string>{}, "", kGood, kBad);
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kGood));
  if (!last_good.empty()) REQUIRE(write_last_good(bed.options.state_dir, last_good));
  auto choice = choose_configuration(bed.options, bed.log);
  REQUIRE(choice);
  StartAttempt attempt(bed.options, *choice, bed.log);
  CHECK_FALSE(read_attempt(bed.options.state_dir));
  CHECK_FALSE(attempt.failed({ErrorCode::failed, "x"}));
}

TEST_CASE("control/start_up: a note of a start that is not understood is none", "[C03]") {
  Bed bed;
  REQUIRE(write_text_file(bed.options.config_file, kGood));
  REQUIRE(write_last_good(bed.options.state_dir, kBad));
  const std::string digest = digest_of(kGood);
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), "{\"digest\": \"" + digest + "\"}",
        "{\"digest\": \"" + digest + "\", \"fault\": 5}", "{\"fault\": \"" + digest + "\"}"}) {
    REQUIRE(write_text_file(attempt_path(bed.options.state_dir), text));
    auto choice = choose_configuration(bed.options, bed.log);
    REQUIRE(choice);
    CHECK(choice->text == kGood);
    CHECK_FALSE(read_text_file(attempt_path(bed.options.state_dir)));
  }
}

TEST_CASE("control/start_up: a directory has one posternd at a time") {
  Bed bed;
  {
    auto first = DirectoryLock::take(bed.options.run_dir, "a.lock");
    REQUIRE(first);
    auto second = DirectoryLock::take(bed.options.run_dir, "a.lock");
    REQUIRE_FALSE(second);
    CHECK(second.error().text.find("another posternd") != std::string::npos);
  }
  CHECK(DirectoryLock::take(bed.options.run_dir, "a.lock"));
}

TEST_CASE("control/start_up: directories are made with those above them") {
  Bed bed;
  std::string path = bed.directory.path() + "/a/b/c";
  REQUIRE(make_directory(path));
  CHECK(std::filesystem::is_directory(path));
  CHECK(make_directory(path));
  std::ofstream(bed.directory.path() + "/file") << "x";
  CHECK_FALSE(make_directory(bed.directory.path() + "/file/d"));
}

TEST_CASE("control/host_path: a kernel that forwards is refused with the command that mends it",
          "[F02]") {
  Bed bed;
  std::string directory = bed.directory.path() + "/sys/net/ipv4";
  REQUIRE(make_directory(directory));
  std::ofstream(directory + "/ip_forward") << "0\n";
  CHECK(check_forwarding_is_off(bed.directory.path()));
  std::ofstream(directory + "/ip_forward") << "1\n";
  auto refused = check_forwarding_is_off(bed.directory.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("sysctl -w net.ipv4.ip_forward=0") != std::string::npos);
}

TEST_CASE("control/host_path: a kernel that forwards from one interface only is refused too",
          "[F02]") {
  Bed bed;
  const std::string ipv4 = bed.directory.path() + "/sys/net/ipv4/";
  for (const char* name : {"all", "eth0", "eth1.7"}) {
    REQUIRE(make_directory(ipv4 + "conf/" + name));
    std::ofstream(ipv4 + "conf/" + name + "/forwarding") << "0\n";
  }
  std::ofstream(ipv4 + "ip_forward") << "0\n";
  CHECK(check_forwarding_is_off(bed.directory.path()));
  std::ofstream(ipv4 + "conf/eth1.7/forwarding") << "1\n";
  auto refused = check_forwarding_is_off(bed.directory.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("sysctl -w net/ipv4/conf/eth1.7/forwarding=0") !=
        std::string::npos);
}

TEST_CASE(
    "control/host_path: the plan follows the policy, without interfaces that have no device") {
  Policy policy;
  policy.interfaces.resize(3);
  policy.interfaces[0] = {
      .name = "wan", .addresses = {{Ipv4Address(203, 0, 113, 2), 24}}, .exists = true};
  policy.interfaces[1] = {
      .name = "lan", .addresses = {{Ipv4Address(192, 168, 1, 1), 24}}, .exists = true};
  Prefix all{Ipv4Address(), 0};
  Prefix branch{Ipv4Address(10, 0, 0, 0), 8};
  policy.routes = RouteTable({
      {all, 0, Ipv4Address(203, 0, 113, 1), false},
      {branch, 1, Ipv4Address(192, 168, 1, 7), false},
      {{Ipv4Address(192, 168, 1, 0), 24}, 1, Ipv4Address(), true},
      {{Ipv4Address(192, 168, 1, 1), 32}, kGateway, Ipv4Address(), true},
  });
  policy.interception.in = set_of(0) | set_of(1);
  HostPlan plan = plan_host_path(
      policy, [](InterfaceId id) { return id == 0 ? std::string("gw-wan") : std::string(); });
  REQUIRE(plan.devices.size() == 1);
  CHECK(plan.devices[0].name == "gw-wan");
  CHECK(plan.devices[0].addresses == policy.interfaces[0].addresses);
  REQUIRE(plan.routes.size() == 1);
  CHECK(plan.routes[0] == HostRoute{all, Ipv4Address(203, 0, 113, 1), "gw-wan"});
  CHECK(plan.delivers == std::vector<std::string>{"gw-wan"});
}
