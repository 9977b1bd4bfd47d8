// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/changes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "control/apply/last_good.h"
#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;

namespace {

// A gateway that takes every text but "bad".
struct Bed {
  test::TemporaryDirectory directory;
  std::string in_force = "first";
  Standing standing = Standing::settled;
  unsigned put = 0;
  bool is_broken = false;
  bool is_disk_full = false;  // and notes of it are expected
  Instant now{seconds(1000).ns};
  std::vector<std::string> log;
  Changes changes{world()};

  Bed() { changes.begin("file"); }

  Changes::World world() {
    Changes::World world;
    world.state_dir = directory.path();
    world.config_file = directory.path() + "/gateway.yaml";
    world.put_into_force = [this](std::string text, Standing as, const std::string&,
                                  const std::string&) {
      ReloadReport report;
      if (text == "bad" || is_broken) {
        report.text = "no good";
        return report;
      }
      report.done = true;
      report.changed = text != in_force;
      if (!report.changed) return report;
      ++put;
      in_force = std::move(text);
      standing = as;
      return report;
    };
    world.settle = [this] {
      standing = Standing::settled;
      ReloadReport report;
      report.done = report.changed = true;
      return report;
    };
    world.text = [this]() -> const std::string& { return in_force; };
    world.now = [this] { return now; };
    world.log = [this](config::LogLevel, const std::string& line) { log.push_back(line); };
    world.note = [this](const std::string&, const Result<void>& outcome) {
      if (!is_disk_full) CHECK(outcome);
    };
    return world;
  }
  ReloadReport apply(const std::string& text, Duration trial = {}, bool save = false) {
    Change change;
    change.text = text;
    change.who = "alice";
    change.trial = trial;
    change.save = save;
    return changes.apply(std::move(change));
  }
  void pass(Duration time) {
    now = now + time;
    changes.tick();
  }
  TrialRecord kept() { return *read_trial(directory.path()); }
  // A daemon that starts with what is in force, and its predecessor's files.
  Changes next() {
    Changes fresh{world()};
    fresh.begin("last-good");
    return fresh;
  }
  std::string file() { return *read_text_file(directory.path() + "/gateway.yaml"); }
  size_t revisions() { return changes.history().revisions().size(); }
};

}  // namespace

TEST_CASE("control/changes: each change is a revision, the same text again is none", "[P14]") {
  Bed bed;
  CHECK(bed.revisions() == 1);
  CHECK(bed.apply("second").done);
  CHECK(bed.apply("second").done);
  REQUIRE(bed.revisions() == 2);
  const Revision& last = bed.changes.history().revisions().back();
  CHECK(last.number == 2);
  CHECK(last.who == "alice");
  CHECK(*bed.changes.history().text(1) == "first");
  CHECK(*bed.changes.history().text(2) == "second");
  CHECK_FALSE(bed.apply("bad").done);
  CHECK(bed.revisions() == 2);
}

TEST_CASE("control/changes: what is not confirmed in time is taken back", "[C01]") {
  Bed bed;
  CHECK(bed.apply("second", seconds(20), true).done);
  CHECK(bed.standing == Standing::on_trial);
  REQUIRE(bed.kept().on_trial);
  CHECK(bed.kept().on_trial->digest == digest_of("second"));
  CHECK(bed.changes.trial()->digest == digest_of("second"));
  CHECK(*read_last_good(bed.directory.path()) == "first");
  CHECK(bed.revisions() == 1);
  bed.pass(seconds(19));
  CHECK(bed.in_force == "second");
  bed.pass(seconds(1));
  CHECK(bed.in_force == "first");
  CHECK(bed.standing == Standing::settled);
  CHECK_FALSE(bed.changes.trial());
  CHECK(bed.revisions() == 1);
  // Its text is remembered: no start may use it.
  CHECK_FALSE(bed.kept().on_trial);
  CHECK(bed.kept().refuses(digest_of("second")));
  CHECK(bed.changes.is_refused_at_start("second"));
  CHECK_FALSE(bed.changes.is_refused_at_start("first"));
  CHECK_FALSE(read_text_file(bed.directory.path() + "/gateway.yaml"));
  CHECK(bed.log.back().find("was not confirmed in time") != std::string::npos);
}

TEST_CASE("control/changes: what is confirmed stays, is recorded and saved", "[C01][P14]") {
  Bed bed;
  CHECK(bed.apply("second", seconds(20), true).done);
  ReloadReport report = bed.changes.confirm("bob");
  CHECK(report.done);
  CHECK(bed.standing == Standing::settled);
  CHECK(report.saved == std::optional(true));
  CHECK_FALSE(bed.kept().on_trial);
  CHECK(bed.kept().refused.empty());
  CHECK(bed.file() == "second");
  CHECK(bed.revisions() == 2);
  bed.pass(seconds(3600));
  CHECK(bed.in_force == "second");
  CHECK_FALSE(bed.changes.confirm("bob").done);
}

TEST_CASE("control/changes: while one is on trial no other comes", "[C01]") {
  Bed bed;
  CHECK(bed.apply("second", seconds(20)).done);
  ReloadReport report = bed.apply("third");
  CHECK_FALSE(report.done);
  CHECK(report.text.find("alice") != std::string::npos);
  CHECK(bed.in_force == "second");
  CHECK(bed.changes.take_back("bob").done);
  CHECK(bed.in_force == "first");
  CHECK(bed.apply("third").done);
  CHECK(bed.kept().refuses(digest_of("second")));
}

TEST_CASE("control/changes: what was taken back stays refused until it is settled", "[C01]") {
  Bed bed;
  CHECK(bed.apply("second", seconds(20)).done);
  CHECK(bed.changes.take_back("bob").done);
  CHECK(bed.apply("third", seconds(20)).done);
  CHECK(bed.changes.take_back("bob").done);
  CHECK_FALSE(bed.apply("bad", seconds(20)).done);
  CHECK(bed.kept().refuses(digest_of("second")));
  CHECK(bed.kept().refuses(digest_of("third")));
  CHECK_FALSE(bed.kept().refuses(digest_of("bad")));
  // Settled at once, by a confirmation, and by applying what is in force.
  CHECK(bed.apply("second").done);
  CHECK_FALSE(bed.kept().refuses(digest_of("second")));
  CHECK(bed.apply("third", seconds(20)).done);
  CHECK(bed.kept().refuses(digest_of("third")));
  CHECK(bed.changes.confirm("bob").done);
  CHECK(bed.kept().refused.empty());
  TrialRecord record;
  record.refuse({digest_of("third"), "alice", 1});
  REQUIRE(write_trial(bed.directory.path(), record));
  Changes next = bed.next();
  Change same;
  same.text = "third";
  CHECK(next.apply(same).done);
  CHECK(bed.kept().refused.empty());
}

TEST_CASE("control/changes: without a place for its record there is no trial", "[C01]") {
  Bed bed;
  const std::string state = bed.directory.path();
  const bool is_last_good = GENERATE(true, false);
  // What is written goes through a file of this name first.
  const std::string blocked = (is_last_good ? last_good_path(state) : trial_path(state)) + ".new";
  REQUIRE(mkdir(blocked.c_str(), 0700) == 0);
  ReloadReport report = bed.apply("second", seconds(20));
  CHECK_FALSE(report.done);
  CHECK(report.text.find("nothing was changed") != std::string::npos);
  CHECK(bed.in_force == "first");
  CHECK_FALSE(bed.changes.trial());
  REQUIRE(rmdir(blocked.c_str()) == 0);
  CHECK(bed.apply("second").done);
  CHECK_FALSE(bed.kept().on_trial);
}

TEST_CASE("control/changes: what cannot be saved says so", "[C01]") {
  Bed bed;
  bed.is_disk_full = true;
  REQUIRE(mkdir((bed.directory.path() + "/gateway.yaml.new").c_str(), 0700) == 0);
  ReloadReport report = bed.apply("second", {}, true);
  CHECK(report.done);
  CHECK(report.saved == std::optional(false));
  CHECK_FALSE(bed.apply("third").saved);
}

TEST_CASE("control/trial: a bounded list that the oldest leave", "[C01]") {
  test::TemporaryDirectory directory;
  TrialRecord record;
  for (int i = 0; i < 40; ++i)
    record.refuse({"digest " + std::to_string(i), "alice", i});
  record.refuse({"digest 20", "bob", 40});  // again: the newest
  CHECK(record.refused.size() == TrialRecord::kRefusedMax);
  CHECK_FALSE(record.refuses("digest 7"));
  REQUIRE(write_trial(directory.path(), record));
  TrialRecord kept = *read_trial(directory.path());
  CHECK(kept.refused.size() == TrialRecord::kRefusedMax);
  CHECK(kept.refused.front().digest == "digest 8");
  CHECK(kept.refused.back().digest == "digest 20");
  CHECK(kept.refused.back().who == "bob");
}

TEST_CASE("control/changes: a trial that is refused sets no clock", "[C01]") {
  Bed bed;
  CHECK_FALSE(bed.apply("bad", seconds(20)).done);
  CHECK_FALSE(bed.changes.trial());
  CHECK_FALSE(bed.kept().on_trial);
  CHECK(bed.kept().refused.empty());
  CHECK(bed.apply("first", seconds(20)).done);  // no change: nothing to try
  CHECK_FALSE(bed.changes.trial());
  CHECK_FALSE(bed.apply("second", seconds(4)).done);
  CHECK_FALSE(bed.apply("second", seconds(24 * 3600 + 1)).done);
  CHECK(bed.put == 0);
}

TEST_CASE("control/changes: going back is tried until it works", "[C01]") {
  Bed bed;
  CHECK(bed.apply("second", seconds(20)).done);
  bed.is_broken = true;
  bed.pass(seconds(20));
  REQUIRE(bed.changes.trial());
  CHECK(bed.changes.trial()->is_late);
  bed.is_broken = false;
  bed.pass(seconds(1));
  CHECK(bed.in_force == "first");
}

TEST_CASE("control/history: it is bounded, survives a restart and never uses a number again",
          "[P14]") {
  test::TemporaryDirectory directory;
  {
    History history(directory.path());
    REQUIRE(history.open());
    for (int i = 1; i <= 210; ++i) {
      Revision revision;
      revision.who = "alice";
      REQUIRE(history.add(revision, "text " + std::to_string(i)));
    }
  }
  History history(directory.path());
  REQUIRE(history.open());
  REQUIRE(history.revisions().size() == History::kRevisionsMax);
  CHECK(history.revisions().front().number == 11);
  CHECK(*history.text(210) == "text 210");
  CHECK(history.text(10).error().code == ErrorCode::not_found);
  // One that is not understood is told of, and its number is not taken.
  REQUIRE(write_text_file(directory.path() + "/history/000300.json", "{ no"));
  CHECK_FALSE(history.open());
  REQUIRE(history.add({}, "another"));
  CHECK(history.revisions().back().number == 301);
}

TEST_CASE("control/changes: a change that was made from another text is refused", "[P14]") {
  Bed bed;
  const bool is_trial = GENERATE(false, true);
  Change change;
  change.who = "bob";
  change.text = "third";
  change.base = digest_of("first");
  if (is_trial) change.trial = seconds(20);
  CHECK(bed.apply("second").done);
  ReloadReport report = bed.changes.apply(change);
  CHECK_FALSE(report.done);
  CHECK(report.text.find("is not what the change was made from: it is by alice now, since ") !=
        std::string::npos);
  CHECK(bed.in_force == "second");
  CHECK_FALSE(bed.changes.trial());
  change.base = digest_of("second");
  CHECK(bed.changes.apply(change).done);
  CHECK(bed.in_force == "third");
}

TEST_CASE("control/changes: a file that was edited during a trial is not overwritten", "[C01]") {
  Bed bed;
  const std::string path = bed.directory.path() + "/gateway.yaml";
  const bool had_file = GENERATE(false, true);
  if (had_file) REQUIRE(write_text_file(path, "first"));
  CHECK(bed.apply("second", seconds(20), true).done);
  SECTION("by something else") {
    REQUIRE(write_text_file(path, "somebody's"));
    ReloadReport report = bed.changes.confirm("bob");
    CHECK(report.done);
    CHECK(report.saved == std::optional(false));
    CHECK(report.text.find("gateway.yaml was edited meanwhile; see `postern diff") !=
          std::string::npos);
    CHECK(bed.file() == "somebody's");
    CHECK(bed.in_force == "second");
    CHECK(bed.revisions() == 2);
  }
  SECTION("by the text itself") {
    REQUIRE(write_text_file(path, "second"));
    CHECK(bed.changes.confirm("bob").saved == std::optional(true));
    CHECK(bed.file() == "second");
  }
  SECTION("and so not if it was not") {
    CHECK(bed.changes.confirm("bob").saved == std::optional(true));
    CHECK(bed.file() == "second");
  }
}

TEST_CASE("control/changes: a file that is a link stays one", "[P14]") {
  Bed bed;
  const std::string path = bed.directory.path() + "/gateway.yaml";
  const std::string checkout = bed.directory.path() + "/checkout";
  std::filesystem::create_directory(checkout);
  REQUIRE(write_text_file(checkout + "/gw.yaml", "first"));
  REQUIRE(symlink("checkout/gw.yaml", path.c_str()) == 0);
  ReloadReport report = bed.apply("second", {}, true);
  CHECK(report.saved == std::optional(true));
  CHECK(std::filesystem::is_symlink(path));
  CHECK(*read_text_file(checkout + "/gw.yaml") == "second");
}
