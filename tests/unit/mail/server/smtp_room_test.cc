// SPDX-License-Identifier: BSD-3-Clause
// The SMTP server where the room of the queue ends.
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

}  // namespace postern::mail
