// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/accounts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>

#include "control/accounts/password.h"
#include "control/text_file.h"

using namespace postern;
using namespace postern::accounts;

namespace {

const std::string kPassword = "correct-horse1";
const Ipv4Address kDesk = *parse_ipv4("192.168.1.20");

// SHA-1 of "secret-12" and "salt".
const std::string kForeign = "{SSHA}fQCDWcvdi5HAmol1bYQAo5vzHvNzYWx0";

struct Bed {
  std::string directory;
  Loop loop;
  Instant now{1'000'000'000'000};
  size_t blocked = 0;
  config::Model model;
  std::unique_ptr<Accounts> accounts;

  Bed() {
    char name[] = "/tmp/postern-accounts-XXXXXX";
    directory = mkdtemp(name);
    model.users.password.hash_mib = 19;
    restart();
  }
  ~Bed() {
    accounts.reset();
    unlink((directory + "/accounts.json").c_str());
    rmdir(directory.c_str());
  }
  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;

  void restart() {
    Accounts::World world;
    world.state_dir = directory;
    world.now = [this] { return now; };
    world.on_blocked = [this](const Blocked&) { ++blocked; };
    accounts = std::make_unique<Accounts>(loop, std::move(world));
    REQUIRE(accounts->follow(model));
  }
  Result<void> edit(const Accounts::Edit& edit) {
    Result<void> outcome;
    accounts->edit(edit, [&](Result<void> done) {
      outcome = std::move(done);
      loop.stop();
    });
    run();
    return outcome;
  }
  Result<void> add(const std::string& name, const std::string& hash) {
    return edit([&](LocalAccounts& local) -> Result<void> {
      local.users.emplace_back().name = name;
      local.users.back().password = hash;
      return {};
    });
  }
  Verdict log_in(const std::string& name, const std::string& password) {
    Verdict verdict = Verdict::busy;
    accounts->check_password({name, kDesk}, password, [&](const Outcome& outcome) {
      verdict = outcome.verdict;
      CHECK((outcome.user != nullptr) == (verdict == Verdict::right));
      loop.stop();
    });
    run();
    return verdict;
  }
  void run() {
    loop.context().restart();
    loop.run();
  }
  std::string hash() { return *hash_of(kPassword, model.users.password); }
};

}  // namespace

TEST_CASE("accounts/accounts: an account is on the disk before it is told, for us alone", "[F70]") {
  Bed bed;
  int changes = 0;
  bed.accounts->when_changed([&] { ++changes; });
  REQUIRE(bed.add("alice", bed.hash()));
  CHECK(changes == 1);
  struct stat state = {};
  REQUIRE(stat((bed.directory + "/accounts.json").c_str(), &state) == 0);
  CHECK((state.st_mode & 0777) == 0600);
  CHECK(read_text_file(bed.directory + "/accounts.json")->find(kPassword) == std::string::npos);
  bed.restart();
  REQUIRE(bed.accounts->find("alice") != nullptr);
  CHECK(bed.log_in("Alice", kPassword) == Verdict::right);
  CHECK(bed.log_in("alice", "wrong-horse1") == Verdict::wrong);
  CHECK(bed.log_in("nobody", kPassword) == Verdict::wrong);
}

TEST_CASE("accounts/accounts: nobody gets in without a password or by a disabled account",
          "[F60]") {
  Bed bed;
  REQUIRE(bed.add("alice", ""));
  CHECK(bed.log_in("alice", "") == Verdict::wrong);
  REQUIRE(bed.edit([&](LocalAccounts& local) -> Result<void> {
    local.find("alice")->password = bed.hash();
    local.find("alice")->enabled = false;
    return {};
  }));
  CHECK(bed.log_in("alice", kPassword) == Verdict::wrong);
}

TEST_CASE("accounts/accounts: a change that does not fit changes nothing", "[F70]") {
  Bed bed;
  bed.model.users.accounts.emplace_back().name = "alice";
  bed.model.users.account_file = true;
  REQUIRE(bed.accounts->follow(bed.model));
  CHECK(bed.add("alice", "").error().text == "alice is in the configuration already");
  REQUIRE(bed.add("bob", ""));
  config::Users wanted;
  wanted.accounts.emplace_back().name = "bob";
  auto findings = bed.accounts->conflicts(wanted);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].path == "users.accounts.bob");
  bed.model.users.account_file = false;
  REQUIRE(bed.accounts->follow(bed.model));
  CHECK(bed.accounts->find("bob") == nullptr);
  CHECK(bed.add("carol", "").error().code == ErrorCode::denied);
}

TEST_CASE("accounts/accounts: an account file that is broken is left alone", "[F70]") {
  Bed bed;
  REQUIRE(write_text_file(bed.directory + "/accounts.json", "{\"version\": 1, \"users\": 7}"));
  Accounts::World world;
  world.state_dir = bed.directory;
  world.now = [&] { return bed.now; };
  bed.accounts = std::make_unique<Accounts>(bed.loop, std::move(world));
  CHECK_FALSE(bed.accounts->follow(bed.model));
  CHECK_FALSE(bed.add("alice", ""));
  CHECK(read_text_file(bed.directory + "/accounts.json").value() ==
        "{\"version\": 1, \"users\": 7}");
}

TEST_CASE("accounts/accounts: a hash of another system becomes ours at the first log-in", "[F70]") {
  Bed bed;
  REQUIRE(bed.add("alice", kForeign));
  const uint64_t number = bed.accounts->password_number("alice");
  CHECK(bed.log_in("alice", "secret-13") == Verdict::wrong);
  CHECK(bed.accounts->find("alice")->password == kForeign);
  CHECK(bed.log_in("alice", "secret-12") == Verdict::right);
  // The loop stopped at the log-in; the new hash comes behind it.
  bed.accounts->when_changed([&] { bed.loop.stop(); });
  bed.run();
  CHECK(bed.accounts->find("alice")->password.starts_with("$argon2id$"));
  CHECK(bed.accounts->password_number("alice") == number);
  CHECK(bed.log_in("alice", "secret-12") == Verdict::right);
}

TEST_CASE("accounts/accounts: the account file is left alone once it is switched off", "[F70]") {
  Bed bed;
  REQUIRE(bed.add("alice", ""));
  Result<void> outcome;
  const auto add_bob = [](LocalAccounts& local) -> Result<void> {
    local.users.emplace_back().name = "bob";
    return {};
  };
  bed.accounts->edit(add_bob, [&](Result<void> done) {
    outcome = std::move(done);
    bed.loop.stop();
  });
  const auto switch_off = [&] {
    bed.model.users.account_file = false;
    CHECK(bed.accounts->follow(bed.model));
  };
  SECTION("before the write") {
    switch_off();
    bed.run();
    CHECK_FALSE(outcome);
    CHECK(read_text_file(bed.directory + "/accounts.json")->find("alice") != std::string::npos);
  }
  SECTION("while it is written") {
    bed.loop.after({}, switch_off);
    bed.run();
    CHECK(outcome);
  }
  CHECK(bed.accounts->find("alice") == nullptr);
  CHECK(bed.accounts->find("bob") == nullptr);
}

TEST_CASE("accounts/accounts: the time does not tell which names have a hash of another system",
          "[F61]") {
  Bed bed;
  REQUIRE(bed.add("alice", kForeign));
  for (const char* name : {"alice", "nobody"}) {
    const auto begun = std::chrono::steady_clock::now();
    CHECK(bed.log_in(name, "wrong") == Verdict::wrong);
    CHECK(std::chrono::steady_clock::now() - begun >= std::chrono::milliseconds(990));
  }
}

TEST_CASE("accounts/accounts: a password has a number, another one after each change", "[F61]") {
  Bed bed;
  REQUIRE(bed.add("alice", bed.hash()));
  REQUIRE(bed.add("bob", bed.hash()));
  const uint64_t first = bed.accounts->password_number("alice");
  const uint64_t of_bob = bed.accounts->password_number("bob");
  CHECK(first != 0);
  CHECK(first != of_bob);
  CHECK(bed.accounts->password_number("nobody") == 0);
  auto change = [&](const std::string& hash) {
    REQUIRE(bed.edit([&](LocalAccounts& local) -> Result<void> {
      local.find("alice")->password = hash;
      return {};
    }));
    return bed.accounts->password_number("alice");
  };
  const uint64_t second = change(bed.hash());
  CHECK(second != first);
  CHECK(bed.accounts->password_number("bob") == of_bob);
  const uint64_t none = change("");
  CHECK(none != second);
  REQUIRE(bed.edit([](LocalAccounts& local) -> Result<void> {
    local.find("alice")->description = "of the office";
    return {};
  }));
  CHECK(bed.accounts->password_number("alice") == none);
  // Taken away and made again: nobody who was logged in before is now.
  REQUIRE(bed.edit([](LocalAccounts& local) -> Result<void> {
    local.users.erase(local.users.begin());
    return {};
  }));
  REQUIRE(bed.add("alice", ""));
  CHECK(bed.accounts->password_number("alice") > none);
}

TEST_CASE("accounts/accounts: a flood of log-ins is refused beyond a bound", "[F61]") {
  Bed bed;
  size_t busy = 0;
  size_t ended = 0;
  constexpr size_t kFlood = 200;
  for (uint32_t i = 0; i < kFlood; ++i) {
    const std::string name = "n" + std::to_string(i);
    bed.accounts->check_password({name, Ipv4Address{0x0A000000u + i}}, "x",
                                 [&](const Outcome& outcome) {
                                   busy += outcome.verdict == Verdict::busy ? 1 : 0;
                                   if (++ended == kFlood) bed.loop.stop();
                                 });
  }
  bed.run();
  CHECK(busy >= kFlood - Accounts::kHashesMax - 16);
  CHECK(busy < kFlood);
}

TEST_CASE("accounts/accounts: wrong log-ins of one name are refused unchecked in the end",
          "[F61]") {
  Bed bed;
  REQUIRE(bed.add("alice", bed.hash()));
  for (int i = 0; i < 20; ++i)
    bed.log_in("alice", "guess-" + std::to_string(i));
  CHECK(bed.blocked == 1);
  CHECK(bed.log_in("alice", kPassword) == Verdict::blocked);
  bed.now = bed.now + seconds(900);
  CHECK(bed.log_in("alice", kPassword) == Verdict::right);
}

TEST_CASE("accounts/password: hashes of other systems are checked, costly ones refused", "[F70]") {
  auto [hash, password] = GENERATE(table<std::string, std::string>({
      {"$1$saltsalt$5IyH2ytjCtKsTerJ3e6Ro0", "secret-12"},
      {"$5$saltsaltsalt$o9mKiWbWeL0zUdCKXqWKgVBvgNjIi90Xg/MPWrFm/C3", "secret-12"},
      {"$6$saltsaltsalt$NlN47LEJDA82czY4q1QvfD.URFP.t3cEKTBDXZQJSBioPbV0BXym8lN3lMqH1W8AxR1Et7HD."
       "SzVvn0c8pMGB0",
       "secret-12"},
      {"$6$rounds=6000$saltsalt$GjX2dHshjjMQNvLoxLMaxagb0n9zzbyxN5TUsrpDTCPSJ8ielCCkeCo/"
       "Ei7agNWZta5havnauUOZoQWdxs.13.",
       "secret-12"},
      {"$2b$05$abcdefghijklmnopqrstuuk/8whANs0NpyApUy8R5L9YS7W9HfGni", "secret-12"},
      {"$2y$05$abcdefghijklmnopqrstuuk/8whANs0NpyApUy8R5L9YS7W9HfGni", "secret-12"},
      {"$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$6g3GY3m37.I4xIBRDxZHMhlg4tA1hkzQF0hdNVup6P5", "secret-12"},
      {"{SSHA}fQCDWcvdi5HAmol1bYQAo5vzHvNzYWx0", "secret-12"},
      {"{SHA}06khgP+6OLaJmTsQCZdAPKTFwF4=", "secret-12"},
      {"{crypt}$6$saltsaltsalt$NlN47LEJDA82czY4q1QvfD.URFP."
       "t3cEKTBDXZQJSBioPbV0BXym8lN3lMqH1W8AxR1Et7HD.SzVvn0c8pMGB0",
       "secret-12"},
  }));
  INFO(hash);
  CHECK(hash_fault(hash) == "");
  CHECK(is_password(hash, password));
  CHECK_FALSE(is_password(hash, password + "x"));
}

TEST_CASE("accounts/password: what cannot be checked, or costs too much, is refused", "[F70]") {
  auto hash =
      GENERATE(as<std::string>(), "x", "secret", "$apr1$abcdefgh$0123456789012345678901",
               "$2b$31$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
               "$6$rounds=999999999$abc$" + std::string(86, 'a'), "$6$abc$" + std::string(85, 'a'),
               "$y$jFT$abc$" + std::string(43, 'a'), "{SHA}AAAA", "{SSHA}", "{MD5}AAAA",
               "$5$a:b$" + std::string(43, 'a'), "ab01FAX.bQRSU");
  CHECK(hash_fault(hash) != "");
  CHECK_FALSE(is_password(hash, "secret"));
}
