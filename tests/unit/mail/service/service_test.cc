// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/service/service.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "services/mail/message/base64.h"
#include "unit/mail/server/server_bed.h"

namespace postern::mail {

using test::TestClient;

namespace {

// The whole service, with all that ServerBed has for it but its servers.
struct Bed : test::ServerBed {
  Bed() {
    settings.server.has_clear_passwords = true;
    settings.delivery.first_retry = seconds(1);
    seams.resolve = [](const std::string&, const Seams::Resolved& then) {
      then(Error{ErrorCode::not_found, "no such name"});
    };
    seams.time_holds = [](uint32_t) { return true; };
  }
  void open() {
    auto opened = Service::open(context, {folder + "/mail", settings, seams, {}});
    REQUIRE(opened);
    service = std::move(*opened);
    service->tick();
  }
  // Turns the loop, with its seconds.
  bool wait(const std::function<bool()>& is_done) {
    for (int i = 0; i < 100 && !is_done(); ++i) {
      test::turn_until(context, is_done, std::chrono::seconds(0));
      context.restart();
      context.run_for(std::chrono::milliseconds(100));
      service->tick();
    }
    return is_done();
  }
  std::string send(const std::string& from, const std::vector<std::string>& to,
                   const std::string& text) {
    TestClient client(context, smtp_port());
    client.reply();
    client.say("EHLO pc.b.example");
    client.say("MAIL FROM:<" + from + ">");
    std::string said;
    for (const std::string& one : to)
      said = client.say("RCPT TO:<" + one + ">");
    if (!said.starts_with("250")) return said;
    client.say("DATA");
    said = client.say(text + "\r\n.");
    client.say("QUIT");
    return said;
  }
  std::unique_ptr<TestClient> reader(const std::string& user) {
    auto made = std::make_unique<TestClient>(context, pop3_port());
    made->line();
    made->pop("USER " + user);
    REQUIRE(made->pop("PASS secret").starts_with("+OK"));
    return made;
  }
  // The messages of a mailbox, as POP3 gives them.
  std::vector<std::string> read(const std::string& user) {
    const auto client = reader(user);
    std::vector<std::string> all;
    const std::string stat = client->pop("STAT");  // "+OK 2 53"
    const int count = std::stoi(stat.substr(4));
    for (int i = 1; i <= count; ++i) {
      client->send("RETR " + std::to_string(i) + "\r\n");
      all.push_back(client->lines());
    }
    client->pop("QUIT");
    CHECK(client->is_gone());
    return all;
  }
  bool is_empty() const { return service->counters().queue.messages == 0; }

  std::unique_ptr<Service> service;  // before its bed
};

}  // namespace

TEST_CASE("mail/service: what comes in by SMTP is read by POP3", "[F49][F50]") {
  Bed bed;
  bed.open();
  CHECK(bed.send("joe@b.example", {"anna@a.example"}, "Subject: one\r\n\r\n..dot\r\ntext")
            .starts_with("250 2.0.0 Ok: queued as "));
  REQUIRE(bed.wait([&] { return bed.is_empty(); }));
  const auto messages = bed.read("anna");
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].find("|Return-Path: <joe@b.example>|") != std::string::npos);
  CHECK(messages[0].find("|Received: from pc.b.example ([127.0.0.1])|") != std::string::npos);
  CHECK(messages[0].ends_with("|Subject: one||..dot|text|."));
  const MailCounters counters = bed.service->counters();
  CHECK(counters.received == 1);
  CHECK(counters.delivered == 1);
  CHECK(counters.refused == 0);
  CHECK(bed.has_event("received smtp anna@a.example"));
  CHECK(bed.has_event("delivered"));
}

TEST_CASE("mail/service: a recipient with several names gets one copy", "[F50][C20]") {
  Bed bed;
  bed.open();
  bed.send("joe@b.example", {"info@a.example", "anna@a.example", "anna+x@a.example"},
           "Subject: one\r\n\r\ntext");
  REQUIRE(bed.wait([&] { return bed.is_empty(); }));
  CHECK(bed.read("anna").size() == 1);
  CHECK(bed.read("ben").size() == 1);
}

TEST_CASE("mail/service: one gateway hands mail to another", "[F49]") {
  Bed there;
  there.open();
  Bed here;
  here.allow_relaying();
  here.settings.host = "gw.c.example";
  here.settings.book.own_domain = "c.example";
  here.settings.book.domains = {"c.example"};
  RelayHost host;
  host.host = "127.0.0.1";
  host.port = there.smtp_port();
  host.tls.mode = TlsMode::none;
  here.settings.relay.hosts = {host};
  here.open();
  CHECK(here.send("anna@c.example", {"ben@a.example", "nobody@a.example"},
                  "Subject: away\r\n\r\n..dot\r\ntext")
            .starts_with("250 "));
  // Two loops, turned in turns.
  const auto is_there = [&] {
    there.wait([] { return true; });
    there.context.restart();
    there.context.run_for(std::chrono::milliseconds(20));
    there.service->tick();
    return there.service->counters().delivered == 1 && here.is_empty();
  };
  REQUIRE(here.wait(is_there));
  const auto messages = there.read("ben");
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].ends_with("|Subject: away||..dot|text|."));
  CHECK(here.service->counters().relayed == 1);
  CHECK(here.service->counters().failed == 1);
  // And Anna is told of who is not there.
  REQUIRE(here.wait([&] { return here.service->counters().delivered == 1; }));
  const auto told = here.read("anna");
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("nobody@a.example") != std::string::npos);
  CHECK(told[0].find("550 5.1.1") != std::string::npos);
}

TEST_CASE("mail/service: without a way out nobody is kept waiting", "[F49]") {
  Bed bed;
  bed.allow_relaying();
  bed.open();
  CHECK(bed.send("anna@a.example", {"joe@b.example"}, "x").starts_with("550 5.4.4 "));
}

TEST_CASE("mail/service: what was answered for outlives the service", "[F49][C20]") {
  Bed bed;
  bed.open();
  std::ofstream(bed.folder + "/mail/mailboxes/anna") << "in the way";
  CHECK(bed.send("joe@b.example", {"anna@a.example"}, "Subject: one\r\n\r\ntext")
            .starts_with("250 "));
  bed.wait([&] { return bed.service->counters().deferred > 0; });
  CHECK_FALSE(bed.is_empty());
  bed.service.reset();
  std::filesystem::remove(bed.folder + "/mail/mailboxes/anna");
  bed.open();
  CHECK(bed.service->counters().queue.messages == 1);
  bed.service->retry_all();
  REQUIRE(bed.wait([&] { return bed.is_empty(); }));
  CHECK(bed.read("anna").size() == 1);
}

TEST_CASE("mail/service: a message of 50 MB passes in bounded memory", "[F49]") {
  Bed bed;
  bed.open();
  const auto resident_kib = [] {
    std::ifstream file("/proc/self/statm");
    long all = 0, resident = 0;
    file >> all >> resident;
    return resident * 4;
  };
  std::string block;
  while (block.size() < (size_t{64} << 10))
    block += std::string(76, 'x') + "\r\n";
  const size_t blocks = (size_t{49} << 20) / block.size();
  TestClient client(bed.context, bed.smtp_port());
  client.reply();
  for (const char* line :
       {"EHLO pc", "MAIL FROM:<joe@b.example>", "RCPT TO:<anna@a.example>", "DATA"})
    client.say(line);
  const long before = resident_kib();
  long most = before;
  client.send("Subject: large\r\n\r\n");
  for (size_t i = 0; i < blocks; ++i) {
    client.send(block);
    REQUIRE(test::turn_until(bed.context, [&] { return client.unsent() < block.size(); }));
    most = std::max(most, resident_kib());
  }
  CHECK(client.say(".").starts_with("250 "));
  REQUIRE(bed.wait([&] {
    most = std::max(most, resident_kib());
    return bed.is_empty();
  }));
  const auto reader = bed.reader("anna");
  uint64_t got = 0;
  reader->end().on_received = [&](std::string_view octets) {
    got += octets.size();
    reader->end().got.erase(0, std::max<size_t>(reader->end().got.size(), 5) - 5);
    most = std::max(most, resident_kib());
  };
  reader->send("RETR 1\r\n");
  REQUIRE(bed.turn([&] { return reader->left() == "\r\n.\r\n"; }));
  CHECK(got > blocks * block.size());
  INFO("before " << before << " KiB, at most " << most << " KiB");
  // 16 MiB of texts may wait for the disk, and what sanitizers keep.
  CHECK(most - before < 40 * 1024);
}

TEST_CASE("mail/service: a port that somebody else has is taken when it is free", "[F49]") {
  Bed bed;
  const int fd = *io::open_listener({"", test::kLoopback, bed.smtp_port()}, SOCK_STREAM);
  bed.open();
  REQUIRE(bed.warnings.size() == 1);
  CHECK(bed.service->listening().size() == 1);
  close(fd);
  bed.ahead = seconds(11);
  bed.service->tick();
  CHECK(bed.service->listening().size() == 2);
  CHECK(bed.send("joe@b.example", {"anna@a.example"}, "x").starts_with("250 "));
}

TEST_CASE("mail/service: a certificate that cannot be used leaves the one before", "[F49]") {
  Bed bed;
  bed.settings.server.certificate = test::identity().certificate;
  bed.settings.server.key = test::identity().key;
  bed.open();
  CHECK(bed.warnings.empty());
  bed.settings.server.certificate = "nonsense";
  bed.settings.book.users.insert("carl");
  CHECK_FALSE(bed.service->follow(bed.settings));
  TestClient client(bed.context, bed.smtp_port());
  client.reply();
  CHECK(client.say("STARTTLS").starts_with("220 "));
  client.start_tls();
  client.say("EHLO pc");
  client.say("MAIL FROM:<joe@b.example>");
  CHECK(client.say("RCPT TO:<carl@a.example>").starts_with("250 "));
}

TEST_CASE("mail/service: an administrator holds, releases and removes", "[F49]") {
  Bed bed;
  bed.open();
  std::ofstream(bed.folder + "/mail/mailboxes/anna") << "in the way";
  bed.send("joe@b.example", {"anna@a.example"}, "Subject: one\r\n\r\ntext");
  bed.wait([&] { return bed.service->counters().deferred > 0; });
  uint64_t number = 0;
  bed.service->queue().each([&](const QueuedMessage& message) {
    number = message.number;
    return false;
  });
  std::string told;
  const auto tell = [&told](const Result<void>& done) { told = done ? "yes" : "no"; };
  bed.service->hold(number, tell);
  REQUIRE(bed.wait([&] { return told == "yes"; }));
  CHECK(bed.service->queue().find(number)->is_held());
  told.clear();
  bed.service->hold(999, tell);
  CHECK(told == "no");
  std::filesystem::remove(bed.folder + "/mail/mailboxes/anna");
  bed.service->retry(number, tell);
  REQUIRE(bed.wait([&] { return bed.is_empty(); }));
  CHECK(bed.read("anna").size() == 1);
}

}  // namespace postern::mail
