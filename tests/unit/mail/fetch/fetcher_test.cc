// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/fetcher.h"

#include "unit/mail/fetch/fetch_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("mail/fetch: a thousand mixed messages come once each to the right mailbox",
          "[F50][F51][C20]") {
  FetchBed bed;
  bed.mail.keeps_events = false;
  while (bed.box.messages.size() < 1000)
    bed.make(bed.made % FetchBed::kKinds);
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.empty());
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  CHECK(bed.box.connections == 1);
  // Nothing is there any more: nothing comes.
  CHECK(bed.fetch() == "");
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: a connection that drops after any octet makes no loss and no second one",
          "[F51][C20]") {
  FetchBed bed;
  for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
    bed.make(kind);
  size_t sessions = 0;
  for (int64_t octets = 1; !bed.box.messages.empty(); octets += 5) {
    bed.box.octets_left = octets;
    bed.fetch();
    ++sessions;
    REQUIRE(sessions < 2000);
  }
  CHECK(sessions > 80);
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: a mailbox is fetched again from the start wherever it was cut", "[C20]") {
  for (int64_t octets = 400; octets < 4000; octets += 300) {
    FetchBed bed;
    for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
      bed.make(kind);
    bed.box.octets_left = octets;
    bed.fetch();
    bed.box.octets_left = -1;
    CHECK(bed.fetch() == "");
    CHECK(bed.box.messages.empty());
    bed.deliver();
    CHECK(bed.found() == bed.wanted());
  }
}

TEST_CASE("mail/fetch: after a crash at any step each message is there once", "[C20]") {
  // So many handlers of the loop run before it; the queue still writes what it has taken.
  for (int handlers = 20; handlers < 320; handlers += 12) {
    INFO(handlers);
    FetchBed bed;
    for (const size_t kind : {0, 3, 5, 8, 9})
      bed.make(kind);
    REQUIRE(bed.fetcher->fetch_now("isp"));
    for (int i = 0; i < handlers; ++i) {
      bed.mail.context.restart();
      if (i % 3 == 0) bed.mail.tick();
      bed.mail.context.run_one_for(std::chrono::milliseconds(30));
      if (!bed.state().is_running) break;
    }
    bed.crash();
    CHECK(bed.fetch() == "");
    CHECK(bed.box.messages.empty());
    bed.deliver();
    CHECK(bed.found() == bed.wanted());
  }
}

TEST_CASE("mail/fetch: an answer that is lost after DELE or QUIT changes nothing", "[C20]") {
  for (const char* command : {"RETR 3", "DELE 1", "DELE 4", "QUIT", "UIDL", "STAT"}) {
    INFO(command);
    FetchBed bed;
    for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
      bed.make(kind);
    bed.box.drop_at = command;
    CHECK(bed.fetch() != "");
    bed.box.drop_at.clear();
    CHECK(bed.fetch() == "");
    bed.deliver();
    CHECK(bed.found() == bed.wanted());
  }
}

TEST_CASE("mail/fetch: a server without ids of messages is fetched from, once each", "[F50]") {
  FetchBed bed;
  bed.box.has_uidl = false;
  for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
    bed.make(kind);
  // They are here, and still there.
  bed.box.drop_at = "QUIT";
  const auto kept = bed.box.messages;
  CHECK(bed.fetch() != "");
  bed.box.drop_at.clear();
  bed.box.messages = kept;
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.empty());
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  // Without ids nobody knows what was left there.
  bed.make(0);
  bed.account.leaves = true;
  bed.follow();
  CHECK(contains(bed.fetch(), "UIDL"));
  CHECK(bed.box.messages.size() == 1);
}

TEST_CASE("mail/fetch: messages stay at the server as long as they are to", "[F50]") {
  FetchBed bed;
  bed.account.leaves = true;
  bed.account.leaves_for = seconds(86'400);
  bed.follow();
  bed.make(0);
  bed.make(1);
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.size() == 2);
  bed.mail.now_s += 86'000;
  bed.make(2);
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.size() == 3);
  CHECK(bed.box.count("RETR") == 3);
  bed.mail.now_s += 500;
  CHECK(bed.fetch() == "");
  REQUIRE(bed.box.messages.size() == 1);
  CHECK(contains(bed.box.messages.front().text, "X-Mark: 2-"));
  // They are not taken for new by a start, or by another name of the account.
  bed.crash();
  CHECK(bed.fetch() == "");
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  // For ever, unless it is told how long.
  bed.account.leaves_for = seconds(0);
  bed.follow();
  bed.mail.now_s += 864'000;
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.size() == 1);
}

TEST_CASE("mail/fetch: a message that is too large stays at the server, and is told of once",
          "[F50]") {
  FetchBed bed;
  bed.make(0);
  bed.box.add("X-Envelope-To: bert@office.example\r\nX-Mark: large\r\n\r\n" +
              std::string(5000, 'x') + "\r\n");
  // This one lies about its size.
  bed.box.add("X-Envelope-To: bert@office.example\r\nX-Mark: liar\r\n\r\n" +
              std::string(5000, 'x') + "\r\n");
  bed.box.messages.back().listed = 100;
  bed.make(1);
  bed.account.message_octets = 4000;
  bed.follow();
  CHECK(contains(bed.fetch(), "larger"));
  CHECK(bed.fetch() == "");
  CHECK(bed.fetch() == "");
  CHECK(bed.mail.count(MailEventKind::refused) == 2);
  CHECK(bed.box.messages.size() == 2);
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  // A higher limit: it comes.
  bed.account.message_octets = 100'000;
  bed.follow();
  CHECK(bed.fetch() == "");
  bed.deliver();
  CHECK(bed.box.messages.size() == 1);
  CHECK(bed.found()["bert"].back() == "large");
}

TEST_CASE("mail/fetch: what goes round in a circle stays at the server", "[F51]") {
  FetchBed bed;
  std::string turns;
  for (int i = 0; i < 6; ++i)
    turns += "Delivered-To: anna@office.example\r\n";
  bed.box.add(turns + "X-Envelope-To: anna@office.example\r\n\r\nround\r\n");
  bed.make(0);
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.size() == 1);
  CHECK(bed.mail.count(MailEventKind::refused) == 1);
  CHECK(bed.fetch() == "");
  CHECK(bed.mail.count(MailEventKind::refused) == 1);
  CHECK(bed.box.count("RETR") == 2);
}

TEST_CASE("mail/fetch: a mailbox of one person is theirs with all that is in it", "[F50]") {
  FetchBed bed;
  bed.account.to = "bert";
  bed.follow();
  const std::string text = "Message-ID: <1@a>\r\nTo: anna@office.example\r\nX-Mark: a\r\n\r\n";
  bed.box.add(text);
  bed.box.add(text);
  CHECK(bed.fetch() == "");
  bed.deliver();
  CHECK(bed.found()["bert"] == std::vector<std::string>{"a", "a"});
  CHECK(bed.found()["anna"].empty());
}

TEST_CASE("mail/fetch: without anybody for it a message stays where it is", "[F51]") {
  FetchBed bed;
  bed.mail.settings.book.postmaster.clear();
  bed.follow();
  bed.make(0);
  bed.box.add("To: x@far.example\r\nX-Mark: nobody\r\n\r\n");
  CHECK(contains(bed.fetch(), "no postmaster"));
  CHECK(bed.box.messages.size() == 1);
  bed.mail.settings.book.postmaster = "carl";
  bed.mail.follow();
  bed.follow();
  CHECK(bed.fetch() == "");
  bed.deliver();
  CHECK(bed.found()["carl"] == std::vector<std::string>{"nobody"});
}

TEST_CASE("mail/fetch: a full queue leaves messages at the server", "[F50]") {
  FetchBed bed;
  for (int i = 0; i < 20; ++i)
    bed.make(0);
  QueueLimits limits = bed.mail.settings.queue;
  limits.messages = 5;
  bed.mail.queue->set_limits(limits);
  // Nothing is delivered meanwhile, as nobody ticks.
  while (!bed.box.messages.empty()) {
    const size_t before = bed.box.messages.size();
    const std::string outcome = bed.fetch();
    const bool is_full = contains(outcome, "no room") || contains(outcome, "cannot be taken");
    CHECK((outcome.empty() || is_full));
    bed.deliver();
    REQUIRE(bed.box.messages.size() < before);
  }
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: bad messages do not keep those behind them back", "[F50]") {
  FetchBed bed;
  bed.mail.settings.book.postmaster.clear();
  bed.follow();
  for (int i = 0; i < 5; ++i)
    bed.box.add("To: x@far.example\r\nX-Mark: nobody\r\n\r\n");
  bed.make(0);
  bed.make(1);
  CHECK(contains(bed.fetch(), "no postmaster"));
  CHECK(bed.box.messages.size() == 5);
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: other messages with one Message-ID all come, and copies are told", "[C20]") {
  FetchBed bed;
  const std::string head = "X-Envelope-To: bert@office.example\r\nMessage-ID: <1@printer>\r\n";
  bed.box.add(head + "X-Mark: a\r\n\r\npaper\r\n");
  bed.box.add(head + "X-Mark: b\r\n\r\ntoner\r\n");
  bed.box.add(head + "X-Mark: c\r\nSubject: again\r\n\r\npaper\r\n");
  bed.box.add("Received: copy\r\n" + head + "X-Mark: a\r\n\r\npaper\r\n");
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.empty());
  bed.deliver();
  CHECK(bed.found()["bert"] == std::vector<std::string>{"a", "b", "c"});
  CHECK(bed.mail.count(MailEventKind::discarded) == 1);
}

TEST_CASE("mail/fetch: what the queue could never hold does not block what is behind", "[F50]") {
  for (const bool has_uidl : {true, false}) {
    FetchBed bed;
    bed.box.has_uidl = has_uidl;
    QueueLimits limits = bed.mail.settings.queue;
    limits.message_octets = 10'000;
    bed.mail.queue->set_limits(limits);
    const std::string head = "X-Envelope-To: bert@office.example\r\nX-Mark: large\r\n\r\n";
    bed.box.add(head + std::string(9800, 'x') + "\r\n");
    bed.box.add(head + std::string(9800, 'y') + "\r\n");
    bed.box.messages.back().listed = 100;
    bed.make(0);
    bed.fetch();
    bed.fetch();
    CHECK(bed.box.messages.size() == 2);
    bed.deliver();
    CHECK(bed.found() == bed.wanted());
  }
}
