// SPDX-License-Identifier: BSD-3-Clause
// What the dialogues of tests/chat/smtp cannot say.
#include "services/mail/smtp/server_session.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::mail {
namespace {

constexpr Instant kStart = {1'000'000'000};

SmtpSettings settings() {
  SmtpSettings out;
  out.host = "mx.a.example";
  return out;
}

std::string sent(const SmtpActions& actions) {
  std::string out;
  for (const SmtpAction& action : actions) {
    if (const auto* send = std::get_if<SendOctets>(&action)) out += send->octets;
  }
  return out;
}

template <typename Action>
size_t count(const SmtpActions& actions) {
  size_t found = 0;
  for (const SmtpAction& action : actions)
    found += std::holds_alternative<Action>(action) ? 1 : 0;
  return found;
}

void begin_message(ServerSession& session) {
  session.start(kStart);
  session.answer({}, kStart);
  session.take("HELO pc\r\nMAIL FROM:<joe@a.x>\r\nRCPT TO:<ann@a.x>\r\nDATA\r\n", kStart);
  for (int i = 0; i < 3; ++i)
    session.answer({}, kStart);
}

TEST_CASE("mail/smtp/server_session: a question stops the reading, its answer goes on") {
  const SmtpSettings standard = settings();
  ServerSession session(standard, Ipv4Address(192, 0, 2, 7));
  CHECK(count<AskClient>(session.start(kStart)) == 1);
  CHECK(!session.wants_octets());
  CHECK(!session.deadline());
  CHECK(sent(session.answer({}, kStart)) == "220 mx.a.example ESMTP\r\n");
  CHECK(session.wants_octets());
  CHECK(session.deadline() == kStart + seconds(300));
  const SmtpActions actions = session.take("HELO pc\r\nMAIL FROM:<joe@a.x>\r\nNOOP\r\n", kStart);
  CHECK(sent(actions) == "250 mx.a.example\r\n");
  CHECK(count<AskSender>(actions) == 1);
  CHECK(!session.wants_octets());
  CHECK(sent(session.answer({}, kStart)) == "250 2.1.0 Sender ok\r\n250 2.0.0 Ok\r\n");
  CHECK(session.envelope().client == Ipv4Address(192, 0, 2, 7));
  CHECK(session.envelope().helo == "pc");
}

TEST_CASE("mail/smtp/server_session: what comes while a question is open is bounded") {
  const SmtpSettings standard = settings();
  ServerSession session(standard, Ipv4Address(192, 0, 2, 7));
  session.start(kStart);
  session.answer({}, kStart);
  session.take("HELO pc\r\nMAIL FROM:<joe@a.x>\r\n", kStart);
  const std::string part(10000, 'x');
  size_t taken = 0;
  while (!session.is_closed() && taken < 1000000) {
    session.take(part, kStart);
    taken += part.size();
  }
  CHECK(session.is_closed());
  CHECK(taken <= kHeldMax + 2 * part.size());
}

TEST_CASE("mail/smtp/server_session: text is passed on as views into what came") {
  const SmtpSettings standard = settings();
  ServerSession session(standard, Ipv4Address(192, 0, 2, 7));
  begin_message(session);
  const std::string octets = "Subject: a\r\n\r\nb\r\n";
  const SmtpActions actions = session.take(octets, kStart);
  REQUIRE(actions.size() == 1);
  CHECK(std::get<MessageText>(actions[0]).octets.data() == octets.data());
  CHECK(std::get<MessageText>(actions[0]).octets == octets);
  CHECK(count<FinishMessage>(session.take(".\r\n", kStart)) == 1);
  CHECK(session.header().fields().find("subject") == "a");
  CHECK(session.size() == octets.size());
}

TEST_CASE("mail/smtp/server_session: a message that drips does not hold a session for ever",
          "[RFC5321-4.5.3.2]") {
  const SmtpSettings standard = settings();
  ServerSession session(standard, Ipv4Address(192, 0, 2, 7));
  begin_message(session);
  Instant now = kStart;
  SmtpActions actions;
  while (!session.is_closed() && now < kStart + seconds(10000)) {
    session.take("x", now);
    now = now + seconds(60);
    actions = session.on_time(now);
  }
  CHECK(now == kStart + standard.message_timeout);
  CHECK(count<DropMessage>(actions) == 1);
  CHECK(sent(actions) == "421 4.4.2 mx.a.example Timeout\r\n");
}

TEST_CASE("mail/smtp/server_session: a session that brings nothing ends") {
  SmtpSettings of_stranger = settings();
  of_stranger.fruitless_max = seconds(600);
  ServerSession session(of_stranger, Ipv4Address(192, 0, 2, 7));
  begin_message(session);
  Instant now = kStart + seconds(500);
  session.take("a\r\n", kStart + seconds(250));
  session.take(".\r\n", now);
  session.answer({}, now);
  // A message counts, commands do not.
  SmtpActions actions;
  while (!session.is_closed() && now < kStart + seconds(10000)) {
    session.take("NOOP\r\n", now);
    now = now + seconds(100);
    actions = session.on_time(now);
  }
  CHECK(now == kStart + seconds(1100));
  CHECK(sent(actions) == "421 4.4.2 mx.a.example Timeout\r\n");
}

TEST_CASE("mail/smtp/server_session: a message that is refused is not read for ever") {
  SmtpSettings small = settings();
  small.size_max = 1000;
  ServerSession session(small, Ipv4Address(192, 0, 2, 7));
  begin_message(session);
  std::string part;
  while (part.size() < 1000000)
    part += "0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
  size_t taken = 0;
  size_t passed = 0;
  while (!session.is_closed() && taken < 200'000'000) {
    for (const SmtpAction& action : session.take(part, kStart)) {
      if (const auto* text = std::get_if<MessageText>(&action)) passed += text->octets.size();
    }
    taken += part.size();
  }
  CHECK(session.is_closed());
  CHECK(taken < 70'000'000);
  CHECK(passed <= 1000);
}

TEST_CASE("mail/smtp/server_session: what the parameters say is in the envelope",
          "[RFC3461-4.1][RFC5321-4.1.1.2]") {
  const SmtpSettings standard = settings();
  ServerSession session(standard, Ipv4Address(192, 0, 2, 7));
  session.start(kStart);
  session.answer({}, kStart);
  const SmtpActions asked = session.take(
      "EHLO pc\r\nMAIL FROM:<j@a.x> BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x+2B SIZE=7\r\n", kStart);
  CHECK(std::get<AskSender>(asked.back()).size == 7);
  session.answer({}, kStart);
  const SmtpActions actions =
      session.take("RCPT TO:<ann@a.x> NOTIFY=FAILURE ORCPT=rfc822;b@c.x\r\n", kStart);
  const Recipient expected{{"ann", "a.x"}, kNotifyFailure, "rfc822;b@c.x"};
  CHECK(std::get<AskRecipient>(actions.back()).recipient == expected);
  session.answer({}, kStart);
  const Envelope& envelope = session.envelope();
  CHECK(envelope.sender == Address{"j", "a.x"});
  CHECK(envelope.is_8bit);
  CHECK(envelope.is_utf8);
  CHECK(envelope.returns == kReturnsFull);
  CHECK(envelope.id == "x+2B");
  CHECK(envelope.recipients == std::vector<Recipient>{expected});
  session.take("RSET\r\n", kStart);
  CHECK(envelope.recipients.empty());
  CHECK(envelope.id.empty());
  CHECK(!envelope.is_utf8);
  CHECK(envelope.helo == "pc");
}

TEST_CASE("mail/smtp/server_session: TLS from the start is known") {
  SmtpSettings tls = settings();
  tls.offers_tls = true;
  tls.requires_tls = true;
  ServerSession session(tls, Ipv4Address(192, 0, 2, 7), "TLSv1.3");
  session.start(kStart);
  session.answer({}, kStart);
  CHECK(sent(session.take("EHLO pc\r\n", kStart)).find("STARTTLS") == std::string::npos);
  CHECK(count<AskSender>(session.take("MAIL FROM:<joe@a.x>\r\n", kStart)) == 1);
  CHECK(session.tls() == "TLSv1.3");
}

TEST_CASE("mail/smtp/server_session: plain octets in place of a handshake end the session",
          "[RFC3207-6]") {
  SmtpSettings tls = settings();
  tls.offers_tls = true;
  ServerSession session(tls, Ipv4Address(192, 0, 2, 7));
  session.start(kStart);
  session.answer({}, kStart);
  CHECK(count<StartTls>(session.take("STARTTLS\r\n", kStart)) == 1);
  CHECK(!session.wants_octets());
  const SmtpActions actions = session.take("NOOP\r\n", kStart);
  CHECK(sent(actions).empty());
  CHECK(count<CloseConnection>(actions) == 1);
}

}  // namespace
}  // namespace postern::mail
