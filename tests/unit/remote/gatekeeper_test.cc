// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/gatekeeper.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::remote;
using Answer = Gatekeeper::Answer;

namespace {

const Ipv4Address kAdmin = *parse_ipv4("192.168.1.10"), kOther = *parse_ipv4("192.168.1.11");

Instant at(int64_t ms) {
  return Instant() + seconds(100) + milliseconds(ms);
}

}  // namespace

TEST_CASE("remote/gatekeeper: only listed addresses get to the door", "[F61]") {
  Gatekeeper keeper;
  keeper.set_listed({{kAdmin, kAdmin}});
  CHECK(keeper.admit(kAdmin, at(0)) == Answer::admitted);
  CHECK(keeper.admit(kOther, at(0)) == Answer::not_listed);
  CHECK(keeper.counters().refused() == 1);
  CHECK(keeper.pending() == 1);
}

TEST_CASE("remote/gatekeeper: an address has a few places at the door", "[F61]") {
  Gatekeeper keeper;
  for (size_t i = 0; i < Gatekeeper::kPendingPerAddress; ++i) {
    CHECK(keeper.admit(kAdmin, at(static_cast<int64_t>(i) * 1000)) == Answer::admitted);
  }
  CHECK(keeper.admit(kAdmin, at(9000)) == Answer::too_many);
  CHECK(keeper.admit(kOther, at(9000)) == Answer::admitted);
  keeper.leave(kAdmin);
  CHECK(keeper.admit(kAdmin, at(10000)) == Answer::admitted);
}

TEST_CASE("remote/gatekeeper: hellos are rationed, for an address and for all", "[F61]") {
  Gatekeeper keeper;
  size_t admitted = 0;
  for (int i = 0; i < 100; ++i) {
    if (keeper.admit(kAdmin, at(i)) != Answer::admitted) continue;
    keeper.leave(kAdmin);
    ++admitted;
  }
  CHECK(admitted >= Gatekeeper::kHellosPerAddress);
  CHECK(admitted <= Gatekeeper::kHellosPerAddress + 2);
  for (uint32_t i = 0; i < 200; ++i) {
    const Ipv4Address from(kOther.number + i);
    if (keeper.admit(from, at(100)) != Answer::admitted) continue;
    keeper.leave(from);
    ++admitted;
  }
  CHECK(admitted <= Gatekeeper::kHellosPerSecond + 10);
  CHECK(keeper.counters().too_often > 100);
}

TEST_CASE("remote/gatekeeper: the door is never taken by sessions, nor sessions by it", "[F61]") {
  Gatekeeper keeper;
  for (uint32_t i = 0; i < Gatekeeper::kSessionsMax; ++i) {
    const Ipv4Address from(kOther.number + i);
    REQUIRE(keeper.admit(from, at(i * 100)) == Answer::admitted);
    REQUIRE(keeper.begin_session(from, {i, true}));
  }
  CHECK(keeper.pending() == 0);
  REQUIRE(keeper.admit(kAdmin, at(9000)) == Answer::admitted);
  CHECK_FALSE(keeper.begin_session(kAdmin, {99, true}));
  CHECK(keeper.pending() == 1);
  keeper.end_session({3, true});
  CHECK(keeper.begin_session(kAdmin, {99, true}));
}

TEST_CASE("remote/gatekeeper: no account has all sessions, admins keep some", "[F61]") {
  Gatekeeper keeper;
  int64_t ms = 0;
  const auto begins = [&](const Gatekeeper::Holder& holder) {
    REQUIRE(keeper.admit(kAdmin, at(ms += 100)) == Answer::admitted);
    if (keeper.begin_session(kAdmin, holder)) return true;
    keeper.leave(kAdmin);
    return false;
  };
  for (size_t i = 0; i < Gatekeeper::kSessionsOfOne; ++i) {
    CHECK(begins({1, false}));
    CHECK(begins({2, false}));
  }
  CHECK_FALSE(begins({1, false}));
  CHECK_FALSE(begins({3, false}));
  for (size_t i = Gatekeeper::kSessionsOfOthers; i < Gatekeeper::kSessionsMax; ++i)
    CHECK(begins({4, true}));
  CHECK_FALSE(begins({5, true}));
  keeper.end_session({2, false});
  CHECK(begins({2, false}));
  CHECK_FALSE(begins({3, false}));
}

TEST_CASE("remote/gatekeeper: a full door makes room for an address that has less", "[F61]") {
  Gatekeeper keeper;
  std::vector<Ipv4Address> out;
  keeper.set_turn_out([&](Ipv4Address from) { out.push_back(from); });
  int64_t ms = 0;
  const auto fill = [&](uint32_t addresses, size_t each) {
    for (uint32_t i = 0; i < addresses; ++i) {
      for (size_t n = 0; n < each; ++n)
        REQUIRE(keeper.admit(Ipv4Address(kOther.number + i), at(ms += 100)) == Answer::admitted);
    }
  };
  SECTION("it has one after another") {
    fill(8, 4);
    CHECK(keeper.admit(kAdmin, at(ms += 100)) == Answer::admitted);
    CHECK(keeper.admit(kAdmin, at(ms += 100)) == Answer::admitted);
    CHECK(out.size() == 2);
    CHECK(keeper.pending() == Gatekeeper::kPendingMax);
    CHECK(keeper.counters().turned_out == 2);
  }
  SECTION("none has more than it would have") {
    fill(32, 1);
    CHECK(keeper.admit(kAdmin, at(ms += 100)) == Answer::too_many);
    CHECK(out.empty());
  }
}
