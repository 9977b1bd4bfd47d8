// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_client.h"

#include <sys/eventfd.h>

#include <catch2/catch.hpp>

#include "unit/mail/scan/milter_bed.h"

using namespace postern;
using namespace postern::mail;
using namespace postern::mail::test;
using namespace std::literals;
using Kind = MilterResult::Kind;

namespace {

ScanLimits within(std::chrono::milliseconds time, int stop = -1) {
  return {ScanLimits::Clock::now() + time, stop};
}

MilterResult ask(const std::string& name, std::string_view text,
                 std::chrono::milliseconds time = 10s) {
  const std::string host = "gw.example", id = "abc";
  const Envelope mail = envelope();
  auto at = parse_milter_address(name);
  REQUIRE(at);
  return ask_milter(*at, {host, id, mail}, *body_of(text), within(time));
}

}  // namespace

TEST_CASE("mail/milter_client: a milter on a socket gets the message and decides", "[F54]") {
  ScriptedMilter milter([&](const MilterPacket& packet) -> std::optional<std::string> {
    if (packet.command == 'B' && packet.data.find(eicar()) != std::string_view::npos)
      return test::packet('y', "550 5.7.1 Eicar-Test-Signature\0"s);
    return agreeable(test::packet('h', "X-Scan\0clean\0"s) + test::packet('c'))(packet);
  });
  REQUIRE(milter.is_sound());
  const MilterResult clean = ask(milter.name(), "Subject: a\r\n\r\nbody\r\n");
  CHECK(clean.kind == Kind::pass);
  CHECK(clean.added == "X-Scan: clean\r\n");
  const MilterResult bad = ask(milter.name(), "Subject: a\r\n\r\n" + eicar() + "\r\n");
  CHECK(bad.kind == Kind::refuse);
  CHECK(bad.reply.text == "Eicar-Test-Signature");
}

TEST_CASE("mail/milter_client: a long message passes whole, whether or not pieces are answered",
          "[F54]") {
  const uint32_t steps = GENERATE(0u, uint32_t{kMilterMuteBody});
  ScriptedMilter milter([&](const MilterPacket& packet) -> std::optional<std::string> {
    if (packet.command == 'O') return options(steps);
    if (packet.command == 'B' && steps != 0) return "";
    return agreeable(test::packet('c'))(packet);
  });
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i)
    text += std::to_string(i) + "\r\n";
  CHECK(ask(milter.name(), "A: b\r\n\r\n" + text).kind == Kind::pass);
  CHECK(milter.body() == text);
}

TEST_CASE("mail/milter_client: one that talks while it does not listen is listened to", "[F54]") {
  // More progress than sockets hold, before it reads on.
  std::string progress;
  while (progress.size() < 2'000'000)
    progress += packet('p');
  ScriptedMilter milter([&](const MilterPacket& packet) -> std::optional<std::string> {
    if (packet.command == 'O') return options(kMilterMuteBody);
    if (packet.command == 'B') return progress;
    return agreeable(test::packet('c'))(packet);
  });
  CHECK(ask(milter.name(), "A: b\r\n\r\n" + std::string(3'000'000, 'x')).kind == Kind::pass);
}

TEST_CASE("mail/milter_client: one that is not there, or goes, is told of", "[F54]") {
  const MilterResult none = ask("unix:/tmp/no-such-milter.sock", "A: b\r\n");
  CHECK(none.kind == Kind::fault);
  CHECK(none.why == "No such file or directory");
  CHECK(ask("inet:127.0.0.1:1", "A: b\r\n").why == "Connection refused");
  const char command = GENERATE('O', 'C', 'H', 'M', 'R', 'L', 'N', 'B', 'E');
  ScriptedMilter milter([&](const MilterPacket& packet) -> std::optional<std::string> {
    if (packet.command == command) return {};
    return agreeable(test::packet('c'))(packet);
  });
  const MilterResult gone = ask(milter.name(), "A: b\r\n\r\n" + std::string(1'000'000, 'x'));
  CHECK(gone.kind == Kind::fault);
  CHECK(gone.why == "it has closed the connection");
}

TEST_CASE("mail/milter_client: a verdict that comes before it goes counts", "[F54]") {
  ScriptedMilter milter([&](const MilterPacket& packet) -> std::optional<std::string> {
    static bool has_refused = false;
    if (packet.command == 'O') {
      has_refused = false;
      return options(kMilterMuteBody);
    }
    if (packet.command == 'N') return test::packet('c');
    if (packet.command == 'B' && !has_refused) {
      has_refused = true;
      return test::packet('p');
    }
    if (packet.command == 'E') return test::packet('r');
    return packet.command == 'B' ? "" : agreeable("")(packet);
  });
  CHECK(ask(milter.name(), "A: b\r\n\r\n" + std::string(500'000, 'x')).kind == Kind::refuse);
}

TEST_CASE("mail/milter_client: one that does not answer has its time, and no more by progress",
          "[F54]") {
  const bool says_something = GENERATE(false, true);
  const char command = GENERATE('O', 'C', 'E');
  ScriptedMilter milter([&](const MilterPacket& packet) -> std::optional<std::string> {
    if (packet.command == command) return says_something && command != 'O' ? test::packet('p') : "";
    return agreeable(test::packet('c'))(packet);
  });
  const auto begun = ScanLimits::Clock::now();
  const MilterResult result = ask(milter.name(), "A: b\r\n", 200ms);
  CHECK(result.kind == Kind::fault);
  CHECK(result.why == "it took too long");
  CHECK(ScanLimits::Clock::now() - begun < 3s);
}

TEST_CASE("mail/milter_client: one whose queue of connections is full has its time, too", "[F54]") {
  char directory[] = "/tmp/milter.XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  const std::string path = directory + "/m.sock"s;
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un at = {};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  REQUIRE(bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(listen(listener, 0) == 0);
  std::vector<std::thread> askers;
  std::atomic<int> late = 0;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&] {
      const std::string host = "gw.example", id = "abc";
      const Envelope mail = envelope();
      late +=
          ask_milter({path, {}, 0}, {host, id, mail}, *body_of("A: b\r\n"), within(300ms)).why ==
          "it took too long";
    });
  }
  for (std::thread& asker : askers)
    asker.join();
  CHECK(late == 3);
  close(listener);
  unlink(path.c_str());
  rmdir(directory);
}

TEST_CASE("mail/milter_client: nobody waits for it once its owner goes", "[F54]") {
  ScriptedMilter milter([&](const MilterPacket&) { return ""; });
  const int stop = eventfd(1, EFD_CLOEXEC);
  const std::string host = "gw.example", id = "abc";
  const Envelope mail = envelope();
  const MilterResult result =
      ask_milter({milter.path(), {}, 0}, {host, id, mail}, *body_of("A: b\r\n"), within(60s, stop));
  CHECK(result.why == "nobody waits for the answer");
  close(stop);
}

TEST_CASE("mail/milter_client: a message that cannot be read is not half scanned", "[F54]") {
  char path[] = "/tmp/body.XXXXXX";
  const int fd = mkstemp(path);
  const std::string text = "A: b\r\n\r\n" + std::string(200'000, 'x');
  REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  auto body = Body::open(path);
  REQUIRE(body);
  REQUIRE(ftruncate(fd, 100'000) == 0);
  ScriptedMilter milter(agreeable(packet('c')));
  const std::string host = "gw.example", id = "abc";
  const Envelope mail = envelope();
  const MilterResult result =
      ask_milter({milter.path(), {}, 0}, {host, id, mail}, **body, within(10s));
  CHECK(result.kind == Kind::fault);
  CHECK(result.why == "the message cannot be read");
  close(fd);
  unlink(path);
}
