// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/captures.h"

#include <unistd.h>

#include <catch2/catch.hpp>

namespace postern::test {
namespace {

// A worker that takes up sets when it is told to, on a clock of its own.
struct Bed {
  Loop loop;
  Instant now = Instant{1};
  const CaptureSet* published = nullptr;
  bool is_stuck = false;
  Captures captures{loop,
                    {[] { return 1u; }, [this](const CaptureSet* set) { published = set; },
                     [this](uint32_t) { return !is_stuck; }, [this] { return now; }}};

  void run_for(Duration real) {
    loop.after(real, [this] { loop.stop(); });
    loop.run();
  }
  void see(uint16_t rule) const {
    CaptureRecord record;
    record.rule = rule;
    record.interface = 0;
    const uint8_t nothing = 0;
    for (size_t i = 0; i < published->count; ++i)
      published->captures[i]->rings[0]->push(record, &nothing);
  }
};

}  // namespace

TEST_CASE("capture/captures: from the first frame to the last", "[P13]") {
  Bed bed;
  auto id = bed.captures.start({});
  REQUIRE(id.has_value());
  REQUIRE(bed.published->count == 1);
  bed.see(7);
  std::vector<uint16_t> rules;
  bool has_ended = false;
  auto take = [&](const Captures::Batch& batch) {
    for (const auto& seen : batch.frames)
      rules.push_back(seen.record.rule);
    has_ended = batch.has_ended;
    CHECK(batch.totals.matched[0] == 1);
  };
  REQUIRE(bed.captures.read(*id, 0, take));
  CHECK_FALSE(bed.captures.read(*id, 0, take));
  bed.run_for(milliseconds(60));
  CHECK(rules == std::vector<uint16_t>{7});
  CHECK_FALSE(has_ended);
  CHECK(bed.captures.stop(*id, 0));
  CHECK(bed.published->count == 0);
}

TEST_CASE("capture/captures: what nobody reads is stopped and forgotten", "[P13]") {
  Bed bed;
  auto id = bed.captures.start({});
  REQUIRE(id.has_value());
  CHECK(bed.captures.list().size() == 1);
  bed.now = bed.now + Captures::kUnreadMax + milliseconds(1);
  bed.is_stuck = true;  // a worker still writes into the ring
  bed.run_for(milliseconds(60));
  CHECK(bed.published->count == 0);
  CHECK(bed.captures.list().size() == 1);
}

TEST_CASE("capture/captures: one user's captures are not another's", "[P13]") {
  Bed bed;
  const uint32_t owner = geteuid() + 1001, other = geteuid() + 1002;
  Captures::Wanted wanted;
  wanted.uid = owner;
  auto id = bed.captures.start(std::move(wanted));
  REQUIRE(id.has_value());
  auto take = [](const Captures::Batch&) {};
  CHECK_FALSE(bed.captures.read(*id, other, take));
  CHECK_FALSE(bed.captures.stop(*id, other));
  CHECK(bed.captures.read(*id, owner, take));
  CHECK(bed.captures.stop(*id, 0));
}

TEST_CASE("capture/captures: more than fit are refused", "[P13]") {
  Bed bed;
  for (size_t i = 0; i < kCapturesMax; ++i)
    CHECK(bed.captures.start({}).has_value());
  auto refused = bed.captures.start({});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::exhausted);
  CHECK_FALSE(bed.captures.stop(99, 0));
  CHECK_FALSE(bed.captures.read(99, 0, [](const Captures::Batch&) {}));
}

TEST_CASE("capture/captures: a user but root leaves room for others", "[P13]") {
  Bed bed;
  auto start = [&](uint32_t uid) {
    Captures::Wanted wanted;
    wanted.uid = uid;
    return bed.captures.start(std::move(wanted));
  };
  CHECK(start(70'001));
  CHECK(start(70'001));
  auto refused = start(70'001);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text ==
        "a user but root has 2 captures at once, all together 3; see `postern show captures`");
  CHECK(start(70'002));
  CHECK_FALSE(start(70'003));
  CHECK(start(0));
  CHECK_FALSE(start(0));
}

}  // namespace postern::test
