// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/alerts.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <mutex>

#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;

namespace {

struct Bed {
  test::TemporaryDirectory directory;
  std::mutex mutex;
  std::vector<std::string> warnings;
  config::Logging logging;
  config::AlertLog& settings = logging.alert;
  std::unique_ptr<Alerts> alerts = std::make_unique<Alerts>([this](const std::string& line) {
    std::lock_guard lock(mutex);
    warnings.push_back(line);
  });

  void configure() { REQUIRE(alerts->configure(logging, directory.path(), "gw1")); }
  std::string text(const std::string& file) {
    auto text = read_text_file(directory.path() + "/" + file);
    return text ? *text : "";
  }
  std::string script(const std::string& body) {
    const std::string path = directory.path() + "/script";
    std::ofstream(path) << "#!/bin/sh\n" << body;
    chmod(path.c_str(), 0755);
    return path;
  }
  template <typename Condition>
  bool comes_true(Condition condition) {
    for (int i = 0; i < 300 && !condition(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
  }
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("control/log: an alert comes once a burst, and the others are counted", "[F28]") {
  Bed bed;
  bed.settings.window = seconds(1);
  bed.settings.command = {bed.script("echo \"$POSTERN_ALERT_KIND $POSTERN_ALERT_SUBJECT $1\" >> " +
                                     bed.directory.path() + "/told\n"),
                          "a b"};
  bed.configure();
  for (int i = 0; i < 100; ++i)
    bed.alerts->raise("rule", "action=drop", "guard");
  bed.alerts->raise("login", "locked out");
  CHECK(bed.comes_true([&] { return count(bed.text("told"), "\n") == 2; }));
  CHECK(bed.text("told").find("rule guard a b\n") != std::string::npos);
  CHECK(bed.comes_true(
      [&] { return bed.text("log/alert.log").find("records=99") != std::string::npos; }));
  const std::string lines = bed.text("log/alert.log");
  CHECK(count(lines, "\n") == 3);
  CHECK(count(lines, "kind=rule rule=\"guard\" text=\"action=drop\"\n") == 1);
  CHECK(count(lines, "kind=rule rule=\"guard\" action=suppressed records=99\n") == 1);
  CHECK(bed.warnings.empty());
}

TEST_CASE("control/log: a command that others could replace is not run", "[F28]") {
  Bed bed;
  bed.settings.command = {bed.script("echo > " + bed.directory.path() + "/told\n")};
  REQUIRE(chmod(bed.settings.command[0].c_str(), 0777) == 0);
  bed.configure();
  bed.alerts->raise("login", "x");
  CHECK(bed.comes_true([&] {
    std::lock_guard lock(bed.mutex);
    return bed.warnings.size() == 1;
  }));
  CHECK(bed.warnings[0] == "alert command not run: " + bed.settings.command[0] +
                               " can be written by others than root");
  CHECK(bed.text("told").empty());
}

TEST_CASE("control/log: a command that fails or takes too long is told of", "[F28]") {
  Bed bed;
  const auto [body, fault] = GENERATE(table<std::string, std::string>(
      {{"sleep 20\n", "took too long and was ended"}, {"exit 3\n", "exit code 3"}}));
  bed.settings.command = {bed.script(body)};
  bed.settings.timeout = milliseconds(200);
  bed.configure();
  bed.alerts->raise("login", "x");
  CHECK(bed.comes_true([&] {
    std::lock_guard lock(bed.mutex);
    return bed.warnings.size() == 1;
  }));
  CHECK(bed.warnings[0].find(fault) != std::string::npos);
}

TEST_CASE("control/log: many alerts of one kind hide none of another", "[F28]") {
  Bed bed;
  bed.configure();
  for (int i = 0; i < 1000; ++i)
    bed.alerts->raise("login", "blocked", "192.0.2." + std::to_string(i));
  bed.alerts->raise("rule", "action=drop", "guard");
  REQUIRE(bed.comes_true([&] { return count(bed.text("log/alert.log"), "kind=rule") == 1; }));
  const std::string lines = bed.text("log/alert.log");
  CHECK(count(lines, "kind=login") == Alerts::kBurstsMax + 1);
  CHECK(count(lines, "kind=login subject=\"others\" text=\"blocked\"\n") == 1);
  CHECK(count(lines, "kind=rule rule=\"guard\" text=\"action=drop\"\n") == 1);
}
