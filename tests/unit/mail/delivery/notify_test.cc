// SPDX-License-Identifier: BSD-3-Clause
// What senders hear, and what they do not.
#include "services/mail/delivery/notification.h"
#include "unit/control/full_disk.h"
#include "unit/mail/delivery/delivery_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

Envelope asking(const std::string& from, const std::string& to, uint8_t notify) {
  Envelope made = envelope(from, {to});
  made.recipients[0].notify = notify;
  made.id = "q+2B1";
  return made;
}

const std::string kText = "Subject: secret\r\nX-Old: 1\r\n\r\nbody of it\r\n";

void answer_all(DeliveryBed& bed, const Reply& reply, bool has_dsn = false) {
  bed.hops.answer = [reply, has_dsn](const FakeHops::Sent& sent) {
    return FakeHops::result(sent, reply, has_dsn);
  };
}

}  // namespace

TEST_CASE("mail/delivery: a failure is told to the sender with the header", "[RFC3461]") {
  DeliveryBed bed;
  bed.tick();
  answer_all(bed, {550, "5.1.1", "nobody"});
  bed.put(asking("anna@office.example", "a@far.example", 0), kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  const std::string& text = texts[0];
  CHECK(text.starts_with("Return-Path: <>\n"));
  for (const char* part :
       {"From: Mail delivery <postmaster@gw.office.example>", "Subject: Undelivered mail",
        "Original-Envelope-Id: q+1", "Final-Recipient: rfc822;a@far.example", "Action: failed",
        "Status: 5.1.1", "Diagnostic-Code: smtp;550 5.1.1 nobody", "Remote-MTA: dns;mx.isp.example",
        "Subject: secret", "X-Old: 1"})
    CHECK(contains(text, part));
  CHECK_FALSE(contains(text, "body of it"));
}

TEST_CASE("mail/delivery: the whole message comes back where it was asked for", "[RFC3461]") {
  DeliveryBed bed;
  bed.tick();
  answer_all(bed, {550, "5.1.1", "nobody"});
  Envelope full = asking("anna@office.example", "a@far.example", 0);
  full.returns = kReturnsFull;
  bed.put(full, kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(contains(bed.texts("anna").at(0), "body of it"));
  // One that is too large for that comes with its header.
  std::string large = kText;
  while (large.size() <= 2 * kReturnedMax)
    large += "body of it, again and again and again and again\r\n";
  bed.put(full, large);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 2);
  CHECK(std::min(texts[0].size(), texts[1].size()) < 10'000);
  CHECK(std::max(texts[0].size(), texts[1].size()) < 10'000);
}

TEST_CASE("mail/delivery: nobody is told about a message from nobody", "[F53]") {
  DeliveryBed bed;
  bed.tick();
  answer_all(bed, {550, "5.1.1", "nobody"});
  bed.put(asking("", "a@far.example", kNotifySuccess | kNotifyFailure | kNotifyDelay), kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.dispatcher->counters().failed == 1);
  CHECK(bed.dispatcher->counters().notified == 0);
}

TEST_CASE("mail/delivery: a notification that cannot be delivered ends there") {
  DeliveryBed bed;
  bed.tick();
  answer_all(bed, {550, "5.1.1", "nobody"});
  bed.put(asking("gone@far.example", "a@far.example", 0), kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.dispatcher->counters().failed == 2);
  CHECK(bed.dispatcher->counters().notified == 1);
}

TEST_CASE("mail/delivery: NOTIFY says what is told", "[RFC3461]") {
  struct Case {
    uint8_t notify;
    Reply reply;
    bool has_dsn;
    const char* action;  // nullptr: nothing is told
  };
  const Case cases[] = {
      {0, {250, "2.0.0", "ok"}, false, nullptr},
      {kNotifySuccess, {250, "2.0.0", "ok"}, false, "Action: relayed"},
      {kNotifySuccess, {250, "2.0.0", "ok"}, true, nullptr},
      {kNotifyFailure, {250, "2.0.0", "ok"}, false, nullptr},
      {kNotifyFailure, {550, "5.1.1", "no"}, true, "Action: failed"},
      {kNotifySuccess, {550, "5.1.1", "no"}, false, nullptr},
      {kNotifyNever, {550, "5.1.1", "no"}, false, nullptr},
      {kNotifyDelay, {550, "5.1.1", "no"}, false, nullptr},
  };
  for (const Case& one : cases) {
    CAPTURE(int{one.notify}, one.reply.code, one.has_dsn);
    DeliveryBed bed;
    bed.tick();
    answer_all(bed, one.reply, one.has_dsn);
    bed.put(asking("anna@office.example", "a@far.example", one.notify), kText);
    REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
    const auto texts = bed.texts("anna");
    REQUIRE(texts.size() == (one.action == nullptr ? 0 : 1));
    if (one.action != nullptr) CHECK(contains(texts[0], one.action));
  }
}

TEST_CASE("mail/delivery: what came into a mailbox here is told as delivered", "[RFC3461]") {
  DeliveryBed bed;
  bed.tick();
  bed.put(asking("anna@office.example", "bert@office.example", kNotifySuccess), kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("bert").size() == 1);
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(contains(texts[0], "Action: delivered"));
  CHECK(contains(texts[0], "Final-Recipient: rfc822;bert@office.example"));
}

TEST_CASE("mail/delivery: of an alias with several targets is told that it was expanded") {
  DeliveryBed bed;
  bed.settings.book.aliases["sales"] = {"bert", "carl"};
  bed.settings.book.aliases["info"] = {"bert"};
  bed.follow();
  bed.tick();
  bed.put(asking("anna@office.example", "sales@office.example", kNotifySuccess), kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(contains(texts[0], "Action: expanded"));
  CHECK(contains(texts[0], "sales@office.example"));
  CHECK_FALSE(contains(texts[0], "bert"));
  // With one target it goes on as it was asked for.
  bed.put(asking("carl@office.example", "info@office.example", kNotifySuccess), kText);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  texts = bed.texts("carl");
  REQUIRE(texts.size() == 2);
  const std::string& told = contains(texts[0], "Action:") ? texts[0] : texts[1];
  CHECK(contains(told, "Action: delivered"));
  CHECK(contains(told, "Original-Recipient: rfc822;info@office.example"));
}

TEST_CASE("mail/delivery: the sender hears once that it takes long", "[RFC3461]") {
  DeliveryBed bed;
  bed.settings.delivery.warning = seconds(3600);
  bed.settings.delivery.longest_retry = seconds(600);
  bed.follow();
  bed.tick();
  answer_all(bed, {450, "4.2.1", "busy"});
  bed.put(asking("anna@office.example", "a@far.example", 0), kText);
  bed.put(asking("bert@office.example", "a@far.example", kNotifyFailure), kText);
  for (int i = 0; i < 12; ++i) {
    bed.settle();
    CHECK(bed.texts("anna").size() == (i * 700 >= 3600 ? 1 : 0));
    bed.pass(700);
  }
  bed.settle();
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(contains(texts[0], "Action: delayed"));
  CHECK(contains(texts[0], "Will-Retry-Until"));
  CHECK(contains(texts[0], "Status: 4.2.1"));
  CHECK(bed.texts("bert").empty());
  REQUIRE(bed.queued() == 2);
  CHECK(bed.queue->find(1)->progress[0].was_told_late);
}

TEST_CASE("mail/delivery: what the sender is owed is told after a start, too") {
  DeliveryBed bed;
  bed.put(asking("anna@office.example", "a@far.example", 0), kText);
  Progress failed;
  failed.state = RecipientState::failed;
  failed.is_owed = true;
  failed.said = "mx.isp.example[192.0.2.25]:25 said: 550 5.7.1 never";
  bed.queue->change(1, {{0, failed}});
  bed.settle();
  bed.reopen();
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(contains(bed.texts("anna").at(0), "Status: 5.7.1"));
  // And one whose end was not written any more ends.
  bed.put(asking("anna@office.example", "a@far.example", 0), kText);
  failed.is_owed = false;
  bed.queue->change(bed.only(), {{0, failed}});
  bed.reopen();
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: a message stays until its notification is on the disk") {
  DeliveryBed bed;
  bed.tick();
  bed.put(asking("anna@office.example", "a@far.example", 0), kText);
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  {
    const postern::test::FullDisk full(4096);
    bed.hops.reply({550, "5.1.1", "nobody"});
    bed.settle();
    CHECK(bed.queued() == 1);
    bed.pass(61);
    bed.settle();
    CHECK(bed.queued() == 1);
  }
  bed.pass(61);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: a full queue does not keep notifications from senders") {
  DeliveryBed bed;
  bed.tick();
  bed.put(asking("anna@office.example", "a@far.example", 0), kText);
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  QueueLimits none;
  none.messages = 1;
  bed.queue->set_limits(none);
  CHECK(bed.queue->begin() == nullptr);
  bed.hops.reply({550, "5.1.1", "nobody"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: a notification needs no extension on its way back", "[RFC3464]") {
  DeliveryBed bed;
  bed.tick();
  std::vector<FakeHops::Sent> notifications;
  bed.hops.answer = [&notifications](const FakeHops::Sent& sent) {
    if (!sent.job.envelope->sender.is_null()) return FakeHops::result(sent, {550, "5.1.1", "no"});
    notifications.push_back(sent);
    return FakeHops::result(sent, {250, "2.0.0", "ok"});
  };
  Envelope said = asking("joe@near.example", "\xc3\xb6@far.example", 0);
  said.is_8bit = said.is_utf8 = true;
  const std::string text = "Subject: \xe2\x82\xac\r\n\r\n\xe2\x82\xac\r\n";
  const auto put = [&](uint8_t returns, const std::string& what) {
    said.returns = returns;
    bed.put(said, what);
    REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  };
  put(kReturnsUnsaid, text);
  put(kReturnsFull, text);
  put(kReturnsFull, "Subject: e\r\n\r\ne\r\n");
  REQUIRE(notifications.size() == 3);
  for (size_t i = 0; i < notifications.size(); ++i) {
    const FakeHops::Sent& sent = notifications[i];
    const bool is_high = contains(sent.text, "\xe2\x82\xac");
    CHECK(is_high == (i == 1));
    CHECK(sent.job.envelope->is_8bit == is_high);
    CHECK(sent.job.envelope->is_utf8 == is_high);
    if (is_high) continue;
    CHECK(std::all_of(sent.text.begin(), sent.text.end(), [](char octet) { return octet > 0; }));
    CHECK(contains(sent.text, "report-type=delivery-status"));
    CHECK(contains(sent.text, "Final-Recipient: utf-8;\\x{F6}@far.example\r\n"));
  }
}
