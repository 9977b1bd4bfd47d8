// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_logins.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <memory>

#include "control/accounts/password.h"
#include "control/loop.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

const std::string kPassword = "correct-horse1";
const Ipv4Address kDesk(192, 168, 1, 20), kOther(192, 168, 1, 21);

// anna of the group hr, and bert; their password costs little.
struct Bed {
  test::TemporaryDirectory directory;
  Loop loop;
  Instant now{1'000'000'000'000};
  config::Model model;
  accounts::Accounts accounts{loop, accounts_world()};
  std::string logged_in;  // at kDesk, by the page
  size_t refused = 0;
  uint32_t retry_s = 0;  // of the last answer that was busy; else 0
  HttpLogins logins{accounts, logins_world()};

  Bed() {
    model.users.password.hash_mib = 19;
    for (const char* name : {"anna", "bert"}) {
      auto& user = model.users.accounts.emplace_back();
      user.name = name;
      user.password = *accounts::hash_of(kPassword, model.users.password);
    }
    model.users.accounts[0].groups = {"hr"};
    model.users.groups.emplace_back().name = "hr";
    follow();
    accounts.when_changed([this] { logins.accounts_changed(); });
  }
  void follow() { REQUIRE(accounts.follow(model)); }

  accounts::Accounts::World accounts_world() {
    accounts::Accounts::World world;
    world.state_dir = directory.path();
    world.now = [this] { return now; };
    return world;
  }
  HttpLogins::World logins_world() {
    HttpLogins::World world;
    world.now = [this] { return now; };
    world.user_at = [this](Ipv4Address client) { return client == kDesk ? logged_in : ""; };
    world.refused = [this](const std::string&, Ipv4Address, const std::string&, bool) {
      ++refused;
    };
    return world;
  }

  // Whose principals it is; empty: refused. `is_at_once`: without a hash.
  std::string check(const std::string& user, const std::string& password, bool* is_at_once) {
    std::string who;
    bool is_done = false;
    logins.check({user, password, kDesk}, [&](const http::LoginAnswer& answer) {
      who = answer.identity != nullptr ? answer.identity->user : "";
      retry_s = answer.is_busy ? answer.retry_s : 0;
      is_done = true;
      loop.stop();
    });
    if (is_at_once != nullptr) *is_at_once = is_done;
    if (!is_done) run();
    REQUIRE(is_done);
    return who;
  }
  std::string check(const std::string& user, const std::string& password) {
    return check(user, password, nullptr);
  }
  void run() {
    loop.context().restart();
    loop.run();
  }
};

}  // namespace

TEST_CASE("control/http_logins: who is logged in at an address needs no password", "[F57]") {
  Bed bed;
  CHECK(bed.logins.at(kDesk) == nullptr);
  bed.logged_in = "anna";
  const http::Identity* anna = bed.logins.at(kDesk);
  REQUIRE(anna != nullptr);
  CHECK(anna->user == "anna");
  const uint32_t hr = bed.accounts.ids().group("hr");
  CHECK(std::count(anna->principals.begin(), anna->principals.end(), hr) == 1);
  CHECK(std::is_sorted(anna->principals.begin(), anna->principals.end()));
  CHECK(bed.logins.at(kOther) == nullptr);
  // One who has no account any more is nobody.
  bed.model.users.accounts.erase(bed.model.users.accounts.begin());
  bed.follow();
  CHECK(bed.logins.at(kDesk) == nullptr);
}

TEST_CASE("control/http_logins: a password costs its hash once", "[F57]") {
  Bed bed;
  bool is_at_once = true;
  CHECK(bed.check("anna", kPassword, &is_at_once) == "anna");
  CHECK_FALSE(is_at_once);
  CHECK(bed.check("anna", kPassword, &is_at_once) == "anna");
  CHECK(is_at_once);
  CHECK(bed.check("anna", "wrong-horse1", &is_at_once).empty());
  CHECK_FALSE(is_at_once);
  CHECK(bed.check("nobody", kPassword).empty());
  CHECK(bed.refused == 2);
  bed.now = bed.now + HttpLogins::kRemembered + seconds(1);
  CHECK(bed.check("anna", kPassword, &is_at_once) == "anna");
  CHECK_FALSE(is_at_once);
}

TEST_CASE("control/http_logins: what is remembered ends with the password and the account",
          "[F57][F61]") {
  Bed bed;
  REQUIRE(bed.check("anna", kPassword) == "anna");
  REQUIRE(bed.check("bert", kPassword) == "bert");
  bed.model.users.accounts[0].password =
      *accounts::hash_of("another-horse2", bed.model.users.password);
  bed.model.users.accounts[1].enabled = false;
  bed.follow();
  CHECK(bed.check("anna", kPassword).empty());
  CHECK(bed.check("bert", kPassword).empty());
  CHECK(bed.check("anna", "another-horse2") == "anna");
}

TEST_CASE("control/http_logins: connections that come with one password wait for one check",
          "[F57]") {
  Bed bed;
  int answers = 0;
  for (int i = 0; i < 50; ++i) {
    bed.logins.check({"anna", kPassword, kDesk}, [&](const http::LoginAnswer& answer) {
      CHECK(answer.identity != nullptr);
      if (++answers == 50) bed.loop.stop();
    });
  }
  // Fifty hashes would be more than wait at most.
  static_assert(accounts::Accounts::kHashesMax < 50);
  bed.run();
  CHECK(answers == 50);
}

TEST_CASE("control/http_logins: a wrong password that comes again is no other attempt",
          "[F57][F61]") {
  Bed bed;
  bool is_at_once = true;
  CHECK(bed.check("anna", "old-horse1", &is_at_once).empty());
  CHECK_FALSE(is_at_once);
  const uint64_t wrong = bed.accounts.attempts().counters().wrong;
  for (int i = 0; i < 100; ++i) {
    CHECK(bed.check("anna", "old-horse1", &is_at_once).empty());
    CHECK(is_at_once);
  }
  CHECK(bed.accounts.attempts().counters().wrong == wrong);
  CHECK(bed.accounts.attempts().counters().refused == 0);
  CHECK(bed.refused == 1);
  // Neither the name nor the address is blocked for it.
  CHECK(bed.check("anna", kPassword) == "anna");
  CHECK(bed.check("bert", kPassword) == "bert");
  // Another wrong one is.
  CHECK(bed.check("anna", "old-horse2", &is_at_once).empty());
  CHECK_FALSE(is_at_once);
  CHECK(bed.accounts.attempts().counters().wrong == wrong + 1);
  bed.now = bed.now + HttpLogins::kWrongRemembered;
  CHECK(bed.check("anna", "old-horse1", &is_at_once).empty());
  CHECK_FALSE(is_at_once);
}

TEST_CASE("control/http_logins: what was wrong is right when the password becomes that",
          "[F57][F61]") {
  Bed bed;
  const std::string later = "another-horse2";
  CHECK(bed.check("anna", later).empty());
  bed.model.users.accounts[0].password = *accounts::hash_of(later, bed.model.users.password);
  bed.follow();
  CHECK(bed.check("anna", later) == "anna");
}

TEST_CASE("control/http_logins: many users of one address are no guesser", "[F57][F61]") {
  Bed bed;
  const std::string hash = bed.model.users.accounts[0].password;
  constexpr int kUsers = 60;
  for (int i = 0; i < kUsers; ++i) {
    auto& user = bed.model.users.accounts.emplace_back();
    user.name = "user" + std::to_string(i);
    user.password = hash;
  }
  bed.follow();
  // More at once than hashes may wait, and than wrong ones block an address.
  static_assert(kUsers > accounts::Accounts::kHashesMax);
  int right = 0, answers = 0;
  for (int i = 0; i < kUsers; ++i) {
    bed.logins.check({"user" + std::to_string(i), kPassword, kDesk},
                     [&](const http::LoginAnswer& answer) {
                       if (answer.identity != nullptr) ++right;
                       if (++answers == kUsers) bed.loop.stop();
                     });
  }
  bed.run();
  CHECK(right == kUsers);
  CHECK(bed.refused == 0);
}

TEST_CASE("control/http_logins: of one address so many wait, and no more", "[F57]") {
  Bed bed;
  size_t answers = 0;
  const size_t beyond = 10;
  for (size_t i = 0; i < HttpLogins::kWaitingMax + beyond; ++i) {
    bed.logins.check({"nobody" + std::to_string(i), "x", kDesk},
                     [&](const http::LoginAnswer& answer) {
                       CHECK(answer.is_busy);
                       ++answers;
                     });
  }
  CHECK(answers == beyond);
  CHECK(bed.refused == beyond);
}

TEST_CASE("control/http_logins: who is not looked at is told to come again, not that it is wrong",
          "[F57][F61]") {
  Bed bed;
  bed.model.users.lockout.free_attempts = 1;
  bed.model.users.lockout.attempts = 2;
  bed.follow();
  CHECK(bed.check("anna", "old-horse1").empty());
  CHECK(bed.retry_s == 0);
  bed.now = bed.now + seconds(60);
  CHECK(bed.check("anna", "old-horse2").empty());
  CHECK(bed.retry_s == 0);
  CHECK(bed.check("anna", kPassword).empty());
  CHECK(bed.retry_s == 900);
  bed.now = bed.now + seconds(900);
  CHECK(bed.check("anna", kPassword) == "anna");
  CHECK(bed.retry_s == 0);
}

TEST_CASE("control/http_logins: groups are those of now", "[F57]") {
  Bed bed;
  bed.logged_in = "anna";
  const uint32_t hr = bed.accounts.ids().group("hr");
  const auto has_hr = [&] {
    const auto& of = bed.logins.at(kDesk)->principals;
    return std::count(of.begin(), of.end(), hr) == 1;
  };
  CHECK(has_hr());
  bed.model.users.accounts[0].groups.clear();
  bed.follow();
  CHECK_FALSE(has_hr());
}

}  // namespace postern
