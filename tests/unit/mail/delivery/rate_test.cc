// SPDX-License-Identifier: BSD-3-Clause
// How many messages a second go through; asked for by name: postern_unit '[.rate]'.
#include <chrono>

#include "unit/mail/delivery/delivery_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

// Twenty sessions hand over 4 KiB messages, one behind the other.
void measure(const char* what, const std::vector<std::string>& to) {
  constexpr size_t kMessages = 6000;
  DeliveryBed bed;
  bed.keeps_events = false;
  bed.hops.answer = [](const FakeHops::Sent& sent) {
    return FakeHops::result(sent, {250, "", ""});
  };
  bed.tick();
  std::string text = "Subject: a\r\n\r\n";
  while (text.size() < 4096)
    text += "a line of the text, of some length\r\n";
  size_t begun = 0, answered = 0;
  std::function<void()> next = [&] {
    if (begun++ >= kMessages) return;
    auto incoming = bed.queue->begin();
    incoming->append(text);
    bed.intake->finish(std::move(incoming), envelope("x@far.example", {to[begun % to.size()]}), {},
                       "smtp", [&](const Reply& reply) {
                         answered += reply.is_ok() ? 1 : 0;
                         next();
                       });
  };
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (int session = 0; session < 20; ++session)
    next();
  REQUIRE(bed.run_until([&] { return answered == kMessages; }, 120));
  const std::chrono::duration<double> accepted = Clock::now() - start;
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }, 120));
  const std::chrono::duration<double> done = Clock::now() - start;
  WARN(what << ": accepted " << kMessages / accepted.count() << "/s, done "
            << kMessages / done.count() << "/s, " << bed.queue->counters().commits << " commits");
}

}  // namespace

TEST_CASE("mail/delivery: rate", "[.rate]") {
  measure("to one mailbox", {"anna@office.example"});
  measure("to three mailboxes",
          {"anna@office.example", "bert@office.example", "carl@office.example"});
  measure("to a next hop", {"a@far.example"});
}
