// SPDX-License-Identifier: BSD-3-Clause
// On to next hops: rounds, times, hops that are out of reach, and many messages at once.
#include <set>

#include "unit/mail/delivery/delivery_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

RelayResult out_of_reach(const FakeHops::Sent& sent) {
  RelayResult result = FakeHops::result(sent, {451, "4.4.1", "nobody answers"});
  result.was_tried = false;
  return result;
}

}  // namespace

TEST_CASE("mail/delivery: recipients of one hop go together, each with its own fate") {
  DeliveryBed bed;
  bed.tick();
  bed.put("anna@office.example",
          {"a@far.example", "b@far.example", "c@far.example", "d@other.example"});
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 2; }));
  CHECK(bed.hops.sent[0].hop == "by far.example");
  CHECK(bed.hops.sent[0].job.places == std::vector<size_t>{0, 1, 2});
  CHECK(bed.hops.sent[1].job.places == std::vector<size_t>{3});
  CHECK(bed.hops.sent[0].job.id == "000001");
  auto then = bed.hops.sent[0].then;
  bed.hops.sent.pop_front();
  then({{{0, {250, "2.0.0", "ok"}}, {1, {450, "4.2.1", "busy"}}, {2, {550, "5.1.1", "nobody"}}},
        "mx.far.example[192.0.2.1]:25",
        true,
        false});
  CHECK(bed.queue->find(1)->progress[1].next_s > bed.now_s);
  bed.hops.reply({250, "2.0.0", "ok"});
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().notified == 1; }));
  REQUIRE(bed.run_until([&] { return bed.queued() == 1; }));
  CHECK(bed.texts("anna").size() == 1);
  bed.pass(1000);
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  CHECK(bed.hops.sent[0].job.places == std::vector<size_t>{1});
  bed.hops.reply({250, "2.0.0", "ok"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
  CHECK(bed.dispatcher->counters().relayed == 3);
  CHECK(bed.dispatcher->counters().failed == 1);
}

TEST_CASE("mail/delivery: tries are further and further apart, and end") {
  DeliveryBed bed;
  bed.settings.delivery.first_retry = seconds(100);
  bed.settings.delivery.longest_retry = seconds(1000);
  bed.settings.delivery.expiry = seconds(5000);
  bed.settings.delivery.warning = seconds(0);
  bed.follow();
  bed.hops.answer = [](const FakeHops::Sent& sent) {
    return FakeHops::result(sent, {450, "4.2.1", "busy"});
  };
  const int64_t start_s = bed.now_s;
  std::vector<int64_t> tries;
  bed.tick();
  bed.put("anna@office.example", {"a@far.example"});
  for (size_t seen = 0; bed.dispatcher->counters().failed == 0;) {
    REQUIRE(tries.size() < 30);
    REQUIRE(bed.run_until([&] {
      return bed.dispatcher->counters().deferred + bed.dispatcher->counters().failed > seen;
    }));
    ++seen;
    tries.push_back(bed.now_s - start_s);
    if (bed.queue->find(1) == nullptr) break;
    const int64_t next_s = bed.queue->find(1)->progress[0].next_s;
    if (bed.queue->find(1)->progress[0].state != RecipientState::waiting) break;
    bed.now_s = next_s - 1;
    bed.tick();
    bed.settle();
    CHECK(bed.dispatcher->counters().deferred == seen);
    bed.pass(1);
  }
  REQUIRE(tries.size() > 6);
  for (size_t i = 1; i < tries.size(); ++i) {
    const int64_t wait = tries[i] - tries[i - 1];
    const int64_t wanted = std::min<int64_t>(100 << (i - 1), 1000);
    CHECK(wait >= wanted);
    CHECK(wait <= wanted + wanted / 8 + 1);
  }
  CHECK(tries.back() >= 5000);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(contains(texts[0], "Status: 4.4.7"));
  CHECK(contains(texts[0], "Remote-MTA: dns;mx.isp.example\n"));
  CHECK(contains(texts[0], "450 4.2.1 busy"));
}

TEST_CASE("mail/delivery: another expiry is for messages that wait, too") {
  DeliveryBed bed;
  bed.settings.delivery.expiry = seconds(500'000);
  bed.settings.delivery.warning = seconds(0);
  bed.hops.is_time = false;
  bed.follow();
  bed.tick();
  bed.put("anna@office.example", {"a@far.example"});
  bed.settle();
  bed.pass(10'000);
  bed.settle();
  CHECK(bed.dispatcher->counters().deferred == 0);
  bed.settings.delivery.expiry = seconds(5000);
  bed.follow();
  bed.tick();
  // The first of the tries that come before the end.
  CHECK(bed.run_until([&] { return bed.dispatcher->counters().deferred == 1; }));
}

TEST_CASE("mail/delivery: outside of its times mail for others waits, and is not late", "[F52]") {
  DeliveryBed bed;
  bed.hops.is_time = false;
  bed.tick();
  bed.put("bert@office.example", {"a@far.example", "anna@office.example"});
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().delivered == 1; }));
  bed.pass(86'400);
  bed.dispatcher->retry_all();
  bed.settle();
  CHECK(bed.hops.sent.empty());
  CHECK(bed.queue->find(1)->progress[0].attempts == 0);
  CHECK(bed.texts("bert").empty());
  bed.reopen();
  bed.tick();
  bed.settle();
  CHECK(bed.hops.sent.empty());
  bed.hops.is_time = true;
  bed.pass(1);
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  bed.hops.reply({250, "2.0.0", "ok"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: what waits for a time that never comes fails in the end", "[F52]") {
  DeliveryBed bed;
  bed.hops.is_time = false;
  bed.settings.delivery.warning = seconds(0);
  bed.follow();
  bed.tick();
  bed.put("anna@office.example", {"a@far.example"});
  bed.pass(431'000);
  bed.settle();
  CHECK(bed.queue->find(1)->progress[0].attempts == 0);
  for (uint32_t i = 1; i <= 3; ++i) {
    bed.pass(2000);
    REQUIRE(bed.run_until([&] {
      return bed.dispatcher->counters().deferred + bed.dispatcher->counters().failed == i;
    }));
    bed.settle();
  }
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  const auto texts = bed.texts("anna");
  REQUIRE(texts.size() == 1);
  CHECK(contains(texts[0], "Status: 4.4.7"));
}

TEST_CASE("mail/delivery: a clock that is set back keeps nothing from being tried") {
  DeliveryBed bed;
  bed.set_s = 1'000'000'000;
  bed.tick();
  bed.put("anna@office.example", {"a@far.example"});
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  bed.hops.reply({450, "4.2.1", "busy"});
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().deferred == 1; }));
  bed.set_s = 0;
  bed.pass(1);
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  bed.hops.reply({250, "2.0.0", "ok"});
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
}

TEST_CASE("mail/delivery: what waits for a relay goes to another that is set meanwhile", "[F49]") {
  DeliveryBed bed;
  bed.hops.room = 1;
  bed.tick();
  for (int i = 0; i < 3; ++i)
    bed.put("", {"a@far.example"});
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  bed.settle();
  bed.settings.relay.helo = "other.example";
  bed.hops.prefix = "now by ";
  bed.follow();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
    CHECK(bed.hops.sent.front().hop == (i == 0 ? "by far.example" : "now by far.example"));
    bed.hops.reply({250, "2.0.0", "ok"});
    bed.tick();
  }
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.dispatcher->counters().deferred == 0);
}

TEST_CASE("mail/delivery: what waits in a line when the time ends waits for the next one",
          "[F52]") {
  DeliveryBed bed;
  bed.hops.room = 1;
  bed.tick();
  for (int i = 0; i < 3; ++i)
    bed.put("", {"a@far.example"});
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  bed.hops.is_time = false;
  bed.hops.reply({250, "2.0.0", "ok"});
  bed.pass(1);
  bed.settle();
  CHECK(bed.queued() == 2);
  CHECK(bed.hops.sent.empty());
  CHECK(bed.dispatcher->counters().deferred == 0);
  bed.hops.is_time = true;
  bed.pass(1);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
    bed.hops.reply({250, "2.0.0", "ok"});
  }
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
}

TEST_CASE("mail/delivery: a hop that is out of reach is asked once, and rests") {
  DeliveryBed bed;
  bed.settings.book.users.insert("x");
  bed.follow();
  size_t asked = 0;
  bed.hops.answer = [&asked](const FakeHops::Sent& sent) {
    ++asked;
    return out_of_reach(sent);
  };
  for (int i = 0; i < 50; ++i)
    bed.put("x@office.example", {"a@far.example"});
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().deferred == 50; }));
  CHECK(asked == 1);
  bed.put("x@office.example", {"a@far.example"});
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().deferred == 51; }));
  CHECK(asked == 1);
  CHECK(contains(bed.queue->find(51)->progress[0].said, "nobody answers"));
  // The link is back.
  bed.hops.answer = [](const FakeHops::Sent& sent) {
    return FakeHops::result(sent, {250, "", ""});
  };
  bed.dispatcher->retry_all();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.dispatcher->counters().relayed == 51);
}

TEST_CASE("mail/delivery: a hop that refuses a further connection gets no more than it takes") {
  DeliveryBed bed;
  bed.tick();
  for (int i = 0; i < 6; ++i)
    bed.put("", {"a@far.example"});
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 4; }));
  const FakeHops::Sent refused = bed.hops.sent.back();
  bed.hops.sent.pop_back();
  refused.then(out_of_reach(refused));
  bed.settle();
  CHECK(bed.hops.sent.size() == 3);
  CHECK(bed.dispatcher->counters().deferred == 0);
  for (int i = 0; i < 6; ++i) {
    REQUIRE(bed.run_until([&] { return !bed.hops.sent.empty(); }));
    CHECK(bed.hops.sent.size() <= 3);
    bed.hops.reply({250, "2.0.0", "ok"});
  }
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
}

TEST_CASE("mail/delivery: without a relay mail for others is kept, not bounced") {
  DeliveryBed bed;
  bed.hops.has_way = false;
  bed.tick();
  bed.put("anna@office.example", {"a@far.example"});
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().deferred == 1; }));
  CHECK(contains(bed.queue->find(1)->progress[0].said, "4.4.4"));
}

TEST_CASE("mail/delivery: a next hop that says nothing of a recipient is asked again later") {
  DeliveryBed bed;
  bed.tick();
  bed.put("", {"a@far.example", "b@far.example"});
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 1; }));
  const FakeHops::Sent one = bed.hops.sent.front();
  bed.hops.sent.clear();
  one.then({{{0, {250, "2.0.0", "ok"}}}, "mx", true, false});
  bed.settle();
  CHECK(bed.hops.sent.empty());
  CHECK(bed.queue->find(1)->progress[1].attempts == 1);
}

TEST_CASE("mail/delivery: ten thousand messages that are due at once go in order, in bounds") {
  DeliveryBed bed;
  bed.keeps_events = false;
  const std::string text = "Subject: a\r\n\r\ntext\r\n";
  size_t stored = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto incoming = bed.queue->begin();
    REQUIRE(incoming);
    incoming->append(text);
    incoming->commit(envelope("", {"a@far.example"}), bed.now_s,
                     [&stored](const Result<uint64_t>& done) { stored += done ? 1 : 0; });
  }
  REQUIRE(bed.run_until([&] { return stored == 10'000; }));
  bed.reopen();
  bed.tick();
  uint64_t last = 0;
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(bed.run_until([&] { return !bed.hops.sent.empty(); }));
    REQUIRE(bed.hops.sent.front().job.number > last);
    last = bed.hops.sent.front().job.number;
    bed.hops.reply({250, "2.0.0", "ok"});
  }
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.hops.most <= 4);
  CHECK(bed.dispatcher->counters().relayed == 10'000);
}

TEST_CASE("mail/delivery: while nothing can be done nothing is done") {
  DeliveryBed bed;
  bed.hops.room = 0;
  bed.tick();
  for (int i = 0; i < 20; ++i)
    bed.put("", {"a@far.example"});
  bed.settle();
  const size_t asked = bed.hops.asked_room;
  bed.settle();
  CHECK(bed.hops.asked_room == asked);
  bed.hops.room = 4;
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.hops.sent.size() == 4; }));
}
