// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/command_scan.h"

#include <catch2/catch.hpp>

#include "unit/mail/scan/milter_bed.h"

using namespace postern;
using namespace postern::mail;
using namespace postern::mail::test;
using namespace std::literals;
using Kind = CommandResult::Kind;

namespace {

CommandResult ask(const std::string& script, std::string_view text = "A: b\r\n\r\nbody\r\n",
                  std::chrono::milliseconds time = 10s) {
  return ask_command({"/bin/sh", "-c", script}, "abc", *body_of(text),
                     {ScanLimits::Clock::now() + time, -1});
}

}  // namespace

TEST_CASE("mail/command_scan: the exit code says whether a message is clean", "[F54]") {
  const std::string search = "if grep -q EICAR-STANDARD; then echo Eicar-Test; exit 1; fi";
  CHECK(ask(search).kind == Kind::clean);
  const CommandResult bad = ask(search, "A: b\r\n\r\n" + eicar() + "\r\n");
  CHECK(bad.kind == Kind::infected);
  CHECK(bad.what == "Eicar-Test");
  CHECK(ask("exit 1").what == "no name was given");
  CHECK(ask("true", std::string(1'000'000, 'x')).kind == Kind::clean);
}

TEST_CASE("mail/command_scan: whatever else becomes of it, the message was not scanned", "[F54]") {
  struct Row {
    std::string script, what;
  };
  const Row row = GENERATE(values<Row>({
      {"exit 75", "exit code 75"},
      {"echo no database; exit 2", "exit code 2: no database"},
      {"kill -SEGV $$", "signal 11"},
      {"kill -9 $$", "signal 9"},
      {"exit 255", "exit code 255"},
  }));
  const CommandResult result = ask(row.script);
  CHECK(result.kind == Kind::fault);
  CHECK(result.what == row.what);
  const CommandResult none = ask_command({"/usr/bin/no-such-scanner"}, "abc", *body_of("A: b\r\n"),
                                         {ScanLimits::Clock::now() + 1s, -1});
  CHECK(none.kind == Kind::fault);
  CHECK(none.what == "not run: /usr/bin/no-such-scanner: No such file or directory");
}

TEST_CASE("mail/command_scan: one that hangs has its time", "[F54]") {
  const CommandResult result = ask("echo busy; sleep 60", "A: b\r\n", 200ms);
  CHECK(result.kind == Kind::fault);
  CHECK(result.what == "took too long and was ended: busy");
}

TEST_CASE("mail/command_scan: of what it prints, the first line counts, in print", "[F54]") {
  CHECK(ask("printf '\\n  \\nEicar\\t\\001\\033[2J \\r\\nmore\\n'; exit 1").what == "Eicar???[2J");
  const CommandResult much = ask("head -c 3000000 /dev/zero | tr '\\0' y; exit 1");
  CHECK(much.what == std::string(kFindingMax, 'y'));
}

TEST_CASE("mail/command_scan: it gets the whole message, its id, and nothing else of ours",
          "[F54]") {
  std::string text;
  for (int i = 0; text.size() < 2'000'000; ++i)
    text += std::to_string(i) + "\r\n";
  CHECK(ask("wc -c; exit 1", text).what == std::to_string(text.size()));
  CHECK(ask("echo $POSTERN_MAIL_ID $POSTERN_MAIL_OCTETS $HOME; exit 1", "1234").what == "abc 4");
}

TEST_CASE("mail/command_scan: a message that cannot be read is not half scanned", "[F54]") {
  char path[] = "/tmp/body.XXXXXX";
  const int fd = mkstemp(path);
  const std::string text(200'000, 'x');
  REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  auto body = Body::open(path);
  REQUIRE(body);
  REQUIRE(ftruncate(fd, 100'000) == 0);
  const CommandResult result = ask_command({"/bin/sh", "-c", "cat > /dev/null"}, "abc", **body,
                                           {ScanLimits::Clock::now() + 10s, -1});
  CHECK(result.kind == Kind::fault);
  CHECK(result.what == "the message cannot be read");
  close(fd);
  unlink(path);
}
