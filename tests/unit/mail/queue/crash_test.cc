// SPDX-License-Identifier: BSD-3-Clause
// The queue through kill -9, and on a disk that is full.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "unit/control/full_disk.h"
#include "unit/mail/queue/queue_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

// The text of that number: short ones, and every fifth a long one.
std::string text_of(uint64_t number) {
  const size_t octets = number % 5 == 0 ? 70'000 + number % 1000 : 100 + number % 3000;
  return std::string(octets, static_cast<char>('a' + number % 26));
}

struct Event {
  uint64_t number;
  bool is_gone;
};

// Takes messages and removes some until it is killed; tells `fd` what is on the disk.
[[noreturn]] void work(const std::string& folder, int fd) {
  Turns turns;
  Queue::Options options;
  options.folder = folder;
  options.post = turns.post();
  options.on_trouble = [](const std::string&) {};
  auto opened = Queue::open(std::move(options));
  if (!opened) _exit(2);
  Queue& queue = **opened;
  const auto tell = [fd](const Event& event) {
    if (write(fd, &event, sizeof event) != sizeof event) _exit(3);
  };
  std::function<void()> next = [&] {
    auto incoming = queue.begin();
    if (!incoming) return;
    incoming->append(text_of(incoming->number()));
    incoming->commit(
        envelope("a@a.example", {"b@b.example"}), 1, [&](const Result<uint64_t>& done) {
          if (!done) _exit(4);
          tell({*done, false});
          if (*done % 3 == 0)
            queue.remove(*done, [&, number = *done](const Result<void>&) { tell({number, true}); });
          next();
        });
  };
  for (int session = 0; session < 10; ++session)
    next();
  turns.run_until([] { return false; });
  _exit(5);
}

}  // namespace

TEST_CASE(
    "mail/queue: kill -9 loses nothing that was acknowledged, and keeps nothing that was removed") {
  const std::string root = temporary_folder();
  std::map<uint64_t, bool> known;  // whether it is gone
  size_t seen = 0;
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) work(root + "/queue", ends[1]);
    close(ends[1]);
    Event event{};
    const size_t wanted = 40 + static_cast<size_t>(round) * 13;
    size_t count = 0;
    while (count < wanted && read(ends[0], &event, sizeof event) == sizeof event) {
      known[event.number] = event.is_gone;
      ++count;
    }
    REQUIRE(count == wanted);
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    while (read(ends[0], &event, sizeof event) == sizeof event)
      known[event.number] = event.is_gone;
    close(ends[0]);

    QueueBed bed;
    bed.folder = root + "/queue";
    bed.open();
    for (const auto& [number, is_gone] : known) {
      CAPTURE(round, number, is_gone);
      if (is_gone) CHECK(bed.queue->find(number) == nullptr);
      // One that was being removed may be there or not.
      if (!is_gone && number % 3 != 0) REQUIRE(bed.queue->find(number) != nullptr);
      if (bed.queue->find(number) != nullptr) CHECK(bed.text(number) == text_of(number));
      seen += is_gone ? 0 : 1;
    }
  }
  CHECK(seen > 200);
  std::error_code ignored;
  std::filesystem::remove_all(root, ignored);
}

TEST_CASE("mail/queue: on a full disk the sender keeps its message, and what is here stays") {
  QueueBed bed;
  const uint64_t number = bed.put(std::string(1000, 'x'));
  auto full = std::make_unique<postern::test::FullDisk>(4096);
  CHECK(bed.put(std::string(1000, 'y')) == 0);
  CHECK(bed.put(std::string(200'000, 'y')) == 0);
  CHECK(bed.queue->counters().is_failing);
  CHECK(bed.troubles.size() == 1);
  Progress late;
  late.attempts = 7;
  bool is_written = false;
  bed.queue->change(number, {{0, late}}, [&](const Result<void>&) { is_written = true; });
  CHECK(bed.text(number) == std::string(1000, 'x'));
  CHECK_FALSE(is_written);
  full.reset();
  // What has happened is written as soon as it can be.
  REQUIRE(bed.turns.run_until([&] { return is_written; }));
  CHECK(bed.put(std::string(200'000, 'z')) != 0);
  CHECK_FALSE(bed.queue->counters().is_failing);
  CHECK(bed.troubles.back().empty());
  bed.open();
  CHECK(bed.queue->find(number)->progress[0].attempts == 7);
  CHECK(bed.files() == 1);
}
