// SPDX-License-Identifier: BSD-3-Clause
// What scanners, routing and notifications say of a message in the queue.
#include "unit/mail/queue/queue_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

uint64_t put_unscanned(QueueBed& bed, const std::string& text) {
  auto incoming = bed.queue->begin();
  incoming->append(text);
  incoming->set_unscanned();
  uint64_t number = 0;
  incoming->commit(envelope("a@a.example", {"b@b.example"}), 1000,
                   [&number](const Result<uint64_t>& done) { number = done ? *done : 0; });
  REQUIRE(bed.turns.run_until([&number] { return number != 0; }));
  return number;
}

}  // namespace

TEST_CASE("mail/queue: what no scanner has seen is known as that after a start, and what it put") {
  QueueBed bed;
  const uint64_t seen = put_unscanned(bed, "one\r\n");
  const uint64_t unseen = put_unscanned(bed, "two\r\n");
  const uint64_t kept = put_unscanned(bed, "three\r\n");
  CHECK(bed.queue->find(seen)->is_unscanned);
  bed.queue->scanned(seen, "X-Scan: clean\r\n", HeldBy::nobody);
  bed.queue->scanned(kept, "", HeldBy::scanner);
  CHECK_FALSE(bed.queue->find(seen)->is_unscanned);
  bed.settle();
  bed.open();
  CHECK_FALSE(bed.queue->find(seen)->is_unscanned);
  CHECK_FALSE(bed.queue->find(seen)->is_held());
  CHECK(bed.queue->find(seen)->front == "X-Scan: clean\r\n");
  CHECK(bed.text(seen) == "one\r\n");
  CHECK(bed.queue->find(unseen)->is_unscanned);
  CHECK(bed.queue->find(unseen)->front.empty());
  CHECK(bed.queue->find(kept)->is_held());
}

TEST_CASE("mail/queue: mailbox and folder of a recipient, and what is owed to the sender, stay") {
  QueueBed bed;
  Envelope to = envelope("a@a.example", {"anna@office.example", "b@b.example"});
  to.recipients[0].user = "anna";
  to.recipients[0].folder = "Lists/DPDK";
  const uint64_t number = bed.put("text\r\n", to);
  Progress failed;
  failed.state = RecipientState::failed;
  failed.is_owed = true;
  bed.queue->change(number, {{1, failed}});
  bed.settle();
  bed.open();
  const QueuedMessage& message = *bed.queue->find(number);
  CHECK(message.envelope.recipients == to.recipients);
  CHECK(message.progress[1] == failed);
  CHECK_FALSE(message.progress[0].is_owed);
}

TEST_CASE("mail/queue: recipients can be replaced by others, more or fewer") {
  QueueBed bed;
  const uint64_t number = bed.put("text\r\n", envelope("a@a.example", {"b@b.example"}));
  const Envelope others = envelope("", {"c@c.example", "d@d.example", "e@e.example"});
  std::vector<Progress> progress(3);
  progress[2].attempts = 7;
  bed.queue->replace(number, others.recipients, progress);
  bed.queue->change(number, {{1, progress[2]}});
  progress[1] = progress[2];
  bed.settle();
  bed.open();
  CHECK(bed.queue->find(number)->envelope.recipients == others.recipients);
  CHECK(bed.queue->find(number)->envelope.sender == address("a@a.example"));
  CHECK(bed.queue->find(number)->progress == progress);
  bed.queue->replace(number, {others.recipients[2]}, {progress[2]});
  bed.settle();
  bed.open();
  CHECK(bed.queue->find(number)->envelope.recipients.size() == 1);
  bed.queue->remove(number);
}

TEST_CASE("mail/queue: what we write ourselves is not held up by the limits") {
  QueueBed bed;
  bed.limits.messages = 1;
  bed.limits.octets = 100;
  bed.limits.message_octets = 50;
  bed.open();
  REQUIRE(bed.put("text\r\n") != 0);
  CHECK(bed.queue->begin() == nullptr);
  auto own = bed.queue->begin_own();
  CHECK(own->append(std::string(200, 'x')));
  uint64_t number = 0;
  own->commit(envelope("", {"a@a.example"}), 1000,
              [&number](const Result<uint64_t>& done) { number = done ? *done : 0; });
  own.reset();
  REQUIRE(bed.turns.run_until([&number] { return number != 0; }));
  CHECK(bed.text(number).size() == 200);
  CHECK(bed.queue->begin() == nullptr);
}
