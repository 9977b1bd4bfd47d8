// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/scanner.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <vector>

#include "unit/mail/scan/milter_bed.h"

using namespace postern;
using namespace postern::mail;
using namespace postern::mail::test;
using namespace std::literals;
using Kind = ScanVerdict::Kind;
using Clock = std::chrono::steady_clock;

namespace {

struct Bed {
  boost::asio::io_context context;
  std::vector<std::string> warnings;
  std::unique_ptr<Scanner> scanner;
  std::vector<ScanVerdict> verdicts;

  Bed() {
    Seams seams;
    seams.warn = [this](const std::string& line) { warnings.push_back(line); };
    scanner = std::make_unique<Scanner>(context, seams);
  }
  void follow(std::vector<std::string> milters, const std::string& script = {},
              Duration timeout = seconds(10)) {
    ScanSettings settings;
    settings.milters = std::move(milters);
    if (!script.empty()) settings.command = {"/bin/sh", "-c", script};
    settings.timeout = timeout;
    REQUIRE(scanner->follow(settings, "gw.example"));
  }
  void begin(std::string_view text = "A: b\r\n\r\nbody\r\n") {
    scanner->scan({"abc", envelope(), body_of(text)},
                  [this](const ScanVerdict& verdict) { verdicts.push_back(verdict); });
  }
  ScanVerdict wait_for(size_t count) {
    const auto until = Clock::now() + 20s;
    while (verdicts.size() < count && Clock::now() < until) {
      context.restart();
      context.run_for(10ms);
    }
    REQUIRE(verdicts.size() >= count);
    return verdicts.back();
  }
  ScanVerdict scan(std::string_view text = "A: b\r\n\r\nbody\r\n") {
    verdicts.clear();
    begin(text);
    CHECK(verdicts.empty());  // never from within scan()
    return wait_for(1);
  }
};

}  // namespace

TEST_CASE("mail/scanner: nobody configured, nobody asked", "[F54]") {
  Bed bed;
  CHECK_FALSE(bed.scanner->is_wanted());
  CHECK(bed.scan().kind == Kind::clean);
  bed.follow({}, "exit 1");
  CHECK(bed.scanner->is_wanted());
  bed.follow({});
  CHECK_FALSE(bed.scanner->is_wanted());
  ScanSettings settings;
  settings.milters = {"inet:nowhere"};
  CHECK_FALSE(bed.scanner->follow(settings, "gw.example"));
}

TEST_CASE("mail/scanner: with an address that is none, nothing passes as clean", "[F54]") {
  Bed bed;
  ScanSettings settings;
  settings.milters = {"unix:/" + std::string(200, 'm')};
  CHECK_FALSE(bed.scanner->follow(settings, "gw.example"));
  CHECK(bed.scanner->is_wanted());
  ScanVerdict verdict = bed.scan();
  CHECK(verdict.kind == Kind::unavailable);
  CHECK(verdict.what.find("is no address of a milter") != std::string::npos);
  // Nor by the list before.
  bed.follow({}, "exit 0");
  CHECK(bed.scan().kind == Kind::clean);
  CHECK_FALSE(bed.scanner->follow(settings, "gw.example"));
  CHECK(bed.scan().kind == Kind::unavailable);
  bed.follow({});
  CHECK_FALSE(bed.scanner->is_wanted());
  CHECK(bed.scan().kind == Kind::clean);
}

TEST_CASE("mail/scanner: nobody waits for ever, wherever a message is on its way", "[F54]") {
  Bed bed;
  Seams seams;
  seams.warn = [](const std::string&) {};
  bed.scanner = std::make_unique<Scanner>(bed.context, seams, milliseconds(300));
  const std::filesystem::path begun =
      std::filesystem::temp_directory_path() / ("postern-scans-" + std::to_string(getpid()));
  bed.follow({}, "echo >> " + begun.string() + "; while ! test -e " + begun.string() +
                     "-on; do sleep 0.1; done");
  constexpr size_t kAll = Scanner::kThreads + Scanner::kWaitingMax + 20;
  for (size_t i = 0; i < kAll; ++i)
    bed.begin();
  bed.wait_for(kAll);  // before any command ends
  size_t late = 0;
  size_t turned_away = 0;
  for (const ScanVerdict& verdict : bed.verdicts) {
    CHECK(verdict.kind == Kind::unavailable);
    late += verdict.what == "the scanners took too long" ? 1 : 0;
    turned_away += verdict.what == "too many messages wait for the scanners" ? 1 : 0;
  }
  CHECK(late + turned_away == kAll);
  CHECK(turned_away >= 20);
  // Nobody is answered twice, and those that waited for a thread are not scanned any more.
  std::ofstream(begun.string() + "-on").put('!');
  bed.context.restart();
  bed.context.run_for(1500ms);
  CHECK(bed.verdicts.size() == kAll);
  std::error_code none;
  CHECK(std::filesystem::file_size(begun, none) <= Scanner::kThreads);  // an octet each
  std::filesystem::remove(begun);
  std::filesystem::remove(begun.string() + "-on");
}

TEST_CASE("mail/scanner: all are asked in order, and what they add is kept", "[F54]") {
  ScriptedMilter first(agreeable(packet('h', "X-First\0one\0"s) + packet('c')));
  ScriptedMilter second(agreeable(packet('h', "X-Second\0two\0"s) + packet('a')));
  Bed bed;
  bed.follow({first.name(), second.name()}, "cat > /dev/null");
  const ScanVerdict verdict = bed.scan();
  CHECK(verdict.kind == Kind::clean);
  CHECK(verdict.added == "X-First: one\r\nX-Second: two\r\n");
  CHECK(verdict.what.empty());
  CHECK(bed.warnings.empty());
}

TEST_CASE("mail/scanner: the first that does not let a message pass decides", "[F54]") {
  struct Row {
    std::string answer;
    Kind kind;
    std::string reply;
    bool is_discard, is_hold;
  };
  const Row row = GENERATE(values<Row>({
      {packet('r'), Kind::infected, "550 5.7.1 the message was refused by a scanner", false, false},
      {packet('y', "554 5.7.1 sch\xc3\xb6n\0"s), Kind::infected, "554 5.7.1 sch??n", false, false},
      {packet('t'), Kind::defer, "451 4.7.1 the scanner asks to try again later", false, false},
      {packet('y', "452 4.2.0 full\0"s), Kind::defer, "452 4.2.0 full", false, false},
      {packet('d'), Kind::infected, "550 5.7.1 to be discarded", true, false},
      {packet('q', "odd\0"s) + packet('c'), Kind::infected, "550 5.7.1 odd", false, true},
  }));
  ScriptedMilter first(agreeable(row.answer));
  ScriptedMilter second(agreeable(packet('c')));
  Bed bed;
  bed.follow({first.name(), second.name()}, "exit 1");
  const ScanVerdict verdict = bed.scan();
  CHECK(verdict.kind == row.kind);
  CHECK(to_text(verdict.reply) == row.reply);
  CHECK(verdict.what == first.name() + ": " + row.reply);
  CHECK(verdict.is_discard == row.is_discard);
  CHECK(verdict.is_hold == row.is_hold);
  CHECK(second.commands().empty());
}

TEST_CASE("mail/scanner: the EICAR test string is stopped by the command", "[F54]") {
  Bed bed;
  bed.follow({}, "if grep -q EICAR-STANDARD; then echo Eicar-Test; exit 1; fi");
  CHECK(bed.scan().kind == Kind::clean);
  const ScanVerdict verdict = bed.scan("A: b\r\n\r\n" + eicar() + "\r\n");
  CHECK(verdict.kind == Kind::infected);
  CHECK(verdict.reply.code == 550);
  CHECK(verdict.what == "command: 550 5.7.1 the message was refused: Eicar-Test");
}

TEST_CASE("mail/scanner: one that cannot be asked does not spare the message the others", "[F54]") {
  Bed bed;
  bed.follow({"unix:/tmp/no-such-milter.sock"}, "exit 1");
  CHECK(bed.scan().kind == Kind::infected);
  bed.follow({"unix:/tmp/no-such-milter.sock"}, "exit 75");
  const ScanVerdict verdict = bed.scan();
  CHECK(verdict.kind == Kind::unavailable);
  CHECK(verdict.what ==
        "unix:/tmp/no-such-milter.sock: No such file or directory; command: exit code 75");
  bed.follow({"unix:/tmp/no-such-milter.sock"}, "exit 0");
  CHECK(bed.scan().kind == Kind::unavailable);
}

TEST_CASE("mail/scanner: that one cannot be asked, and can again, is told once each", "[F54]") {
  Bed bed;
  bed.follow({}, "exit 75");
  bed.scan();
  bed.scan();
  bed.follow({}, "exit 0");
  bed.scan();
  bed.scan();
  CHECK(bed.warnings ==
        std::vector<std::string>{"the scanner command cannot be asked: exit code 75",
                                 "the scanner command answers again"});
  bed.warnings.clear();
  ScriptedMilter milter(agreeable(packet('m', "\0\0\0\x01Subject\0x\0"s) + packet('c')));
  bed.follow({milter.name()});
  CHECK(bed.scan().kind == Kind::clean);
  bed.scan();
  CHECK(bed.warnings == std::vector<std::string>{"the scanner " + milter.name() +
                                                 ": it wants to change fields, which is not done"});
}

TEST_CASE("mail/scanner: so many at once, the others wait, too many are told so", "[F54]") {
  Bed bed;
  bed.follow({}, "sleep 0.3; cat > /dev/null");
  const auto begun = Clock::now();
  for (unsigned i = 0; i < 2 * Scanner::kThreads; ++i)
    bed.begin();
  bed.wait_for(size_t{2} * Scanner::kThreads);
  CHECK(Clock::now() - begun > 600ms);
  for (const ScanVerdict& verdict : bed.verdicts)
    CHECK(verdict.kind == Kind::clean);
  bed.verdicts.clear();
  bed.follow({}, "sleep 5");
  for (size_t i = 0; i < Scanner::kWaitingMax + 2 * Scanner::kThreads; ++i)
    bed.begin();
  const ScanVerdict verdict = bed.wait_for(Scanner::kThreads);
  CHECK(verdict.kind == Kind::unavailable);
  CHECK(verdict.what == "too many messages wait for the scanners");
}

TEST_CASE("mail/scanner: what is under way ends with it, at once and without a word", "[F54]") {
  ScriptedMilter milter([](const MilterPacket&) { return ""; });
  Bed bed;
  bed.follow({milter.name()});
  bed.begin();
  bed.follow({}, "sleep 60");
  bed.begin();
  bed.context.run_for(100ms);
  const auto begun = Clock::now();
  bed.scanner.reset();
  CHECK(Clock::now() - begun < 5s);
  bed.context.restart();
  bed.context.run_for(50ms);
  CHECK(bed.verdicts.empty());
}
