// SPDX-License-Identifier: BSD-3-Clause
// What is answered for, and what scanners have to do with it.
#include "unit/control/full_disk.h"
#include "unit/mail/delivery/delivery_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

ScanVerdict verdict(ScanVerdict::Kind kind) {
  ScanVerdict made;
  made.kind = kind;
  if (kind == ScanVerdict::Kind::infected) made.reply = {550, "5.7.1", "Eicar"};
  if (kind == ScanVerdict::Kind::defer) made.reply = {451, "4.7.1", "later"};
  made.what = "milter: something";
  return made;
}

struct ScanBed : DeliveryBed {
  Reply said;

  ScanBed() {
    settings.scan.milters = {"unix:/run/m.sock"};
    follow();
    tick();
  }
  // A message of which the scanner says that.
  void put_scanned(const ScanVerdict& says) {
    begin();
    CHECK(said.code == 0);
    say(says);
  }
  void begin() {
    said = {};
    auto incoming = queue->begin();
    incoming->append("Subject: a\r\n\r\nb\r\n");
    intake->finish(std::move(incoming), envelope("x@far.example", {"anna@office.example"}), {},
                   "smtp", [this](const Reply& reply) { said = reply; });
    REQUIRE(run_until([this] { return !scans.empty(); }));
  }
  void say(const ScanVerdict& says) {
    REQUIRE(!scans.empty());
    const auto then = scans.front();
    scans.pop_front();
    then(says);
    settle();
  }
};

}  // namespace

TEST_CASE("mail/delivery: a scanned message is answered for behind the scanner", "[F54]") {
  ScanBed bed;
  ScanVerdict clean = verdict(ScanVerdict::Kind::clean);
  clean.added = "X-Scan: clean\r\n";
  bed.put_scanned(clean);
  CHECK(bed.said.code == 250);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(contains(bed.texts("anna").at(0), "\nX-Scan: clean\nSubject: a\n"));
}

TEST_CASE("mail/delivery: what a scanner finds is refused, held or discarded", "[F54]") {
  ScanBed bed;
  bed.put_scanned(verdict(ScanVerdict::Kind::infected));
  CHECK(bed.said.code == 550);
  CHECK(bed.queued() == 0);
  CHECK(bed.count(MailEventKind::refused) == 1);
  CHECK(bed.count(MailEventKind::received) == 0);

  bed.settings.scan.infected = WithInfected::discard;
  bed.follow();
  bed.put_scanned(verdict(ScanVerdict::Kind::infected));
  CHECK(bed.said.code == 250);
  CHECK(bed.queued() == 0);
  CHECK(bed.count(MailEventKind::discarded) == 1);

  bed.settings.scan.infected = WithInfected::hold;
  bed.follow();
  bed.put_scanned(verdict(ScanVerdict::Kind::infected));
  CHECK(bed.said.code == 250);
  CHECK(bed.queued() == 1);
  CHECK(bed.count(MailEventKind::held) == 1);
  bed.pass(100'000);
  bed.settle();
  CHECK(bed.queued() == 1);
  CHECK(bed.texts("anna").empty());
  bed.dispatcher->retry(bed.only());
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);

  bed.put_scanned(verdict(ScanVerdict::Kind::defer));
  CHECK(bed.said.code == 451);
  CHECK(bed.queued() == 0);
  // A milter's own wish comes before the configuration's.
  ScanVerdict wish = verdict(ScanVerdict::Kind::infected);
  wish.is_discard = true;
  bed.put_scanned(wish);
  CHECK(bed.said.code == 250);
  CHECK(bed.queued() == 0);
}

TEST_CASE("mail/delivery: without a scanner mail is held until there is one", "[F54]") {
  ScanBed bed;
  bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  CHECK(bed.said.code == 250);
  CHECK(bed.queued() == 1);
  CHECK(bed.count(MailEventKind::unscanned) == 1);
  CHECK(bed.queue->find(1)->is_held());
  bed.reopen();
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.scans.size() == 1; }));
  bed.say(verdict(ScanVerdict::Kind::unavailable));
  CHECK(bed.queued() == 1);
  bed.pass(30);
  bed.settle();
  CHECK(bed.scans.empty());
  bed.pass(31);
  REQUIRE(bed.run_until([&] { return bed.scans.size() == 1; }));
  bed.say(verdict(ScanVerdict::Kind::clean));
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: without a scanner mail passes where that is wanted", "[F54]") {
  ScanBed bed;
  bed.settings.scan.without = WithoutScanner::pass;
  bed.follow();
  bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  CHECK(bed.said.code == 250);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
  CHECK(bed.count(MailEventKind::unscanned) == 1);
}

TEST_CASE("mail/delivery: what a crash left unscanned does not go unscanned", "[F54]") {
  ScanBed bed;
  bed.begin();
  bed.reopen();
  bed.settings.scan.infected = WithInfected::refuse;
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.scans.size() == 1; }));
  CHECK(bed.texts("anna").empty());
  // Nobody is there to be refused any more.
  bed.say(verdict(ScanVerdict::Kind::infected));
  CHECK(bed.queued() == 1);
  CHECK(bed.queue->find(1)->is_held());
  CHECK_FALSE(bed.queue->find(1)->is_unscanned);
}

TEST_CASE("mail/delivery: what an administrator releases goes without a scanner") {
  ScanBed bed;
  bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  bed.dispatcher->retry(1);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
  bed.pass(61);
  bed.settle();
  CHECK(bed.scans.empty());
}

TEST_CASE("mail/delivery: what is released while it is scanned was received all the same") {
  ScanBed bed;
  bed.begin();
  bed.dispatcher->hold(1);
  bed.settle();
  bed.dispatcher->retry(1);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.count(MailEventKind::received) == 0);
  bed.say(verdict(ScanVerdict::Kind::infected));
  CHECK(bed.said.code == 250);
  CHECK(bed.count(MailEventKind::received) == 1);
  CHECK(bed.intake->counters().received == 1);
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: a full disk is told as such, and nothing is answered for") {
  DeliveryBed bed;
  bed.tick();
  {
    const postern::test::FullDisk full(4096);
    const Reply reply = bed.put("x@far.example", {"anna@office.example"});
    CHECK(reply.code == 452);
  }
  CHECK(bed.queued() == 0);
  CHECK(bed.count(MailEventKind::refused) == 1);
  CHECK(bed.put("x@far.example", {"anna@office.example"}).code == 250);
}

TEST_CASE("mail/delivery: too many targets are refused, not cut") {
  DeliveryBed bed;
  std::vector<std::string>& all = bed.settings.book.groups["all"];
  for (int i = 0; i < 10'001; ++i) {
    all.push_back("user" + std::to_string(i));
    bed.settings.book.users.insert(all.back());
  }
  bed.follow();
  CHECK(bed.put("x@far.example", {"all@office.example"}).code == 554);
  CHECK(bed.queued() == 0);
}

TEST_CASE("mail/delivery: postmaster gets mail without a domain", "[RFC5321]") {
  DeliveryBed bed;
  bed.tick();
  CHECK(bed.put("x@far.example", {"postmaster"}).code == 250);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: what an administrator holds the scanner does not let go", "[F54]") {
  ScanBed bed;
  bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  bed.dispatcher->hold(1);
  bed.settle();
  bed.reopen();
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.scans.size() == 1; }));
  bed.say(verdict(ScanVerdict::Kind::clean));
  REQUIRE(bed.queue->find(1) != nullptr);
  CHECK(bed.queue->find(1)->held_by == HeldBy::administrator);
  CHECK_FALSE(bed.queue->find(1)->is_unscanned);
  CHECK(bed.texts("anna").empty());
  bed.dispatcher->retry(1);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == 1);
}

TEST_CASE("mail/delivery: the sender of what no scanner looks at hears of it", "[F54][RFC5321]") {
  ScanBed bed;
  bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  bed.dispatcher->hold(2);
  bed.pass(14'000);
  bed.settle();
  CHECK(bed.dispatcher->counters().notified == 0);
  bed.pass(401);
  REQUIRE(bed.run_until([&] { return bed.dispatcher->counters().notified == 1; }));
  for (int i = 0; i < 100 && bed.queue->find(1) != nullptr; ++i) {
    bed.pass(7200);
    bed.settle();
    for (const auto& then : std::exchange(bed.scans, {}))
      then(verdict(ScanVerdict::Kind::unavailable));
  }
  CHECK(bed.queue->find(1) == nullptr);
  CHECK(bed.dispatcher->counters().notified == 2);
  CHECK(bed.dispatcher->counters().failed == 1);
  CHECK(bed.queue->find(2) != nullptr);
  CHECK(bed.texts("anna").empty());
}

TEST_CASE("mail/delivery: the scanner is back, and all that waits follows at once", "[F54]") {
  ScanBed bed;
  constexpr size_t kMessages = 120;
  for (size_t i = 0; i < kMessages; ++i)
    bed.put_scanned(verdict(ScanVerdict::Kind::unavailable));
  bed.pass(61);
  size_t asked = 0;
  while (bed.run_until([&] { return !bed.scans.empty(); }, 2)) {
    CHECK(bed.scans.size() <= 50);
    const auto then = bed.scans.front();
    bed.scans.pop_front();
    then(verdict(ScanVerdict::Kind::clean));
    ++asked;
  }
  CHECK(asked == kMessages);
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  CHECK(bed.texts("anna").size() == kMessages);
}
