// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/smtp_server.h"

#include <catch2/catch.hpp>

#include "services/mail/message/base64.h"
#include "unit/mail/server/server_bed.h"

namespace postern::mail {

using test::ServerBed;
using test::TestClient;

namespace {

struct Bed : ServerBed {
  // A client that was greeted and has said who it is.
  std::unique_ptr<TestClient> client() {
    auto made = std::make_unique<TestClient>(context, smtp_port());
    REQUIRE(made->reply() == "220 mx.a.example ESMTP");
    REQUIRE(made->say("HELO pc.b.example") == "250 mx.a.example");
    return made;
  }
  std::string say_all(TestClient& client, const std::vector<std::string>& lines) {
    std::string last;
    for (const std::string& line : lines)
      last = client.say(line);
    return last;
  }
};

const std::string kText = "Subject: hello\r\n\r\n.\r\n..dots\r\n";
const std::string kWire = "Subject: hello\r\n\r\n..\r\n...dots\r\n.";

}  // namespace

TEST_CASE("mail/smtp_server: a message goes into the queue with a Received field", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  CHECK(client->say("MAIL FROM:<joe@b.example>") == "250 2.1.0 Sender ok");
  CHECK(client->say("RCPT TO:<anna@a.example>") == "250 2.1.5 Recipient ok");
  CHECK(client->say("DATA").starts_with("354 "));
  CHECK(client->say(kWire) == "250 2.0.0 queued");
  CHECK(client->say("QUIT").starts_with("221 "));
  CHECK(client->is_gone());
  const auto texts = bed.texts();
  REQUIRE(texts.size() == 1);
  const std::string& text = texts.front();
  CHECK(
      text.starts_with("Received: from pc.b.example ([127.0.0.1])\r\n\tby mx.a.example with SMTP"));
  CHECK(text.find("for <anna@a.example>;") != std::string::npos);
  CHECK(text.ends_with(kText));
  CHECK(bed.bys == std::vector<std::string>{"smtp"});
  CHECK(bed.turn([&] { return bed.smtp->sessions() == 0; }));
}

TEST_CASE("mail/smtp_server: Bcc stays secret: two recipients are not told", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  bed.say_all(*client, {"MAIL FROM:<>", "RCPT TO:<anna@a.example>", "RCPT TO:<ben@a.example>",
                        "DATA", kWire});
  const auto texts = bed.texts();
  REQUIRE(texts.size() == 1);
  CHECK(texts.front().find("anna") == std::string::npos);
}

TEST_CASE("mail/smtp_server: relaying is denied to strangers, and logged", "[F53]") {
  Bed bed;
  bed.open();
  for (const char* recipient :
       {"joe@b.example", "joe%b.example@a.example", "b.example!joe@a.example", "joe@[192.0.2.1]",
        "\"joe@b.example\"@a.example", "@a.example:joe@b.example", "joe@a.example.b.example"}) {
    INFO(recipient);
    const auto client = bed.client();
    client->say("MAIL FROM:<anna@a.example>");
    CHECK(client->say("RCPT TO:<" + std::string(recipient) + ">").substr(0, 9) == "550 5.7.1");
    CHECK(client->say("DATA").starts_with("554 "));
  }
  CHECK(bed.has_event("refused smtp joe@b.example 550 5.7.1"));
}

TEST_CASE("mail/smtp_server: networks of ours may relay, where there is a way", "[F53]") {
  Bed bed;
  bed.allow_relaying();
  bed.open();
  const auto client = bed.client();
  client->say("MAIL FROM:<anna@a.example>");
  CHECK(client->say("RCPT TO:<joe@b.example>") == "250 2.1.5 Recipient ok");
  CHECK(client->say("RCPT TO:<nobody@a.example>").starts_with("550 5.1.1 "));
}

TEST_CASE("mail/smtp_server: STARTTLS and AUTH, and then anywhere", "[F53]") {
  Bed bed;
  bed.add_tls();
  bed.open();
  TestClient client(bed.context, bed.smtp_port());
  client.reply();
  CHECK(client.say("EHLO pc.b.example").find("|250-STARTTLS|") != std::string::npos);
  CHECK(client.say("AUTH PLAIN " + encode_base64(std::string("\0anna\0secret", 12)))
            .starts_with("538 "));
  CHECK(client.say("STARTTLS").starts_with("220 "));
  client.start_tls();
  CHECK(client.say("EHLO pc.b.example").find("|250-AUTH PLAIN LOGIN|") != std::string::npos);
  CHECK(client.say("AUTH PLAIN " + encode_base64(std::string("\0anna\0wrong!", 12)))
            .starts_with("535 5.7.8 "));
  CHECK(client.say("AUTH PLAIN " + encode_base64(std::string("\0anna\0secret", 12)))
            .starts_with("235 "));
  bed.say_all(client, {"MAIL FROM:<anna@a.example>", "RCPT TO:<joe@b.example>", "DATA", kWire});
  const auto texts = bed.texts();
  REQUIRE(texts.size() == 1);
  CHECK(texts.front().find("with ESMTPSA id ") != std::string::npos);
  CHECK(texts.front().find("(using TLS1.3 ") != std::string::npos);
  CHECK(bed.has_event("login-refused smtp user=anna"));
  CHECK(bed.has_event("logged-in smtp user=anna"));
}

TEST_CASE("mail/smtp_server: submissions begins with TLS and wants a password", "[F53]") {
  Bed bed;
  bed.add_tls();
  bed.settings.server.smtp.front().port = SmtpPort::submissions;
  bed.open();
  TestClient client(bed.context, bed.smtp_port());
  client.start_tls();
  CHECK(client.reply() == "220 mx.a.example ESMTP");
  CHECK(client.say("EHLO pc").find("STARTTLS") == std::string::npos);
  CHECK(client.say("MAIL FROM:<anna@a.example>").starts_with("530 5.7.0 "));
  bed.is_busy = true;
  const std::string login = "AUTH PLAIN " + encode_base64(std::string("\0ben\0secret", 11));
  CHECK(client.say(login).starts_with("454 4.7.0 "));
  bed.is_busy = false;
  CHECK(client.say(login).starts_with("235 "));
  CHECK(bed.say_all(client, {"MAIL FROM:<ben@a.example>", "RCPT TO:<joe@b.example>", "DATA",
                             kWire}) == "250 2.0.0 queued");
  CHECK(bed.bys == std::vector<std::string>{"submission"});
}

TEST_CASE("mail/smtp_server: who does not speak TLS on its port is gone", "[F53]") {
  Bed bed;
  bed.add_tls();
  bed.settings.server.smtp.front().port = SmtpPort::submissions;
  bed.open();
  TestClient client(bed.context, bed.smtp_port());
  client.send("EHLO pc.b.example\r\n");
  CHECK(client.is_gone());
  CHECK(bed.smtp->sessions() == 0);
}

TEST_CASE("mail/smtp_server: who talks before the greeting is refused", "[F53]") {
  Bed bed;
  bed.settings.server.greet_delay = milliseconds(300);
  bed.open();
  TestClient early(bed.context, bed.smtp_port());
  early.send("HELO pc\r\nMAIL FROM:<joe@b.example>\r\n");
  CHECK(early.reply().starts_with("554 5.5.1 "));
  CHECK(early.is_gone());
  const auto patient = bed.client();
  CHECK(patient->say("NOOP").starts_with("250 "));
}

TEST_CASE("mail/smtp_server: commands that come all at once are answered one by one", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  client->send(
      "EHLO pc\r\nMAIL FROM:<joe@b.example>\r\nRCPT TO:<anna@a.example>\r\n"
      "RCPT TO:<nobody@a.example>\r\nRCPT TO:<ben@a.example>\r\nDATA\r\n");
  CHECK(client->reply().starts_with("250-mx.a.example|"));
  CHECK(client->reply() == "250 2.1.0 Sender ok");
  CHECK(client->reply() == "250 2.1.5 Recipient ok");
  CHECK(client->reply().starts_with("550 5.1.1 "));
  CHECK(client->reply() == "250 2.1.5 Recipient ok");
  CHECK(client->reply().starts_with("354 "));
  client->send(kWire + "\r\nMAIL FROM:<joe@b.example>\r\nRCPT TO:<anna@a.example>\r\nQUIT\r\n");
  CHECK(client->reply() == "250 2.0.0 queued");
  CHECK(client->reply() == "250 2.1.0 Sender ok");
  CHECK(client->reply() == "250 2.1.5 Recipient ok");
  CHECK(client->reply().starts_with("221 "));
}

TEST_CASE("mail/smtp_server: who has said all is answered, and then closed", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  client->send("MAIL FROM:<joe@b.example>\r\nRCPT TO:<anna@a.example>\r\nDATA\r\n");
  for (int i = 0; i < 3; ++i)
    client->reply();
  client->send(kWire + "\r\n");
  bed.turn([&] { return client->unsent() == 0; });
  client->half_close();
  CHECK(client->reply() == "250 2.0.0 queued");
  CHECK(client->is_gone());
  CHECK(bed.texts().size() == 1);
}

TEST_CASE("mail/smtp_server: a client that goes within a message has sent none", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  bed.say_all(*client, {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>", "DATA"});
  std::string half = "Subject: half\r\n\r\n";
  for (int i = 0; i < 200; ++i)
    half += std::string(998, 'x') + "\r\n";
  client->send(half);
  CHECK(bed.turn([&] { return bed.queue->counters().octets > 100'000; }));
  client->break_off();
  CHECK(bed.turn([&] { return bed.smtp->sessions() == 0; }));
  CHECK(bed.queue->counters().octets == 0);
  CHECK(bed.queue->counters().messages == 0);
  CHECK(bed.bys.empty());
}

TEST_CASE("mail/smtp_server: what is too big is refused, and the session goes on", "[F49]") {
  Bed bed;
  bed.settings.server.message_octets = 100'000;
  bed.open();
  const auto client = bed.client();
  CHECK(client->say("EHLO pc").find("SIZE 100000") != std::string::npos);
  CHECK(client->say("MAIL FROM:<joe@b.example> SIZE=100001").starts_with("552 5.3.4 "));
  bed.say_all(*client, {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>", "DATA"});
  std::string text = "Subject: big\r\n\r\n";
  for (int i = 0; i < 200; ++i)
    text += std::string(998, 'x') + "\r\n";
  CHECK(client->say(text + ".").starts_with("552 5.3.4 "));
  CHECK(bed.has_event("refused smtp 552 5.3.4"));
  CHECK(bed.queue->counters().octets == 0);
  CHECK(bed.say_all(*client, {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>", "DATA",
                              kWire}) == "250 2.0.0 queued");
}

TEST_CASE("mail/smtp_server: a full queue puts off, and nothing is lost", "[F49]") {
  Bed bed;
  bed.settings.queue.messages = 1;
  bed.open();
  const auto client = bed.client();
  const std::vector<std::string> message = {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>",
                                            "DATA", kWire};
  CHECK(bed.say_all(*client, message) == "250 2.0.0 queued");
  client->say(message[0]);
  client->say(message[1]);
  CHECK(client->say("DATA").starts_with("452 4.3.1 "));
  CHECK(bed.has_event("refused smtp 452 4.3.1"));
  CHECK(bed.texts().size() == 1);
}

TEST_CASE("mail/smtp_server: a disk that takes no more puts off, and later takes again", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  const std::vector<std::string> begin = {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>",
                                          "DATA"};
  const auto send = [&](const std::string& text) {
    bed.say_all(*client, begin);
    return client->say(text);
  };
  std::string large = "Subject: large\r\n\r\n";
  for (int i = 0; i < 300; ++i)
    large += std::string(998, 'x') + "\r\n";
  large += ".";
  CHECK(send(kWire).starts_with("250 "));
  {
    const test::FullDisk full;
    CHECK(send(kWire).starts_with("452 4.3.1 "));
    CHECK(send(large).starts_with("452 4.3.1 "));
    CHECK(bed.queue->counters().is_failing);
  }
  CHECK(send(large).starts_with("250 "));
  CHECK(send(kWire).starts_with("250 "));
  CHECK(bed.texts().size() == 3);
  CHECK(bed.turn([&] { return !bed.queue->counters().is_failing; }));
}

TEST_CASE("mail/smtp_server: strangers send so many messages a minute", "[F53]") {
  Bed bed;
  bed.settings.server.messages_per_minute = 2;
  bed.open();
  const auto client = bed.client();
  for (int i = 0; i < 2; ++i) {
    CHECK(client->say("MAIL FROM:<joe@b.example>").starts_with("250 "));
    client->say("RSET");
  }
  CHECK(client->say("MAIL FROM:<joe@b.example>").starts_with("450 4.7.1 "));
  bed.ahead = seconds(31);
  CHECK(client->say("MAIL FROM:<joe@b.example>").starts_with("250 "));
  client->say("RSET");
  CHECK(client->say("MAIL FROM:<joe@b.example>").starts_with("450 4.7.1 "));
  bed.allow_relaying();
  bed.follow();
  const auto ours = bed.client();
  CHECK(ours->say("MAIL FROM:<joe@b.example>").starts_with("250 "));
}

TEST_CASE("mail/smtp_server: the greylist holds, also over a restart", "[F53]") {
  Bed bed;
  bed.settings.server.greylist.is_on = true;
  bed.open();
  {
    const auto client = bed.client();
    client->say("MAIL FROM:<joe@b.example>");
    CHECK(client->say("RCPT TO:<nobody@a.example>").starts_with("550 "));
    CHECK(client->say("RCPT TO:<anna@a.example>").starts_with("450 4.7.1 Greylisted"));
  }
  bed.ahead = seconds(61);
  bed.smtp->tick();
  CHECK(bed.turn([&] { return std::filesystem::exists(bed.folder + "/greylist"); }));
  bed.smtp.reset();
  bed.pop3.reset();
  bed.queue.reset();
  bed.open();
  bed.ahead = seconds(301);
  const auto client = bed.client();
  client->say("MAIL FROM:<joe@b.example>");
  CHECK(client->say("RCPT TO:<anna@a.example>").starts_with("250 "));
  CHECK(client->say("RCPT TO:<ben@a.example>").starts_with("450 4.7.1 Greylisted"));
  CHECK(bed.warnings.empty());
}

TEST_CASE("mail/smtp_server: a client has so many connections, and is told", "[F53]") {
  Bed bed;
  bed.settings.server.clients_of_one = 2;
  bed.open();
  auto first = bed.client();
  const auto second = bed.client();
  TestClient third(bed.context, bed.smtp_port());
  CHECK(third.reply().starts_with("421 4.7.0 "));
  CHECK(third.is_gone());
  first->say("QUIT");
  CHECK(first->is_gone());
  first.reset();
  CHECK(bed.client()->say("NOOP").starts_with("250 "));
}

TEST_CASE("mail/smtp_server: who takes no replies is read no more", "[F53]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  // Answers that nobody takes; kernels keep some MB of them.
  client->stop_reading();
  std::string many;
  for (int message = 0; message < 900; ++message) {
    for (int i = 0; i < 90; ++i)
      many += "EHLO pc\r\n";
    many += "MAIL FROM:<joe@b.example>\r\nRCPT TO:<anna@a.example>\r\nDATA\r\n" + kWire + "\r\n";
  }
  client->send(many);
  test::turn_until(
      bed.context, [] { return false; }, std::chrono::seconds(1));
  const size_t meanwhile = bed.bys.size();
  CHECK(meanwhile < 900);
  client->read_on();
  CHECK(bed.turn([&] { return bed.bys.size() == 900; }));
}

TEST_CASE("mail/smtp_server: lone LFs in a message split nothing off", "[F53]") {
  Bed bed;
  bed.open();
  for (const char* end : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\n.\r", "\r\n.\r"}) {
    const auto client = bed.client();
    bed.say_all(*client, {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>", "DATA"});
    client->send("Subject: a\r\n\r\nb" + std::string(end) +
                 "MAIL FROM:<evil@b.example>\r\nRCPT TO:<ben@a.example>\r\nDATA\r\nx\r\n.\r\n");
    CHECK(client->reply().starts_with("554 5.6.0 "));
    CHECK(client->is_gone());
  }
  CHECK(bed.texts().empty());
}

TEST_CASE("mail/smtp_server: settings that change are for those who come next", "[F53]") {
  Bed bed;
  bed.open();
  const auto before = bed.client();
  bed.settings.book.users = {"ben"};
  bed.settings.book.aliases.clear();
  bed.follow();
  before->say("MAIL FROM:<joe@b.example>");
  CHECK(before->say("RCPT TO:<anna@a.example>").starts_with("250 "));
  const auto after = bed.client();
  after->say("MAIL FROM:<joe@b.example>");
  CHECK(after->say("RCPT TO:<anna@a.example>").starts_with("550 5.1.1 "));
}

TEST_CASE("mail/smtp_server: it ends with clients and messages under way", "[F49]") {
  Bed bed;
  bed.open();
  const auto idle = bed.client();
  const auto busy = bed.client();
  bed.say_all(*busy, {"MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>", "DATA"});
  busy->send("Subject: half\r\n");
  bed.turn([&] { return busy->unsent() == 0; });
  bed.smtp.reset();
  CHECK(idle->reply().starts_with("421 4.3.2 "));
  CHECK(busy->is_gone());
  CHECK(bed.queue->counters().octets == 0);
}

}  // namespace postern::mail
