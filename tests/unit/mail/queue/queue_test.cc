// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/queue/queue.h"

#include <fstream>

#include "unit/mail/queue/queue_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

std::string pattern(size_t octets, unsigned seed = 1) {
  std::string text(octets, ' ');
  for (size_t i = 0; i < octets; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 1000 + seed) % 26);
  return text;
}

Progress delivered() {
  Progress progress;
  progress.state = RecipientState::delivered;
  progress.attempts = 3;
  progress.said = "250 2.0.0 Ok";
  return progress;
}

}  // namespace

TEST_CASE("mail/queue: ids are numbers that people can read to each other") {
  CHECK(to_queue_id(1) == "000001");
  for (const uint64_t number :
       {uint64_t{1}, uint64_t{31}, uint64_t{32}, uint64_t{1} << 40, UINT64_MAX})
    CHECK(parse_queue_id(to_queue_id(number)) == number);
  CHECK(parse_queue_id("00000a") == 10);
  for (const char* wrong : {"", "00000U", "ZZZZZZZZZZZZZZ", "ZZZZZZZZZZZZZ", "12 34"})
    CHECK(parse_queue_id(wrong) == 0);
}

TEST_CASE("mail/queue: what was taken is there again, whole") {
  QueueBed bed;
  Envelope sent = envelope("anna@a.example", {"bert@b.example", "\"odd one\"@c.example"});
  sent.recipients[0].notify = kNotifyNever;
  sent.recipients[1].original = "rfc822;x@y";
  sent.id = "QQ314159";
  sent.returns = kReturnsHeaders;
  sent.is_8bit = sent.is_utf8 = true;
  sent.user = "anna";
  sent.client = Ipv4Address(192, 168, 1, 10);
  sent.helo = "pc.office.example";
  const std::string text = pattern(5000) + '\xff';
  const uint64_t number = bed.put(text, sent);
  REQUIRE(number != 0);
  CHECK(bed.text(number) == text);
  bed.open();
  const QueuedMessage* found = bed.queue->find(number);
  REQUIRE(found != nullptr);
  CHECK(found->envelope.sender == sent.sender);
  CHECK(found->envelope.recipients == sent.recipients);
  CHECK(found->envelope.id == sent.id);
  CHECK(found->envelope.returns == sent.returns);
  CHECK((found->envelope.is_8bit && found->envelope.is_utf8));
  CHECK(found->envelope.user == "anna");
  CHECK(found->envelope.client == sent.client);
  CHECK(found->envelope.helo == sent.helo);
  CHECK(found->arrived_s == 1000);
  CHECK(found->octets == text.size());
  CHECK(found->progress == std::vector<Progress>(2));
  CHECK(bed.text(number) == text);
}

TEST_CASE("mail/queue: long texts have files, which go with them") {
  QueueBed bed;
  for (const size_t octets :
       {kInlineMax - 1, kInlineMax, kInlineMax + 1, 3 * kInlineMax, 3 * kInlineMax + 5}) {
    const std::string text = pattern(octets);
    const uint64_t number = bed.put(text);
    CHECK(bed.files() == (octets > kInlineMax ? 1 : 0));
    CHECK(bed.text(number) == text);
    bed.open();
    CHECK(bed.text(number) == text);
    bool is_gone = false;
    bed.queue->remove(number, [&](const Result<void>& done) { is_gone = done.has_value(); });
    REQUIRE(bed.turns.run_until([&] { return is_gone; }));
    CHECK(bed.files() == 0);
    CHECK(bed.text(number).empty());
  }
}

TEST_CASE("mail/queue: a text is fed piece by piece, and one that is given up never was") {
  QueueBed bed;
  const std::string text = pattern(400'000);
  auto incoming = bed.queue->begin();
  for (size_t at = 0; at < text.size(); at += 1000)
    REQUIRE(incoming->append(std::string_view(text).substr(at, 1000)));
  uint64_t number = 0;
  incoming->commit(envelope("a@a", {"b@b"}), 1,
                   [&](const Result<uint64_t>& done) { number = *done; });
  incoming.reset();
  REQUIRE(bed.turns.run_until([&] { return number != 0; }));
  CHECK(bed.text(number) == text);

  incoming = bed.queue->begin();
  REQUIRE(incoming->append(text));
  CHECK(bed.queue->counters().octets == 2 * text.size());
  incoming.reset();
  bed.settle();
  CHECK(bed.files() == 1);
  CHECK(bed.queue->counters().octets == text.size() + 7);
}

TEST_CASE("mail/queue: how far a message is outlives a restart") {
  QueueBed bed;
  const uint64_t number = bed.put("text", envelope("a@a.example", {"b@b.example", "c@c.example"}));
  bed.queue->change(number, {{1, delivered()}});
  bed.queue->hold(number, HeldBy::administrator);
  CHECK(bed.queue->find(number)->progress[1] == delivered());
  bed.open();  // writes what is left
  const QueuedMessage* found = bed.queue->find(number);
  CHECK(found->progress[0] == Progress{});
  CHECK(found->progress[1] == delivered());
  CHECK(found->is_held());
}

TEST_CASE("mail/queue: numbers are never used twice") {
  QueueBed bed;
  const uint64_t first = bed.put("one");
  bed.queue->remove(first);
  bed.open();
  CHECK(bed.put("two") > first);
}

TEST_CASE("mail/queue: limits refuse what is too much, and let in what has room again") {
  QueueBed bed;
  bed.queue->set_limits({2, 10'000, 5'000});
  CHECK(bed.queue->begin(5'001) == nullptr);
  auto one = bed.queue->begin();
  CHECK_FALSE(one->append(pattern(5'001)));
  std::string why;
  one->commit(envelope("a@a", {"b@b"}), 1,
              [&](const Result<uint64_t>& done) { why = done.error().text; });
  CHECK(why.find("too large") != std::string::npos);
  auto two = bed.queue->begin();
  CHECK(bed.queue->begin() == nullptr);
  one.reset();
  two.reset();
  const uint64_t number = bed.put(pattern(4'000));
  CHECK(bed.put(pattern(4'000)) != 0);
  CHECK(bed.put("x") == 0);
  bed.queue->remove(number);
  CHECK(bed.queue->begin(9'000) == nullptr);
  CHECK(bed.put("x") != 0);
  CHECK(bed.queue->counters().refused == 5);
}

TEST_CASE("mail/queue: messages that come at once share their syncs") {
  QueueBed bed;
  const uint64_t before = bed.queue->counters().commits;
  size_t told = 0;
  for (int i = 0; i < 200; ++i) {
    auto incoming = bed.queue->begin();
    incoming->append(pattern(4096));
    incoming->commit(envelope("a@a", {"b@b"}), 1, [&](const Result<uint64_t>& done) {
      CHECK(done);
      ++told;
    });
  }
  REQUIRE(bed.turns.run_until([&] { return told == 200; }));
  CHECK(bed.queue->counters().commits - before < 100);
}

TEST_CASE("mail/queue: files of nobody are removed, and no others") {
  QueueBed bed;
  const uint64_t number = bed.put(pattern(100'000));
  bed.queue.reset();
  std::ofstream(bed.folder + "/texts/" + to_queue_id(number + 7) + ".text") << "half a text";
  std::ofstream(bed.folder + "/texts/notes") << "somebody's own";
  bed.open();
  CHECK(bed.files() == 2);
  CHECK(bed.text(number).size() == 100'000);
}

TEST_CASE("mail/queue: a file that is damaged or of another is refused, and left alone") {
  QueueBed bed;
  bed.queue.reset();
  const std::string path = bed.folder + "/queue.sqlite";
  std::ofstream(path, std::ios::trunc) << "this is no database, but long enough to be looked at";
  const auto opened = bed.try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().text.find(path) != std::string::npos);
  CHECK(std::filesystem::file_size(path) > 0);
}
