// SPDX-License-Identifier: BSD-3-Clause
// Intake and delivery through kill -9: what was answered for is in each mailbox, once.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "unit/mail/delivery/delivery_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

std::string subject(uint32_t serial) {
  return "Subject: message " + std::to_string(serial) + "\r\n";
}

std::string text_of(uint32_t serial) {
  std::string text = subject(serial) + "\r\n";
  for (uint32_t i = 0; i < (serial % 7 == 0 ? 5000U : serial % 50); ++i)
    text += "a line of a message\r\n";
  return text;
}

// Takes messages for two mailboxes until it is killed; tells `fd` which it has answered for.
[[noreturn]] void work(const std::string& root, uint32_t first, int fd) {
  DeliveryBed bed;
  bed.root = root;
  bed.reopen();
  bed.keeps_events = false;
  bed.tick();
  uint32_t serial = first;
  std::function<void()> next = [&] {
    auto incoming = bed.queue->begin();
    if (!incoming) _exit(2);
    const uint32_t mine = serial++;
    incoming->append(text_of(mine));
    bed.intake->finish(std::move(incoming),
                       envelope("x@far.example", {"anna@office.example", "bert@office.example"}),
                       {}, "smtp", [&, mine](const Reply& reply) {
                         if (!reply.is_ok() || write(fd, &mine, sizeof mine) != sizeof mine)
                           _exit(3);
                         next();
                       });
  };
  for (int session = 0; session < 8; ++session)
    next();
  bed.run_until([] { return false; });
  _exit(4);
}

}  // namespace

TEST_CASE("mail/delivery: kill -9 loses and doubles nothing on its way into mailboxes", "[C20]") {
  const std::string root = temporary_folder();
  std::vector<uint32_t> answered;
  uint32_t first = 0;
  for (int round = 0; round < 6; ++round) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) work(root, first, ends[1]);
    close(ends[1]);
    uint32_t serial = 0;
    const size_t wanted = answered.size() + 30 + static_cast<size_t>(round) * 17;
    while (answered.size() < wanted && read(ends[0], &serial, sizeof serial) == sizeof serial)
      answered.push_back(serial);
    REQUIRE(answered.size() == wanted);
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    while (read(ends[0], &serial, sizeof serial) == sizeof serial)
      answered.push_back(serial);
    close(ends[0]);
    first += 100'000;
  }
  DeliveryBed bed;
  const std::string own = bed.root;
  bed.root = root;
  bed.reopen();
  bed.tick();
  REQUIRE(bed.run_until([&] { return bed.queued() == 0; }));
  for (const char* user : {"anna", "bert"}) {
    std::map<std::string, size_t> found;
    for (const std::string& text : bed.texts(user)) {
      const size_t at = text.find("Subject: ");
      REQUIRE(at != std::string::npos);
      ++found[text.substr(at, text.find('\n', at) - at)];
    }
    for (const uint32_t serial : answered) {
      const std::string line = subject(serial);
      CAPTURE(user, line);
      CHECK(found[line.substr(0, line.size() - 2)] == 1);
    }
    for (const auto& [line, count] : found) {
      CAPTURE(user, line);
      CHECK(count == 1);
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(own, ignored);
}
