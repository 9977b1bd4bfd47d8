// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/security_log.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "control/text_file.h"
#include "dataplane/runtime/doorbell.h"
#include "unit/control/configuration.h"

using namespace postern;

namespace {

struct Bed {
  test::TemporaryDirectory directory;
  SpscRing<LogRecord> ring{64};
  WorkerCounters counters;
  Doorbell bell;
  GenerationNames names;
  std::unique_ptr<SecurityLog> log;

  Bed() {
    SecurityLog::Settings settings;
    settings.sources = {{&ring, &counters}};
    settings.bell = &bell;
    settings.names = &names;
    settings.now = [] { return Instant{seconds(10).ns}; };
    settings.state_dir = directory.path();
    log = std::make_unique<SecurityLog>(std::move(settings));
    REQUIRE(log->configure({}, "gw1"));
  }
  static LogRecord record(uint16_t port) {
    LogRecord record;
    record.at = Instant{seconds(10).ns};
    record.protocol = protocol::udp;
    record.source_port = port;
    return record;
  }
  // Like a worker: a full ring is counted, an armed bell is rung.
  void write(uint16_t port) {
    if (!ring.push(record(port))) counters.log_records_lost.add(1);
    if (bell.is_armed()) bell.ring();
  }
  std::vector<std::string> lines() {
    std::istringstream text(*read_text_file(directory.path() + "/log/security.log"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
      lines.push_back(line);
    return lines;
  }
};

}  // namespace

TEST_CASE("control/log: lines and lost records add up to what was logged", "[F67]") {
  Bed bed;
  for (uint16_t port = 1; port <= 100; ++port)
    bed.write(port);  // nobody drains yet: 64 fit
  bed.log->start();
  bed.log->stop();
  auto lines = bed.lines();
  REQUIRE(lines.size() == 65);
  CHECK(lines[0].find("source=0.0.0.0:1 ") != std::string::npos);
  CHECK(lines[64].find("module=log action=lost records=36 ") != std::string::npos);
}

TEST_CASE("control/log: refusals that were left out are told by reason", "[F67]") {
  Bed bed;
  bed.counters.suppressed[static_cast<size_t>(DropReason::spoofed_source)].add(1000);
  bed.counters.suppressed[static_cast<size_t>(DropReason::tcp_flags_bad)].add(7);
  bed.log->start();
  bed.log->stop();
  auto lines = bed.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("module=log action=suppressed reason=tcp_flags_bad records=7 worker=0 ") !=
        std::string::npos);
  CHECK(lines[1].find("action=suppressed reason=spoofed_source records=1000 ") !=
        std::string::npos);
}

TEST_CASE("control/log: a sleeping log hears the bell") {
  Bed bed;
  bed.log->start();
  for (uint16_t port = 1; port <= 20; ++port) {
    bed.write(port);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (bed.log->lines() < 20 && std::chrono::steady_clock::now() < deadline) {
    if (bed.bell.is_armed()) bed.bell.ring();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(bed.log->lines() == 20);
}

TEST_CASE("control/log: the security log follows the name of the gateway", "[F66]") {
  Bed bed;
  bed.log->start();
  bed.write(1);
  for (int i = 0; i < 300 && bed.log->lines() < 1; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(bed.log->configure({}, "gw2"));
  bed.write(2);
  bed.log->stop();
  auto lines = bed.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find(" host=gw1 ") != std::string::npos);
  CHECK(lines[1].find(" host=gw2 ") != std::string::npos);
}

TEST_CASE("control/log: the file rotates and is not everybody's to read", "[F66]") {
  Bed bed;
  config::LogFile small;
  small.max_mib = 1;
  small.keep = 2;
  REQUIRE(bed.log->configure(small, "gw1"));
  bed.log->start();
  for (int i = 0; i < 20'000; ++i) {
    while (!bed.ring.push(Bed::record(7)))
      std::this_thread::yield();
    if (bed.bell.is_armed()) bed.bell.ring();
  }
  bed.log->stop();
  for (const char* name : {"security.log", "security.1.log"}) {
    struct stat facts = {};
    REQUIRE(stat((bed.directory.path() + "/log/" + name).c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0640);
    CHECK(facts.st_size <= 1 << 20);
  }
}
