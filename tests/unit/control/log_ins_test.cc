// SPDX-License-Identifier: BSD-3-Clause
#include "control/identity/log_ins.h"

#include <catch2/catch.hpp>

#include "control/compile/subjects.h"

namespace postern {
namespace {

const Ipv4Address kHost(192, 168, 1, 10), kOther(192, 168, 1, 11);
constexpr MacAddress kMac = {{2, 0, 0, 0, 0, 1}}, kOtherMac = {{2, 0, 0, 0, 0, 2}};

Instant at_s(int64_t s) {
  return Instant{} + seconds(s);
}

struct Bed {
  Instant now = at_s(100);
  std::optional<MacAddress> machine = kMac;
  std::string events;
  IdentitySlot slot{1};
  IdentityBoard board{slot, 1};
  LogIns log_ins{world()};

  Bed() {
    log_ins.when_begun([this](const LogIn& log_in) { events += "+" + log_in.user + " "; });
    log_ins.when_ended([this](const LogIn& log_in, LogInEnd why) {
      CHECK(log_ins.find(log_in.address) == nullptr);
      events += "-" + log_in.user + ":" + to_word(why) + " ";
    });
    log_ins.set_board(board);
  }
  LogIns::World world() {
    return {[this] { return now; }, [] { return int64_t{1'700'000'000}; },
            [this](Ipv4Address) { return machine; }};
  }
  bool log_in(const std::string& user = "anna", Ipv4Address address = kHost) {
    LogIn fresh;
    fresh.address = address;
    fresh.user = user;
    fresh.groups = {"hr"};
    return log_ins.log_in(std::move(fresh));
  }
  // Of `limits`, when the host was last seen by its door at `active_s`: what tick() does then.
  std::string ends(const LogInLimits& limits, int64_t active_s, int64_t now_s) {
    now = at_s(100);
    REQUIRE(log_in());
    log_ins.set_limits(LogInDoor::portal, limits);
    now = at_s(active_s);
    log_ins.touch(kHost);
    now = at_s(now_s);
    events.clear();
    log_ins.tick();
    return events;
  }
  std::string user_of(Ipv4Address address) {
    const Identities* set = slot.acquire();
    const auto* known = set != nullptr ? set->find(address) : nullptr;
    for (const char* user : {"anna", "bert"}) {
      if (known != nullptr && known->user == user_number(user)) return user;
    }
    return "";
  }
};

}  // namespace

TEST_CASE("control/log_ins: who logs in is before the workers, and who is out is not", "[F27]") {
  Bed bed;
  REQUIRE(bed.log_in());
  CHECK(bed.user_of(kHost) == "anna");
  CHECK(bed.log_ins.names().find(user_number("anna")) == "anna");
  CHECK(bed.log_ins.find(kHost)->since_s == 1'700'000'000);
  // One user an address.
  REQUIRE(bed.log_in("bert"));
  CHECK(bed.user_of(kHost) == "bert");
  CHECK(bed.log_ins.all().size() == 1);
  CHECK(bed.log_ins.log_out(kHost, LogInEnd::logged_out));
  CHECK_FALSE(bed.log_ins.log_out(kHost, LogInEnd::logged_out));
  CHECK(bed.user_of(kHost).empty());
  CHECK(bed.events == "+anna -anna:replaced +bert -bert:logged-out ");
}

TEST_CASE("control/log_ins: each limit ends a log-in, none of 0 does", "[F27]") {
  Bed bed;
  const LogInLimits none, longest = {{}, seconds(60)}, idle = {seconds(60), {}};
  CHECK(bed.ends(none, 100, 1'000'000).empty());
  CHECK(bed.ends(longest, 150, 159).empty());
  CHECK(bed.log_ins.ends(*bed.log_ins.find(kHost)) == at_s(160));
  CHECK(bed.ends(longest, 150, 160) == "-anna:time-over ");
  CHECK(bed.ends(idle, 100, 159).empty());
  CHECK(bed.ends(idle, 100, 160) == "-anna:idle ");
  // What its person does at the door is a sign of life as well.
  CHECK(bed.ends(idle, 150, 209).empty());
  CHECK(bed.log_ins.ends(*bed.log_ins.find(kHost)) == Instant{});
  CHECK(bed.ends(idle, 150, 210) == "-anna:idle ");
}

TEST_CASE("control/log_ins: another machine at the address is not logged in", "[F27]") {
  Bed bed;
  REQUIRE(bed.log_in());
  bed.log_ins.machine_seen(kHost, kMac);
  bed.log_ins.machine_seen(kOther, kOtherMac);
  CHECK(bed.log_ins.all().size() == 1);
  bed.log_ins.machine_seen(kHost, kOtherMac);
  CHECK(bed.log_ins.all().empty());
  bed.machine.reset();  // behind a router
  REQUIRE(bed.log_in());
  bed.log_ins.machine_seen(kHost, kOtherMac);
  CHECK(bed.log_ins.all().size() == 1);
  CHECK(bed.events == "+anna -anna:other-machine +anna ");
}

TEST_CASE("control/log_ins: administrators, doors and accounts end log-ins", "[F27]") {
  Bed bed;
  REQUIRE(bed.log_in());
  REQUIRE(bed.log_in("anna", kOther));
  CHECK(bed.log_ins.log_out("bert") == 0);
  CHECK(bed.log_ins.log_out("192.168.1.11") == 1);
  CHECK(bed.log_ins.log_out("anna") == 1);
  REQUIRE(bed.log_in());
  bed.log_ins.close(LogInDoor::portal);
  CHECK(bed.log_ins.all().empty());
  REQUIRE(bed.log_in());
  REQUIRE(bed.log_in("bert", kOther));
  bed.log_ins.review([](const LogIn& log_in) {
    return log_in.user == "bert" ? LogIns::Groups({"staff"}) : LogIns::Groups();
  });
  CHECK(bed.log_ins.find(kHost) == nullptr);
  const auto* bert = bed.slot.acquire()->find(kOther);
  REQUIRE(bert->groups.size() == 1);
  CHECK(bert->groups[0] == group_number("staff"));
  CHECK(bed.log_ins.find(kOther)->groups == std::vector<std::string>{"staff"});
}

TEST_CASE("control/log_ins: without a board or room nobody is let in", "[F27]") {
  Bed bed;
  LogIns without(bed.world());
  CHECK_FALSE(without.log_in(LogIn{}));
  for (uint32_t i = 0; i < kIdentitiesMax; ++i)
    REQUIRE(bed.log_in("anna", Ipv4Address(kHost.number + i)));
  CHECK_FALSE(bed.log_in("anna", Ipv4Address(kHost.number + kIdentitiesMax)));
  CHECK(bed.log_in("bert", kHost));
}

}  // namespace postern
