// SPDX-License-Identifier: BSD-3-Clause
// Into mailboxes here, once each, whatever happens in between.
#include <fstream>

#include "unit/mail/delivery/delivery_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("mail/delivery: a message is answered for, and is in its mailbox", "[F50]") {
  DeliveryBed bed;
  bed.tick();
  const Reply reply = bed.put("x@far.example", {"Anna@office.example"}, "Subject: a\r\n\r\nb\r\n");
  CHECK(reply.code == 250);
  CHECK(contains(reply.text, "queued as 000001"));
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(texts[0] ==
        "Return-Path: <x@far.example>\nDelivered-To: Anna@office.example\nSubject: a\n\nb\n");
  REQUIRE(bed.events.size() == 2);
  CHECK(bed.events[0].kind == MailEventKind::received);
  CHECK(bed.events[0].by == "smtp");
  CHECK(bed.events[1].kind == MailEventKind::delivered);
  CHECK(bed.events[1].remote == "anna");
  CHECK(bed.dispatcher->counters().delivered == 1);
  CHECK(bed.intake->counters().received == 1);
}

TEST_CASE("mail/delivery: of all ways that lead to a mailbox comes one copy", "[F50][C20]") {
  DeliveryBed bed;
  bed.settings.book.aliases["sales"] = {"anna", "bert", "out@far.example"};
  bed.settings.book.groups["all"] = {"anna", "bert", "carl"};
  bed.follow();
  bed.tick();
  bed.hops.answer = [](const FakeHops::Sent& sent) {
    return FakeHops::result(sent, {250, "", ""});
  };
  bed.put("x@far.example", {"anna@office.example", "anna+a@office.example", "sales@office.example",
                            "all@office.example", "out@far.example"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  for (const char* user : {"anna", "bert", "carl"})
    CHECK(bed.texts(user).size() == 1);
  CHECK(bed.dispatcher->counters().relayed == 1);
}

TEST_CASE("mail/delivery: rules by header put a message into a folder", "[F51]") {
  DeliveryBed bed;
  SortingRule rule;
  rule.headers = {{"List-Id", "*dpdk*"}};
  rule.folder = "Lists/DPDK";
  bed.settings.sorting = {rule};
  bed.follow();
  bed.tick();
  bed.put("x@far.example", {"anna@office.example"}, "List-Id: <dev.dpdk.example>\r\n\r\nb\r\n");
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").empty());
  CHECK(bed.texts("anna", "Lists/DPDK").size() == 1);
  CHECK(std::filesystem::exists(bed.root + "/mailboxes/anna/.Lists.DPDK/new"));
}

TEST_CASE("mail/delivery: a crash between mailbox and queue leaves one copy", "[C20]") {
  DeliveryBed bed;
  // Nothing is delivered before the first tick.
  bed.put("x@far.example", {"anna@office.example", "bert@office.example"});
  bed.put("x@far.example", {"anna@office.example"});
  auto box = bed.mailboxes->mailbox("anna");
  REQUIRE(box);
  Delivery delivery;
  delivery.id = "000001-0-" + bed.queue->epoch() +
                to_queue_id(static_cast<uint64_t>(bed.queue->find(1)->arrived_s));
  delivery.now_s = bed.now_s;
  REQUIRE(box->deliver(delivery, Body(std::make_shared<const std::string>("one\r\n"))));
  bed.reopen();
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 2);
  CHECK(bed.texts("bert").size() == 1);
}

TEST_CASE("mail/delivery: a queue that is begun anew takes no mail for delivered", "[C20]") {
  DeliveryBed bed;
  bed.tick();
  bed.put("x@far.example", {"anna@office.example"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const std::string before = bed.queue->epoch();
  bed.reopen();
  CHECK(bed.queue->epoch() == before);
  CHECK(before.size() == 8);
  bed.close();
  std::filesystem::remove_all(bed.root + "/queue");
  bed.open();
  CHECK(bed.queue->epoch() != before);
  bed.put("x@far.example", {"anna@office.example"});
  REQUIRE(bed.queue->find(1) != nullptr);
  bed.reopen();  // so that it may have been delivered
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 2);
}

TEST_CASE("mail/delivery: a mailbox that cannot be written to gets its mail later") {
  DeliveryBed bed;
  bed.tick();
  std::ofstream(bed.root + "/mailboxes/anna") << "in the way";
  bed.put("x@far.example", {"anna@office.example", "bert@office.example"});
  REQUIRE(bed.run_until([&] { return bed.count(MailEventKind::deferred) == 1; }));
  REQUIRE(bed.run_until([&] { return bed.count(MailEventKind::delivered) == 1; }));
  CHECK(bed.texts("bert").size() == 1);
  REQUIRE(bed.queued() == 1);
  const QueuedMessage& message = *bed.queue->find(1);
  CHECK(message.progress[0].attempts == 1);
  CHECK(contains(message.progress[0].said, "451 4.2.0"));
  CHECK(message.progress[0].next_s >= bed.now_s + 300);
  std::filesystem::remove(bed.root + "/mailboxes/anna");
  bed.pass(299);
  bed.settle();
  CHECK(bed.queued() == 1);
  bed.pass(100);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
  CHECK(bed.texts("bert").size() == 1);
}

TEST_CASE("mail/delivery: long texts and those that memory has no room for come whole") {
  DeliveryBed bed;
  std::string text = "Subject: long\r\n\r\n";
  while (text.size() < 300'000)
    text += "line of the text\r\n";
  bed.put(envelope("x@far.example", {"anna@office.example", "bert@office.example"}), text);
  bed.put("x@far.example", {"carl@office.example"});
  bed.reopen();  // none is in memory
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].size() > 280'000);
  CHECK(bed.texts("bert").at(0).size() == texts[0].size());
  CHECK(bed.texts("carl").size() == 1);
}

TEST_CASE("mail/delivery: held messages wait, and go when they are released") {
  DeliveryBed bed;
  bed.put("x@far.example", {"anna@office.example"});
  bool is_held = false;
  bed.dispatcher->hold(1, [&](const Result<void>& done) { is_held = done.has_value(); });
  REQUIRE(bed.run_until([&] { return is_held; }));
  bed.tick();
  bed.pass(1000);
  bed.dispatcher->retry_all();
  bed.settle();
  CHECK(bed.texts("anna").empty());
  bed.reopen();
  bed.tick();
  bed.settle();
  CHECK(bed.texts("anna").empty());
  bed.dispatcher->retry(1);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
  CHECK(bed.count(MailEventKind::held) == 1);
  CHECK(bed.count(MailEventKind::released) == 1);
  bool is_unknown = false;
  bed.dispatcher->retry(99, [&](const Result<void>& done) {
    is_unknown = !done && done.error().code == ErrorCode::not_found;
  });
  CHECK(is_unknown);
}

TEST_CASE("mail/delivery: what an administrator removes goes nowhere") {
  DeliveryBed bed;
  bed.put("x@far.example", {"anna@office.example"});
  bool is_gone = false;
  bed.dispatcher->remove(1, [&](const Result<void>& done) { is_gone = done.has_value(); });
  REQUIRE(bed.run_until([&] { return is_gone; }));
  bed.tick();
  bed.settle();
  CHECK(bed.queued() == 0);
  CHECK(bed.texts("anna").empty());
  CHECK(bed.count(MailEventKind::removed) == 1);
}

TEST_CASE("mail/delivery: a user who went meanwhile is looked for again") {
  DeliveryBed bed;
  bed.put("x@far.example", {"anna@office.example", "bert@office.example", "carl@office.example"});
  bed.settings.book.users = {"carl", "dora"};
  bed.settings.book.aliases["anna"] = {"carl", "dora"};
  bed.follow();
  bed.tick();
  // Bert's mail has nobody: the sender hears of that.
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  CHECK(contains(bed.hops.sent[0].text, "bert@office.example"));
  bed.hops.reply({250, "2.0.0", "ok"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("carl").size() == 1);
  CHECK(bed.texts("dora").size() == 1);
  CHECK_FALSE(std::filesystem::exists(bed.root + "/mailboxes/bert"));
}
