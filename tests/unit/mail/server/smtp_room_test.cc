// SPDX-License-Identifier: BSD-3-Clause
// The SMTP server where room ends: that of the queue, and that for clients; and what it does for
// clients of ours.
#include <catch2/catch.hpp>

#include "services/mail/server/smtp_server.h"
#include "unit/mail/server/server_bed.h"

namespace postern::mail {

using test::ServerBed;
using test::TestClient;

namespace {

std::unique_ptr<TestClient> client_of(ServerBed& bed) {
  auto made = std::make_unique<TestClient>(bed.context, bed.smtp_port());
  REQUIRE(made->reply() == "220 mx.a.example ESMTP");
  REQUIRE(made->say("HELO pc.b.example") == "250 mx.a.example");
  return made;
}

void begin_message(TestClient& client) {
  client.say("MAIL FROM:<joe@b.example>");
  client.say("RCPT TO:<anna@a.example>");
  REQUIRE(client.say("DATA").starts_with("354 "));
}

}  // namespace

TEST_CASE("mail/smtp_server: room that ends within a message puts it off", "[F49]") {
  ServerBed bed;
  bed.settings.queue.octets = 150'000;
  bed.open();
  const auto client = client_of(bed);
  begin_message(*client);
  std::string text = "Subject: big\r\n\r\n";
  for (int i = 0; i < 200; ++i)
    text += std::string(998, 'x') + "\r\n";
  CHECK(client->say(text + ".").starts_with("452 4.3.1 "));
  CHECK(bed.queue->counters().octets == 0);
}

TEST_CASE("mail/smtp_server: room that ends where text and end come at once puts it off", "[F49]") {
  ServerBed bed;
  bed.settings.queue.octets = 2000;  // the trace has room
  bed.open();
  const auto client = client_of(bed);
  for (int round = 0; round < 2; ++round) {
    begin_message(*client);
    const std::string text = "Subject: a\r\n\r\n" + std::string(990, 'x') + "\r\n" +
                             std::string(990, 'y') + "\r\n" + std::string(500, 'z') + "\r\n.";
    CHECK(client->say(text).starts_with("452 4.3.1 "));
  }
  CHECK(bed.has_event("refused smtp 452 4.3.1"));
  CHECK(bed.queue->counters().octets == 0);
  CHECK(bed.bys.empty());
  begin_message(*client);
  CHECK(client->say("Subject: small\r\n\r\nx\r\n.") == "250 2.0.0 queued");
}

TEST_CASE("mail/smtp_server: other limits do not forget who is in", "[F53]") {
  ServerBed bed;
  bed.settings.server.clients_of_one = 2;
  bed.open();
  const auto first = client_of(bed);
  const auto second = client_of(bed);
  bed.settings.server.clients += 1;
  bed.follow();
  TestClient third(bed.context, bed.smtp_port());
  CHECK(third.reply().starts_with("421 4.7.0 "));
}

TEST_CASE("mail/smtp_server: strangers leave room and places for clients of ours", "[F49]") {
  ServerBed bed;
  bed.settings.queue.octets = 8000;
  bed.settings.server.pop3_networks.clear();
  bed.settings.server.clients = 4;
  bed.open();
  const std::string large = std::string(990, 'x') + "\r\n" + std::string(990, 'y') + "\r\n.";
  const auto first = client_of(bed);
  for (const char* wanted : {"250 ", "250 ", "452 "}) {
    begin_message(*first);
    CHECK(first->say(large).starts_with(wanted));
  }
  const auto second = client_of(bed);
  const auto third = client_of(bed);
  TestClient fourth(bed.context, bed.smtp_port());
  CHECK(fourth.reply().starts_with("421 4.7.0 "));
  CHECK(fourth.is_gone());
  bed.allow_relaying();
  bed.follow();
  const auto ours = client_of(bed);
  begin_message(*ours);
  CHECK(ours->say(large).starts_with("250 "));
}

TEST_CASE("mail/smtp_server: Date and Message-ID are added for clients of ours", "[RFC6409-8]") {
  ServerBed bed;
  bed.open();
  for (const char* text : {"Subject: a\r\n\r\nb\r\n.", "message-id: <1@b>\r\n\r\nb\r\n.",
                           "Date: today\r\nMessage-ID: <1@b>\r\n\r\nb\r\n."}) {
    bed.allow_relaying();
    bed.follow();
    const auto ours = client_of(bed);
    begin_message(*ours);
    CHECK(ours->say(text).starts_with("250 "));
    bed.settings.server.relay_networks.clear();
    bed.follow();
    const auto stranger = client_of(bed);
    begin_message(*stranger);
    CHECK(stranger->say(text).starts_with("250 "));
  }
  std::vector<std::string> fronts;
  bed.queue->each([&fronts](const QueuedMessage& message) {
    fronts.push_back(message.front);
    return true;
  });
  REQUIRE(fronts.size() == 6);
  CHECK(fronts[0].starts_with("Date: "));
  CHECK(fronts[0].ends_with("@mx.a.example>\r\n"));
  CHECK(fronts[0].find("\r\nMessage-ID: <000001.") != std::string::npos);
  CHECK(fronts[2].starts_with("Date: "));
  CHECK(fronts[2].find("Message-ID") == std::string::npos);
  for (const size_t other : {1, 3, 4, 5})
    CHECK(fronts[other].empty());
}

}  // namespace postern::mail
