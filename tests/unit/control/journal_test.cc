// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>

#include "control/log/journal_writer.h"

using namespace postern;

namespace {

enum class Mood { takes, refuses, waits };
std::atomic<Mood> mood;
std::mutex mutex;
std::vector<std::string> taken;  // under the mutex

bool send(const std::vector<std::string>& fields) {
  while (mood == Mood::waits)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (mood == Mood::refuses) return false;
  std::lock_guard lock(mutex);
  taken.push_back(fields[0]);
  return true;
}

void write(JournalWriter& journal, int count) {
  for (int i = 0; i < count; ++i) {
    LogEntry entry;
    entry.line = "text";
    journal.take(entry);
  }
}

}  // namespace

TEST_CASE("control/log: lines that the journal refuses are counted and told", "[F67]") {
  taken.clear();
  mood = Mood::refuses;
  JournalWriter journal(send);
  write(journal, 10);
  for (int i = 0; i < 300 && journal.lost() < 10; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(journal.lost() == 10);
  mood = Mood::takes;
  write(journal, 1);
  CHECK(journal.end() == 0);
  CHECK(taken ==
        std::vector<std::string>{"MESSAGE=10 lines did not reach the journal", "MESSAGE=text"});
}

TEST_CASE("control/log: a journal that does not go on holds nobody up", "[F67]") {
  taken.clear();
  mood = Mood::waits;
  const auto begin = std::chrono::steady_clock::now();
  uint64_t lost = 0;
  {
    JournalWriter journal(send);
    write(journal, 20);
    CHECK(journal.end() == 20);
    write(journal, 5);
    lost = journal.lost();
  }
  CHECK(lost == 25);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(3));
  mood = Mood::takes;
}
