// SPDX-License-Identifier: BSD-3-Clause
// Fetching through kill -9: a process fetches and delivers, is killed at some moment, and another
// one goes on from the disk.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "unit/mail/fetch/fetch_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr unsigned kKills = 25;

// Fetches and delivers until it is killed. Never comes back.
[[noreturn]] void fetch_for_ever(const std::string& root, uint16_t port) {
  FetchBed bed;
  bed.close();
  bed.mail.root = root;
  bed.mail.reopen();
  bed.account.port = port;
  bed.open();
  for (;;) {
    if (!bed.state().is_running) (void)bed.fetcher->fetch_now("isp");
    ++bed.mail.now_s;
    bed.mail.tick();
    bed.mail.context.restart();
    bed.mail.context.run_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

TEST_CASE("mail/fetch: through kill -9 each message comes once", "[C20]") {
  FetchBed bed;
  bed.close();
  // Before the process forks nothing of the bed may have a thread.
  bed.mail.close();
  for (unsigned kill_number = 0; kill_number < kKills; ++kill_number) {
    for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
      bed.make(kind);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) fetch_for_ever(bed.mail.root, bed.box.port());
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(80 + kill_number * 53 % 400);
    while (std::chrono::steady_clock::now() < end) {
      bed.mail.context.restart();
      bed.mail.context.run_for(std::chrono::milliseconds(1));
    }
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    bed.mail.context.restart();
    bed.mail.context.run_for(std::chrono::milliseconds(5));
  }
  const size_t left = bed.box.messages.size();
  bed.mail.open();
  bed.open();
  CHECK(bed.fetch() == "");
  CHECK(bed.box.messages.empty());
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  CHECK(bed.box.connections > kKills / 2);  // else most kills hit nobody
  WARN(bed.box.connections << " sessions, " << left << " messages were left for the last one");
}
