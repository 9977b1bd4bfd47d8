// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/reload.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "control/apply/last_good.h"
#include "control/apply/restart.h"
#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;
using test::configuration;

namespace {

const std::string kPermit = "    - { name: out, in: lan, out: wan, action: permit }\n";
const std::string kDrop = "    - { name: out, in: lan, out: wan, action: drop }\n";

struct Bed {
  test::TemporaryDirectory directory;
  PolicySlot slot{1};
  Publisher publisher{slot};
  unsigned followed = 0;
  uint32_t minute_of_week = 0;
  std::vector<std::string> warnings;
  Reload reload;

  Bed() : reload(publisher, settings()) {}

  Reload::Settings settings() {
    Reload::Settings settings;
    settings.state_dir = directory.path();
    settings.inputs = [this] {
      CompileInputs inputs;
      inputs.minute_of_week = minute_of_week;
      return inputs;
    };
    settings.before_publication = [](const Policy&) {};
    settings.on_published = [this](const config::Model&, const Policy&) { ++followed; };
    settings.warn = [this](const std::string& line) { warnings.push_back(line); };
    return settings;
  }
  void start(const std::string& text) {
    config::Loaded loaded = config::load(text);
    REQUIRE(loaded.ok());
    ReloadReport report = reload.start(text, loaded.model);
    REQUIRE(report.done);
    CHECK_FALSE(read_last_good(directory.path()));  // much may go wrong before it is live
    reload.keep_as_last_good();
  }
};

}  // namespace

TEST_CASE("control/reload: a good text is published, followed and kept as the last good one") {
  Bed bed;
  bed.start(configuration(kPermit));
  CHECK(bed.slot.acquire()->generation == 1);
  CHECK(bed.followed == 1);
  ReloadReport report = bed.reload.apply(configuration(kDrop));
  CHECK(report.done);
  CHECK(report.changed);
  CHECK(bed.slot.acquire()->generation == 2);
  CHECK(bed.slot.acquire()->rules.at(0).action == Action::drop);
  CHECK(bed.followed == 2);
  auto kept = read_last_good(bed.directory.path());
  REQUIRE(kept);
  CHECK(*kept == configuration(kDrop));
}

TEST_CASE("control/reload: a text whose tests fail changes nothing, and the test is named",
          "[C03][C06]") {
  const std::string test =
      "tests:\n"
      "  - { name: the way out, in: lan, protocol: tcp, from: 192.168.1.9, to: 192.0.2.80:80,\n"
      "      verdict: permit }\n";
  Bed bed;
  bed.start(configuration(kPermit));
  ReloadReport report = bed.reload.apply(configuration(kDrop) + test);
  CHECK_FALSE(report.done);
  CHECK(report.code == ErrorCode::failed);
  CHECK_THAT(report.text, Catch::StartsWith("test 'the way out' (line ") &&
                              Catch::Contains("fails: expected permit, seen drop by rule out") &&
                              Catch::EndsWith("; nothing was changed"));
  CHECK(bed.slot.acquire()->generation == 1);
  CHECK_FALSE(bed.reload.preview(configuration(kDrop) + test).report.done);
  CHECK(bed.reload.apply(configuration(kPermit) + test).done);
}

TEST_CASE("control/reload: what was judged beside the thread is not judged again", "[C03]") {
  Bed bed;
  bed.start(configuration(kPermit));
  CHECK(bed.reload.knows(configuration(kPermit)));
  CHECK_FALSE(bed.reload.knows(configuration(kDrop)));
  // A judgement that says more than the text itself shows whose word counts.
  auto judged = std::make_shared<JudgedText>(*judge_text(configuration(kDrop)));
  judged->failed_tests = "test 'x' fails";
  bed.reload.remember(judged);
  CHECK(bed.reload.knows(configuration(kDrop)));
  CHECK(bed.reload.preview(configuration(kDrop)).report.text ==
        "test 'x' fails; nothing was changed");
  bed.reload.remember(judge_text(configuration(kDrop)));
  CHECK(bed.reload.apply(configuration(kDrop), Standing::on_trial).done);
  CHECK(bed.reload.knows(configuration(kPermit)));  // the way back
  CHECK(bed.reload.apply(configuration(kPermit)).done);
  CHECK(bed.slot.acquire()->rules.at(0).action == Action::permit);
  CHECK_FALSE(bed.reload.knows(configuration(kDrop)));
}

TEST_CASE("control/reload: a bad text changes nothing", "[C03]") {
  std::string bad =
      GENERATE(std::string(""), std::string("{"), std::string("version: 2\n"),
               configuration("    - { name: out, in: lam, action: permit }\n"),
               configuration("    - { name: out, in: lan, action: allow }\n"),
               configuration(kPermit + kPermit), configuration(kPermit, "routes: []\n"),
               configuration("    - { name: out, in: lan, from: nobody, action: permit }\n"));
  Bed bed;
  bed.start(configuration(kPermit));
  const Policy* before = bed.slot.acquire();
  ReloadReport report = bed.reload.apply(bad);
  CHECK_FALSE(report.done);
  CHECK(report.code == ErrorCode::invalid);
  CHECK_FALSE(report.findings.empty());
  CHECK(bed.slot.acquire() == before);
  CHECK(bed.publisher.next_generation() == 2);
  CHECK(bed.followed == 1);
  CHECK(bed.reload.text() == configuration(kPermit));
  CHECK(*read_last_good(bed.directory.path()) == configuration(kPermit));
}

TEST_CASE("control/reload: the same text is no change") {
  Bed bed;
  bed.start(configuration(kPermit));
  ReloadReport report = bed.reload.apply(configuration(kPermit));
  CHECK(report.done);
  CHECK_FALSE(report.changed);
  CHECK(bed.followed == 1);
}

TEST_CASE("control/reload: what takes a restart is refused by name") {
  Bed bed;
  bed.start(configuration(kPermit));
  ReloadReport report =
      bed.reload.apply(configuration(kPermit, "system: { workers: { count: 2 } }\n"));
  CHECK_FALSE(report.done);
  CHECK(report.code == ErrorCode::failed);
  CHECK(report.text.find("system.workers") != std::string::npos);
  CHECK(bed.slot.acquire()->generation == 1);
}

TEST_CASE("control/reload: a state directory that cannot be written is a warning") {
  Bed bed;
  bed.start(configuration(kPermit));
  std::filesystem::remove_all(bed.directory.path());
  CHECK(bed.reload.apply(configuration(kDrop)).done);
  CHECK(bed.warnings.size() == 1);
}

TEST_CASE("control/reload: rules with times are published again at their boundaries", "[F34]") {
  Bed bed;
  std::string text =
      configuration("    - { name: office, in: lan, out: wan, when: office, action: permit }\n",
                    "objects:\n  times: { office: \"mon-fri 08:00-18:00\" }\n");
  bed.minute_of_week = 7 * 60;
  bed.start(text);
  CHECK_FALSE(bed.slot.acquire()->rules.at(0).enabled);
  std::time_t now = std::time(nullptr);
  bed.reload.tick(now);
  CHECK(bed.followed == 1);
  bed.minute_of_week = 9 * 60;
  bed.reload.tick(now + 8 * 24 * 3600);  // past every boundary
  CHECK(bed.slot.acquire()->generation == 2);
  CHECK(bed.slot.acquire()->rules.at(0).enabled);
  bed.reload.tick(now + 8 * 24 * 3600 + 1);
  CHECK(bed.slot.acquire()->generation == 2);
  bed.minute_of_week = 20 * 60;
  bed.reload.tick(now - 3600);  // the clock was set back
  CHECK(bed.slot.acquire()->generation == 3);
}

TEST_CASE("control/apply: restart keys name every difference that takes a restart") {
  config::Model running = config::load(configuration(kPermit)).model;
  config::Model wanted = running;
  CHECK(restart_keys(running, wanted).empty());
  wanted.interfaces[0].addresses.clear();
  wanted.interfaces[0].neighbors.push_back({});
  wanted.nat.first_port = 2000;
  wanted.system.timeouts.udp = seconds(10);
  CHECK(restart_keys(running, wanted).empty());
  wanted.interfaces[0].port.name = "enp9s0";
  wanted.interfaces[1].mtu = 9000;
  wanted.system.limits.sessions = 1;
  CHECK(restart_keys(running, wanted) ==
        std::vector<std::string>{"system.limits", "interfaces.wan.port", "interfaces.lan.mtu"});
  wanted = running;
  std::swap(wanted.interfaces[0], wanted.interfaces[1]);
  CHECK(restart_keys(running, wanted) == std::vector<std::string>{"interfaces (their order)"});
  wanted = running;
  wanted.interfaces[1].name = "office";
  CHECK(restart_keys(running, wanted) ==
        std::vector<std::string>{"interfaces.office", "interfaces.lan"});
}

TEST_CASE("control/text_file: a file is replaced whole and keeps its mode") {
  test::TemporaryDirectory directory;
  std::string path = directory.path() + "/file";
  CHECK(read_text_file(path).error().code == ErrorCode::not_found);
  REQUIRE(write_text_file(path, "one"));
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  REQUIRE(write_text_file(path, "two"));
  CHECK(*read_text_file(path) == "two");
  CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms::owner_read);
  CHECK_FALSE(write_text_file(directory.path() + "/missing/file", "x"));
  std::ofstream(path + "-large") << std::string(kTextFileMax + 1, 'x');
  CHECK(read_text_file(path + "-large").error().code == ErrorCode::invalid);
}
