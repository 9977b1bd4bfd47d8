// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/smtp/client_session.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace postern::mail {
namespace {

std::string over_of(const ClientActions& actions) {
  for (const ClientAction& action : actions) {
    if (const auto* over = std::get_if<SessionOver>(&action)) return to_text(over->reply);
  }
  return "";
}

ClientSettings settings() {
  ClientSettings made;
  made.helo = "a.example";
  made.starts_tls = false;
  return made;
}

}  // namespace

TEST_CASE("mail/client_session: a server that takes the text too slowly is left", "[F49]") {
  constexpr uint64_t kOctets = uint64_t{1} << 20;
  Instant now{};
  ClientSession session(settings());
  session.start(now);
  session.take("220 b.example\r\n", now);
  session.take("250 b.example\r\n", now);
  REQUIRE(session.is_ready());
  auto envelope = std::make_shared<Envelope>();
  envelope->recipients.push_back({{"ann", "b.example"}, 0, ""});
  session.send({envelope, {0}, kOctets}, now);
  session.take("250 Ok\r\n", now);
  session.take("250 Ok\r\n", now);
  session.take("354 Go on\r\n", now);
  REQUIRE(session.is_sending_text());
  // A piece is taken every 299 s: no command's time is over, but the message's is at some time.
  std::string over;
  int pieces = 0;
  for (; pieces < 100 && over.empty(); ++pieces) {
    now = now + seconds(299);
    over = over_of(session.on_time(now));
    if (over.empty()) session.text("a\r\n", now);
  }
  CHECK(over == "451 4.4.2 The server was too slow in the middle of the text");
  CHECK(pieces == 7);  // 300 + 600 + 1024 s
}

TEST_CASE("mail/client_session: an opening has an end, whatever is said in it", "[F49]") {
  Instant now{};
  ClientSettings slow = settings();
  slow.credentials.user = "joe";
  slow.allows_clear_auth = true;
  slow.command_timeout = seconds(3000);
  ClientSession session(slow);
  session.start(now);
  now = now + seconds(2999);
  CHECK(over_of(session.on_time(now)).empty());
  session.take("220 b.example\r\n", now);
  now = now + seconds(601);
  CHECK(over_of(session.on_time(now)) ==
        "451 4.4.2 The server was too slow while waiting for the answer to EHLO");
}

TEST_CASE("mail/client_session: a token that was not asked for changes nothing", "[F49]") {
  ClientSession session(settings());
  session.start({});
  CHECK(session.answer_token("abc", "", {}).empty());
  session.take("220 b.example\r\n", {});
  session.take("250 b.example\r\n", {});
  CHECK(session.is_ready());
}

}  // namespace postern::mail
