// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/backlog.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "unit/control/configuration.h"
#include "unit/control/full_disk.h"

using namespace postern;
using test::FullDisk;

namespace {

struct Bed {
  test::TemporaryDirectory directory;
  std::string place = directory.path() + "/spool/a";

  size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(place))
      ++count;
    return count;
  }
};

std::vector<std::string> drained(Backlog& backlog) {
  std::vector<std::string> all;
  while (const std::string* message = backlog.next()) {
    all.push_back(*message);
    backlog.sent();
    backlog.acknowledge(1);
  }
  return all;
}

std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> list;
  for (int i = from; i < to; ++i)
    list.push_back(std::to_string(i));
  return list;
}

}  // namespace

TEST_CASE("control/log: a backlog keeps the order, over memory, disk and a restart", "[F68]") {
  Bed bed;
  std::mt19937 random(GENERATE(range(1u, 20u)));
  int made = 0;
  std::vector<std::string> got;
  for (int life = 0; life < 4; ++life) {
    Backlog backlog(bed.place, 64u << 20);
    REQUIRE(backlog.open());
    for (int step = 0; step < 300; ++step) {
      switch (random() % 9) {
        case 0:
          REQUIRE(backlog.spill());
          break;
        case 8:
          REQUIRE(backlog.secure());
          break;
        case 1:
          backlog.resend();
          break;
        case 2:
          backlog.resend();
          REQUIRE(backlog.save());
          break;
        case 3:
        case 4:
          if (backlog.next() != nullptr) backlog.sent();
          break;
        case 5:
          if (backlog.in_flight() > 0) {
            const size_t in_flight = backlog.in_flight();
            backlog.resend();
            got.push_back(*backlog.next());
            for (size_t i = 0; i < in_flight; ++i)
              backlog.sent();
            backlog.acknowledge(1);
          }
          break;
        default:
          REQUIRE(backlog.push(std::to_string(made++)));
      }
    }
    backlog.resend();
    REQUIRE(backlog.save());
  }
  Backlog backlog(bed.place, 64u << 20);
  REQUIRE(backlog.open());
  for (const std::string& message : drained(backlog))
    got.push_back(message);
  CHECK(got == numbers(0, made));
  CHECK(backlog.is_empty());
  CHECK(bed.files() == 0);
}

TEST_CASE("control/log: what a backlog has no room for is counted", "[F67]") {
  Bed bed;
  Backlog backlog(bed.place, 3000);
  REQUIRE(backlog.open());
  size_t kept = 0;
  for (int i = 0; i < 100; ++i)
    kept += backlog.push(std::string(100, 'x')) ? 1 : 0;
  CHECK(kept == 27);
  CHECK(backlog.take_lost() == 0);  // still no room to tell
  CHECK(drained(backlog).size() == kept);
  CHECK(backlog.take_lost() == 100 - kept);
  CHECK(backlog.take_lost() == 0);
  CHECK_FALSE(backlog.push(std::string(Backlog::kMessageMax + 1, 'x')));
}

TEST_CASE("control/log: a crash loses what was in memory, and doubles what was not acknowledged",
          "[F68]") {
  Bed bed;
  {
    Backlog backlog(bed.place, 1u << 20);
    REQUIRE(backlog.open());
    backlog.push("0");
    backlog.push("1");
    REQUIRE(backlog.spill());
    REQUIRE(backlog.next() != nullptr);
    backlog.sent();
    backlog.acknowledge(1);
    backlog.push("gone");
  }
  Backlog backlog(bed.place, 1u << 20);
  REQUIRE(backlog.open());
  CHECK(drained(backlog) == numbers(0, 2));
}

TEST_CASE("control/log: what is in flight and secured outlives a crash", "[F68]") {
  Bed bed;
  {
    Backlog backlog(bed.place, 1u << 20);
    REQUIRE(backlog.open());
    backlog.push("0");
    backlog.push("1");
    REQUIRE(backlog.next() != nullptr);
    backlog.sent();
    backlog.push("2");
    REQUIRE(backlog.secure());
    CHECK(backlog.in_flight() == 1);
    CHECK(backlog.bytes() == 3 * spool_record("0").size() + kSpoolMagic.size());
    backlog.acknowledge(1);
    REQUIRE(*backlog.next() == "1");
  }
  Backlog backlog(bed.place, 1u << 20);
  REQUIRE(backlog.open());
  CHECK(drained(backlog) == numbers(0, 3));
}

TEST_CASE("control/log: a torn segment gives what is whole of it", "[F68]") {
  const std::string whole =
      std::string(kSpoolMagic) + spool_record("first") + spool_record("second");
  for (size_t size = 0; size <= whole.size(); ++size) {
    const SpoolSegment segment = read_spool(std::string_view(whole).substr(0, size));
    const size_t one = kSpoolMagic.size() + spool_record("first").size();
    CHECK(segment.messages.size() == (size == whole.size() ? 2u : size >= one ? 1u : 0u));
    CHECK(segment.is_whole == (size == whole.size() || size == one || size == kSpoolMagic.size()));
  }
  std::string changed = whole;
  changed.back() = 'x';
  CHECK(read_spool(changed).messages.size() == 1);
}

TEST_CASE("control/log: a backlog outlives a full disk without a gap", "[F67][F68]") {
  Bed bed;
  Backlog backlog(bed.place, 1u << 20);
  REQUIRE(backlog.open());
  REQUIRE(backlog.push("0"));
  REQUIRE(backlog.spill());
  REQUIRE(backlog.push("1"));
  const size_t segment = kSpoolMagic.size() + spool_record("0").size();
  {
    FullDisk full(segment + 5);  // of the next record a part
    CHECK_FALSE(backlog.spill());
  }
  REQUIRE(backlog.push("2"));
  REQUIRE(backlog.spill());
  REQUIRE(backlog.push("3"));
  CHECK(drained(backlog) == numbers(0, 4));
  CHECK(backlog.take_lost() == 0);
}

TEST_CASE("control/log: what follows a record that a crash has torn is not lost", "[F67][F68]") {
  Bed bed;
  {
    Backlog backlog(bed.place, 1u << 20);
    REQUIRE(backlog.open());
    for (const char* message : {"0", "1"})
      backlog.push(message);
    REQUIRE(backlog.save());
  }
  for (const auto& entry : std::filesystem::directory_iterator(bed.place))
    std::filesystem::resize_file(entry.path(), entry.file_size() - 1);
  Backlog backlog(bed.place, 1u << 20);
  REQUIRE(backlog.open());
  for (const char* message : {"2", "3"})
    backlog.push(message);
  REQUIRE(backlog.spill());
  CHECK(drained(backlog) == std::vector<std::string>{"0", "2", "3"});
  CHECK(backlog.take_lost() == 1);
}

TEST_CASE("control/log: a backlog takes up again all of a large front that it has saved", "[F68]") {
  Bed bed;
  const std::string filler(8000, 'x');
  std::vector<std::string> all;
  Backlog backlog(bed.place, 64u << 20);
  REQUIRE(backlog.open());
  for (int i = 0; i < 700; ++i) {
    all.push_back(std::to_string(i) + filler);
    REQUIRE(backlog.push(all.back()));
    // Segments grow as large as they get.
    if (i % 130 == 120) REQUIRE(backlog.spill());
  }
  for (size_t i = 0; i < 380 && backlog.next() != nullptr; ++i) {
    backlog.sent();
    if (i < 125) backlog.acknowledge(1);
  }
  all.erase(all.begin(), all.begin() + 125);
  backlog.resend();
  REQUIRE(backlog.save());
  CHECK(drained(backlog) == all);
  CHECK(backlog.take_lost() == 0);
}
