// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/greylist.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace postern::mail {
namespace {

constexpr int64_t kNow = 1'800'000'000;
constexpr int64_t kDay = 86400;

struct Bed {
  Greylist list;
  GreylistSettings settings;

  int64_t ask(Ipv4Address client, const Address& sender, const Address& recipient, int64_t now_s) {
    return list.ask({client, sender, recipient}, settings, now_s);
  }
  int64_t ask(int64_t now_s, const Address& sender = {"joe", "b.example"}) {
    return ask(Ipv4Address(198, 51, 100, 7), sender, {"anna", "a.example"}, now_s);
  }
};

}  // namespace

TEST_CASE("mail/greylist: who comes again after the wait passes, and is known then", "[F53]") {
  Bed bed;
  CHECK(bed.ask(kNow) == 300);
  CHECK(bed.ask(kNow + 100) == 200);
  CHECK(bed.ask(kNow + 299) == 1);
  CHECK(bed.ask(kNow + 300) == 0);
  CHECK(bed.ask(kNow + 301) == 0);
  CHECK(bed.ask(kNow + 30 * kDay) == 0);
  CHECK(bed.ask(kNow + 60 * kDay) == 0);    // each time anew for 36 days
  CHECK(bed.ask(kNow + 97 * kDay) == 300);  // and then no more
}

TEST_CASE("mail/greylist: who comes again much too late comes for the first time", "[F53]") {
  Bed bed;
  CHECK(bed.ask(kNow) == 300);
  CHECK(bed.ask(kNow + 3 * kDay) == 300);
  CHECK(bed.ask(kNow + 3 * kDay + 300) == 0);
}

TEST_CASE("mail/greylist: another host of the same network is the same sender", "[F53]") {
  Bed bed;
  const Address joe{"joe", "b.example"};
  const Address anna{"anna", "a.example"};
  CHECK(bed.ask(Ipv4Address(198, 51, 100, 7), joe, anna, kNow) == 300);
  CHECK(bed.ask(Ipv4Address(198, 51, 100, 9), joe, anna, kNow + 400) == 0);
  CHECK(bed.ask(Ipv4Address(198, 51, 101, 7), joe, anna, kNow + 400) == 300);
  CHECK(bed.ask(Ipv4Address(198, 51, 100, 7), joe, {"ben", "a.example"}, kNow + 400) == 300);
  CHECK(bed.ask(Ipv4Address(198, 51, 100, 7), {}, anna, kNow + 400) == 300);
}

TEST_CASE("mail/greylist: numbers of messages in a sender make no other sender", "[F53]") {
  Bed bed;
  CHECK(bed.ask(kNow, {"bounce-4711-a", "list.example"}) == 300);
  CHECK(bed.ask(kNow + 400, {"Bounce-815-a", "list.example"}) == 0);
  CHECK(bed.ask(kNow + 400, {"bounce-4711-b", "list.example"}) == 300);
  CHECK(bed.ask(kNow, {"prvs+x7=joe", "list.example"}) == 300);
  CHECK(bed.ask(kNow + 400, {"prvs+y9=ann", "list.example"}) == 0);
}

TEST_CASE("mail/greylist: a clock that is set back makes nobody wait for ever", "[F53]") {
  Bed bed;
  CHECK(bed.ask(kNow) == 300);
  CHECK(bed.ask(kNow - 1000) == 300);
  CHECK(bed.ask(kNow - 700) == 0);
}

TEST_CASE("mail/greylist: a flood of strangers makes nobody wait who has passed", "[F53]") {
  Bed bed;
  CHECK(bed.ask(kNow) == 300);
  CHECK(bed.ask(kNow + 300) == 0);
  for (uint32_t i = 0; i < 400'000; ++i)
    bed.ask(Ipv4Address(i << 8), {"flood", "b.example"}, {"anna", "a.example"}, kNow + 301);
  CHECK(bed.ask(kNow + 302) == 0);
}

TEST_CASE("mail/greylist: what is known outlives a restart", "[F53]") {
  Bed before;
  before.ask(kNow);
  before.ask(kNow + 300);
  before.ask(kNow + 200, {"ann", "c.example"});
  CHECK(before.list.is_changed());
  const std::string file = before.list.encode();
  CHECK(file.size() < 200);
  Bed after;
  REQUIRE(after.list.decode(file));
  CHECK(after.ask(kNow + 301) == 0);
  CHECK(after.ask(kNow + 301, {"ann", "c.example"}) == 199);
}

TEST_CASE("mail/greylist: a damaged file is an empty one", "[F53]") {
  Bed before;
  before.ask(kNow);
  before.ask(kNow + 300);
  const std::string file = before.list.encode();
  Bed after;
  for (size_t length = 0; length < file.size(); ++length) {
    INFO(length);
    CHECK_FALSE(after.list.decode(std::string_view(file).substr(0, length)));
  }
  for (size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    INFO(at);
    CHECK_FALSE(after.list.decode(damaged));
  }
  CHECK_FALSE(after.list.decode(file + file));
  CHECK(after.ask(kNow + 301) == 300);
}

}  // namespace postern::mail
