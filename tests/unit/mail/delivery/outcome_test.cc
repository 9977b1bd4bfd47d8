// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/outcome.h"

#include <catch2/catch.hpp>
#include <set>

#include "services/mail/delivery/due_times.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

QueuedMessage message() {
  QueuedMessage made;
  made.number = 7;
  made.arrived_s = 1000;
  made.envelope.sender = {"anna", "office.example"};
  made.envelope.recipients.resize(1);
  made.envelope.recipients[0].address = {"a", "far.example"};
  made.progress.resize(1);
  return made;
}

}  // namespace

TEST_CASE("mail/delivery: waits double up to the longest, and differ a little") {
  const DeliverySettings settings;
  std::set<int64_t> firsts;
  for (uint64_t number = 1; number <= 100; ++number) {
    int64_t wanted = settings.first_retry.ns;
    for (uint32_t attempts = 1; attempts <= 40; ++attempts) {
      const int64_t wait = back_off(settings, attempts, number).ns;
      CAPTURE(number, attempts, wait);
      REQUIRE(wait >= wanted);
      REQUIRE(wait <= wanted + wanted / 8);
      wanted = std::min(wanted * 2, settings.longest_retry.ns);
    }
    firsts.insert(back_off(settings, 1, number).ns);
  }
  CHECK(firsts.size() > 90);
  DeliverySettings odd;
  odd.first_retry = seconds(0);
  odd.longest_retry = seconds(-1);
  CHECK(back_off(odd, 1, 1).ns >= seconds(1).ns);
}

TEST_CASE("mail/delivery: an answer decides what becomes of a recipient") {
  const DeliverySettings settings;
  const QueuedMessage one = message();
  const Progress later =
      progress_after({{450, "4.2.1", "busy"}, "mx[192.0.2.1]:25", {}}, one, 0, settings, 2000);
  CHECK(later.state == RecipientState::waiting);
  CHECK(later.attempts == 1);
  CHECK(later.next_s >= 2300);
  CHECK(later.said == "mx[192.0.2.1]:25 said: 450 4.2.1 busy");
  CHECK_FALSE(later.is_owed);
  const int64_t end_s = 1000 + 432'000;
  CHECK(progress_after({{450, "", ""}, "", {}}, one, 0, settings, end_s - 1).state ==
        RecipientState::waiting);
  // The clock alone does not fail what was hardly tried.
  CHECK(progress_after({{450, "", ""}, "", {}}, one, 0, settings, end_s).state ==
        RecipientState::waiting);
  QueuedMessage tried = one;
  tried.progress[0].attempts = 2;
  const Progress expired = progress_after({{450, "", ""}, "", {}}, tried, 0, settings, end_s);
  CHECK(expired.state == RecipientState::failed);
  CHECK(expired.is_owed);
  const Progress long_words =
      progress_after({{550, "5.1.1", std::string(2000, 'x')}, "", {}}, one, 0, settings, 2000);
  CHECK(long_words.said.size() <= kSaidMax);
}

TEST_CASE("mail/delivery: a clock that was set fails nothing, and keeps nothing for ever") {
  const DeliverySettings settings;
  const Attempt busy = {{450, "4.2.1", "busy"}, "", {}};
  constexpr int64_t kYearsS = 40LL * 365 * 86'400;
  QueuedMessage one = message();
  for (const int64_t arrived_s : {1000 + kYearsS, 1000 - kYearsS}) {
    CAPTURE(arrived_s);
    one.arrived_s = arrived_s;
    one.progress[0].attempts = 10;
    CHECK_FALSE(is_overdue(one, settings, 1000));
    CHECK_FALSE(is_late(one, 0, settings, 1000));
    CHECK(progress_after(busy, one, 0, settings, 1000).state == RecipientState::waiting);
    one.progress[0].attempts = 1000;
    CHECK(progress_after(busy, one, 0, settings, 1000).state == RecipientState::failed);
  }
  Progress later;
  later.next_s = 5000;
  CHECK(due_of(later, settings, 1000) == 5000);
  later.next_s = kYearsS;
  CHECK(due_of(later, settings, 1000) == 0);
}

TEST_CASE("mail/delivery: who was out of reach is asked again soon") {
  const DeliverySettings settings;
  Attempt away = {{451, "4.4.1", "nobody answers"}, "", {}};
  away.was_tried = false;
  QueuedMessage one = message();
  one.progress[0].attempts = 20;
  CHECK(progress_after(away, one, 0, settings, 2000).next_s <= 2000 + 900);
  CHECK(progress_after(away, one, 0, settings, 2000).attempts == 21);
  away.was_tried = true;
  CHECK(progress_after(away, one, 0, settings, 2000).next_s >= 2000 + 7200);
}

TEST_CASE("mail/delivery: a notification says what the next hop said, as far as it did") {
  const DeliverySettings settings;
  struct Case {
    const char* said;
    const char* status;
    const char* remote;
    const char* diagnostic;
  };
  const Case cases[] = {
      {"mx.far.example[192.0.2.1]:25 said: 550 5.1.1 nobody", "5.1.1", "mx.far.example",
       "550 5.1.1 nobody"},
      {"550 5.1.1 nobody", "5.1.1", "", "550 5.1.1 nobody"},
      {"550 nobody", "5.0.0", "", "550 nobody"},
      {"550 4.1.1 odd", "5.0.0", "", "550 4.1.1 odd"},
      {"450 4.2.1 busy", "4.4.7", "", "450 4.2.1 busy"},
      {"", "5.0.0", "", ""},
      {"550", "5.0.0", "", "550"},
  };
  for (const Case& wanted : cases) {
    CAPTURE(wanted.said);
    QueuedMessage one = message();
    one.progress[0].state = RecipientState::failed;
    one.progress[0].said = wanted.said;
    const DsnRecipient about = dsn_recipient(one, 0, settings, 2000);
    CHECK(about.action == DsnAction::failed);
    CHECK(about.status == wanted.status);
    CHECK(about.remote == wanted.remote);
    CHECK(about.diagnostic == wanted.diagnostic);
  }
}

TEST_CASE("mail/delivery: what is due longest comes first, and once") {
  DueTimes due;
  due.set(1, 50);
  due.set(2, 40);
  due.set(3, 60);
  due.set(1, 30);
  due.set(3, 30);
  due.remove(9);
  CHECK(due.size() == 3);
  CHECK_FALSE(due.take(29));
  CHECK(due.take(45) == 1);
  CHECK(due.take(45) == 3);
  CHECK(due.take(45) == 2);
  CHECK_FALSE(due.take(1000));
}
