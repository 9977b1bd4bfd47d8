// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_control.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <map>

#include "control/accounts/accounts.h"
#include "control/accounts/password.h"
#include "control/log/audit_log.h"
#include "control/log/error_log.h"
#include "control/loop.h"
#include "control/services/http_cache.h"
#include "support/office.h"
#include "unit/compile/compiled.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

const std::string kPassword = "correct-horse1";
const std::string kAnna = "Proxy-Authorization: Basic YW5uYTpjb3JyZWN0LWhvcnNlMQ==\r\n";
const Ipv4Address kOutside(9, 9, 9, 9);  // public, and an address of our kernel here

uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

// The office, whose LAN is the loopback; anna has an account.
struct Bed {
  test::TemporaryDirectory directory;
  Loop loop;
  ErrorLog log;
  Instant now{1'000'000'000'000};
  std::unique_ptr<Policy> policy;
  const uint16_t port = free_port();
  std::map<std::string, std::string> notes;  // that are not well, as the status has them
  std::string detail;                        // of the last request
  std::string hash;                          // of anna's password
  config::Model model;
  accounts::Accounts accounts{loop, accounts_world()};
  HttpControl http{loop, log, accounts, world()};
  decltype(boost::asio::make_work_guard(loop.context())) work =
      boost::asio::make_work_guard(loop.context());

  accounts::Accounts::World accounts_world() {
    accounts::Accounts::World world;
    world.state_dir = directory.path();
    world.now = [this] { return now; };
    return world;
  }
  HttpControl::World world() {
    HttpControl::World world;
    world.state_dir = directory.path();
    world.now = [this] { return now; };
    world.device_of = [](InterfaceId) { return "lo"; };
    world.policy = [this] { return policy.get(); };
    world.identities = [] { return nullptr; };
    world.user_at = [](Ipv4Address) { return std::string(); };
    world.ask_dns = [](const std::string&, const OwnQuestions::Found&) { return false; };
    world.log = [this](const http::LogRecord& record) { detail = record.detail; };
    world.audit = [](const AuditEntry&) {};
    world.note = [this](const std::string& about, const Result<void>& outcome) {
      if (outcome) {
        notes.erase(about);
      } else {
        notes[about] = outcome.error().text;
      }
    };
    world.kernel_addresses = [] { return std::vector{kOutside}; };
    return world;
  }
  // `lines` of services.http; the answer is what follow() says.
  Result<void> follow(const std::string& lines) {
    model = model_of(test::kOffice + "users:\n  accounts:\n    anna: {}\n" +
                     "services:\n  http:\n" + fmt::format("    port: {}\n", port) + lines);
    model.users.password.hash_mib = 19;
    if (hash.empty()) hash = *accounts::hash_of(kPassword, model.users.password);
    model.users.accounts[0].password = hash;
    REQUIRE(accounts.follow(model));
    policy = compiled(model);
    for (auto& interface : policy->interfaces)
      if (interface.name == "lan") interface.addresses = {{Ipv4Address(127, 0, 0, 1), 8}};
    auto followed = http.follow(model, *policy);
    world().note("http", followed);
    return followed;
  }
  void turn() {
    loop.context().restart();
    loop.context().run_for(std::chrono::milliseconds(2));
  }
  // Until `holds`, for some seconds at most.
  template <typename Holds>
  bool until(const Holds& holds) {
    for (int i = 0; i < 3000 && !holds(); ++i)
      turn();
    return holds();
  }

  int connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
  }
  // Begins a request for a page of the outside.
  int ask(const std::string& fields = "") const {
    const int fd = connect();
    const std::string text =
        "GET http://9.9.9.9/ HTTP/1.1\r\nHost: 9.9.9.9\r\nConnection: close\r\n" + fields + "\r\n";
    REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    return fd;
  }
  // All of the answer.
  std::string answer(int fd) {
    std::string text;
    const bool is_over = until([&] {
      char octets[4096];
      ssize_t count = 0;
      while ((count = read(fd, octets, sizeof octets)) > 0)
        text.append(octets, static_cast<size_t>(count));
      return count == 0;
    });
    close(fd);
    CHECK(is_over);
    return text;
  }
};

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

const std::string kClosed =
    "    rules: [{ name: closed, action: deny, message: closed for the week, "
    "when: mon-sun 00:00-24:00 }]\n";
const std::string kParent =
    "    parent: { host: 127.0.0.9, user: office, password_file: /nonexistent/password }\n";

}  // namespace

TEST_CASE("control/http_control: it starts and ends with the configuration", "[F56]") {
  Bed bed;
  CHECK_FALSE(bed.http.is_running());
  REQUIRE(bed.follow(kClosed));
  CHECK(bed.http.is_running());
  REQUIRE(bed.http.listening().size() == 1);
  CHECK(bed.http.listening()[0].port == bed.port);
  CHECK(has(bed.answer(bed.ask()), "closed for the week"));
  CHECK(has(bed.detail, "rule closed"));
  CHECK(bed.http.counters().requests == 1);
  REQUIRE(bed.follow("    enabled: false\n"));
  CHECK_FALSE(bed.http.is_running());
  CHECK(bed.http.listening().empty());
  CHECK(bed.http.counters().requests == 1);
}

TEST_CASE("control/http_control: an address that only the kernel has is the gateway's own",
          "[F53]") {
  Bed bed;
  REQUIRE(bed.follow(""));
  CHECK(has(bed.answer(bed.ask()), "HTTP/1.1 403"));
}

TEST_CASE("control/http_control: without what it should judge by it permits nothing", "[F57]") {
  Bed bed;
  REQUIRE(bed.follow(""));
  const auto followed = bed.follow(kParent + "    login: required\n");
  REQUIRE_FALSE(followed);
  CHECK(has(followed.error().text, "services.http.parent.password_file"));
  CHECK(has(followed.error().text, "all requests are refused"));
  CHECK(has(bed.answer(bed.ask()), "HTTP/1.1 407"));
  const std::string page = bed.answer(bed.ask(kAnna));
  CHECK(has(page, "HTTP/1.1 403"));
  CHECK(has(page, "postern status"));
  REQUIRE(bed.follow("    login: required\n" + kClosed));
  CHECK(has(bed.answer(bed.ask(kAnna)), "closed for the week"));
}

TEST_CASE("control/http_control: a warning stays when the cache gets ready", "[C19]") {
  Bed bed;
  CHECK_FALSE(bed.follow(kParent + "    cache: { size: 16MiB }\n"));
  REQUIRE(bed.notes.count("http") == 1);
  REQUIRE(bed.until([&] { return bed.http.cache().state() == HttpCache::State::ready; }));
  CHECK(bed.notes.count("http") == 1);
  REQUIRE(bed.follow("    cache: { size: 16MiB }\n"));
  CHECK(bed.notes.empty());
}

TEST_CASE("control/http_control: who asked by old rules is judged by them, times and all",
          "[F57]") {
  Bed bed;
  REQUIRE(bed.follow("    login: optional\n" + kClosed));
  // Its password is being checked while the configuration changes.
  const int fd = bed.ask(kAnna);
  REQUIRE(bed.until([&] { return bed.http.counters().requests == 1; }));
  REQUIRE(bed.follow(""));
  CHECK(has(bed.answer(fd), "closed for the week"));
  CHECK(bed.until([&] {
    bed.http.tick();
    return bed.http.load().clients == 0;
  }));
  CHECK(bed.http.counters().requests == 1);
}

TEST_CASE("control/http_control: requests under way end when the cache comes and goes",
          "[F55][C19]") {
  Bed bed;
  REQUIRE(bed.follow("    login: optional\n    cache: { size: 16MiB }\n" + kClosed));
  const int before = bed.ask(kAnna);
  REQUIRE(bed.until([&] { return bed.http.counters().requests == 1; }));
  REQUIRE(bed.until([&] { return bed.http.cache().state() == HttpCache::State::ready; }));
  CHECK(has(bed.answer(before), "closed for the week"));
  CHECK(has(bed.answer(bed.ask()), "closed for the week"));
  // One that is off while its file is still being opened.
  REQUIRE(bed.follow("    cache: { size: 17MiB, file: " + bed.directory.path() + "/other }\n"));
  REQUIRE(bed.follow("    enabled: false\n"));
  for (int i = 0; i < 100; ++i)
    bed.turn();
  CHECK(bed.http.cache().state() == HttpCache::State::off);
  CHECK_FALSE(bed.http.is_running());
  REQUIRE(bed.follow(kClosed));
  CHECK(has(bed.answer(bed.ask()), "closed for the week"));
}

TEST_CASE("control/http_control: more connections than there may be files for are not promised",
          "[F56]") {
  Bed bed;
  rlimit files = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  const rlimit few = {256, files.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  CHECK(bed.follow("    limits: { connections: 64 }\n"));
  CHECK(bed.notes.empty());
  CHECK(bed.follow("    limits: { connections: 65 }\n"));
  REQUIRE(bed.notes.count("services.http.limits.connections") == 1);
  CHECK(has(bed.notes["services.http.limits.connections"], "64 are taken"));
  CHECK(bed.follow("    enabled: false\n"));
  CHECK(bed.notes.empty());
  REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
}

TEST_CASE("control/http_control: who takes out of the cache hears of it once, also when it goes",
          "[F55]") {
  Bed bed;
  std::vector<std::string> told;
  const auto tell = [&](const Result<uint64_t>& removed) {
    told.push_back(removed ? std::to_string(*removed) : removed.error().text);
  };
  bed.http.purge("*", tell);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "services.http.cache is not configured");
  REQUIRE(bed.follow("    cache: { size: 16MiB }\n"));
  bed.http.clear(tell);
  REQUIRE(told.size() == 2);
  CHECK(has(told[1], "being read"));
  REQUIRE(bed.until([&] { return bed.http.cache().state() == HttpCache::State::ready; }));
  bed.http.clear(tell);
  REQUIRE(bed.until([&] { return told.size() == 3; }));
  CHECK(told[2] == "0");
  bed.http.clear(tell);
  bed.http.purge("http://www.example.com/", tell);
  REQUIRE(bed.follow(""));
  REQUIRE(told.size() == 5);
  CHECK(has(told[3], "closed meanwhile"));
  for (int i = 0; i < 50; ++i)
    bed.turn();
  CHECK(told.size() == 5);
}

}  // namespace postern
