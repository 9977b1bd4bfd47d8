// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>

#include "control/accounts/password.h"
#include "control/remote/channel/handshake.h"
#include "unit/control/configuration.h"

using namespace postern;
using namespace postern::remote;

namespace {

const Ipv4Address kLoopback = *parse_ipv4("127.0.0.1");

config::User user_of(const std::string& name, const PublicKey& key, config::Role role) {
  config::User user;
  user.name = name;
  user.role = role;
  user.keys.push_back({key, ""});
  return user;
}

// A server on the loopback address with its thread, until the end of the test.
struct Bed {
  test::TemporaryDirectory directory;
  SigningKey alice = SigningKey::generate(), nobody = SigningKey::generate();
  SigningKey roleless = SigningKey::generate();
  config::Model model;
  Loop loop;
  std::unique_ptr<accounts::Accounts> people;
  admin::Dispatcher dispatcher;
  std::unique_ptr<Server> server;
  Settings settings;
  std::mutex mutex;
  std::vector<std::string> log;
  std::thread thread;

  Bed() {
    const auto now = [] {
      return Instant() + seconds(1) +
             nanoseconds(std::chrono::steady_clock::now().time_since_epoch().count());
    };
    accounts::Accounts::World world_of_people;
    world_of_people.state_dir = directory.path();
    world_of_people.now = now;
    world_of_people.on_blocked = [](const accounts::Blocked&) {};
    people = std::make_unique<accounts::Accounts>(loop, std::move(world_of_people));
    model.users.accounts = {user_of("alice", alice.public_key(), config::Role::admin),
                            user_of("bob", roleless.public_key(), config::Role::none)};
    REQUIRE(people->follow(model));
    // An echo, by the name of a command that may be large.
    dispatcher.add("apply",
                   [](const admin::Json& request, const admin::Peer& peer, admin::Reply reply) {
                     reply.done({{"text", request.at("text").get<std::string>()},
                                 {"who", peer.account},
                                 {"connected", peer.connection.has_value()}});
                   });
    Server::World world;
    world.accounts = people.get();
    world.dispatcher = &dispatcher;
    world.now = now;
    world.log = [this](config::LogLevel, const std::string& line) {
      std::lock_guard lock(mutex);
      log.push_back(line);
    };
    world.audit = [this](const AuditEntry& entry) {
      std::lock_guard lock(mutex);
      log.push_back("audit: " + entry.who + ", " + entry.from + ", " + entry.action + ", " +
                    entry.outcome + ", " + entry.detail);
    };
    server = std::make_unique<Server>(loop, SigningKey::generate(), std::move(world));
    settings.idle = seconds(10);
    for (uint16_t port = 40000 + static_cast<uint16_t>(getpid() % 20000);; ++port) {
      settings.listen = {{"", kLoopback, port}};
      if (server->configure(settings)) break;
      REQUIRE(port < 65000);
    }
    thread = std::thread([this] { loop.run(); });
  }
  ~Bed() {
    loop.stop();
    thread.join();
    server.reset();
  }
  // Does it on the loop's thread.
  void on_loop(const std::function<void()>& what) {
    std::promise<void> done;
    loop.after({}, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  bool is_logged(const std::string& words) {
    std::lock_guard lock(mutex);
    return std::ranges::any_of(
        log, [&](const std::string& line) { return line.find(words) != std::string::npos; });
  }
};

class Client {
 public:
  using Step = ClientSide::Step;
  explicit Client(const Bed& bed) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to = io::socket_address(kLoopback, bed.settings.listen[0].port);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    timeval timeout = {5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send_out() {
    Buffer& out = side.out();
    send(fd_, out.data(), out.size(), MSG_NOSIGNAL);
    out.clear();
  }
  // The next step but `more`; `broken` when the server closes.
  Step next() {
    for (;;) {
      send_out();
      Buffer octets(side.wanted());
      if (octets.empty() || recv(fd_, octets.data(), octets.size(), MSG_WAITALL) !=
                                static_cast<ssize_t>(octets.size())) {
        return Step::broken;
      }
      const Step step = side.take(octets);
      if (step != Step::more) return step;
    }
  }
  Verdict log_in(const SigningKey& key, const std::string& name = "") {
    if (next() != Step::hello) return Verdict::denied;
    side.log_in(key, name);
    return next() == Step::verdict ? side.verdict() : Verdict::denied;
  }
  Verdict log_in_by_password(const std::string& name, const std::string& password) {
    if (next() != Step::hello) return Verdict::denied;
    side.log_in(name, password);
    return next() == Step::verdict ? side.verdict() : Verdict::denied;
  }
  std::string ask(const std::string& text) {
    side.send(R"({"version": 1, "command": "apply", "text": ")" + text + "\"}");
    return next() == Step::message ? side.text() : "";
  }
  bool is_closed() {
    uint8_t octet = 0;
    return recv(fd_, &octet, 1, 0) == 0;
  }

  ClientSide side;

 private:
  int fd_;
};

}  // namespace

TEST_CASE("remote/server: an administrator asks, one request after the other", "[F59]") {
  Bed bed;
  Client client(bed);
  REQUIRE(client.log_in(bed.alice, "Alice") == Verdict::welcome);
  const std::string answer = client.ask("hello");
  CHECK(answer.find(R"("text":"hello")") != std::string::npos);
  CHECK(answer.find(R"("who":"alice")") != std::string::npos);
  CHECK(answer.find(R"("connected":true)") != std::string::npos);
  // Of several parts of a response.
  CHECK(client.ask(std::string(1'000'000, 'x')).size() > 1'000'000);
  size_t sessions = 0;
  bed.on_loop([&] { sessions = bed.server->sessions().size(); });
  CHECK(sessions == 1);
  client.side.send_end();
  CHECK(client.next() == Client::Step::ended);
  CHECK(bed.is_logged("alice from 127.0.0.1"));
  CHECK(bed.is_logged("logged in with a key, role admin"));
  CHECK(bed.is_logged("audit: alice, remote 127.0.0.1:"));
  CHECK(bed.is_logged(", login, done, with a key, role admin"));
}

TEST_CASE("remote/server: who has no account, no role or another's name is refused", "[F59][F61]") {
  Bed bed;
  CHECK(Client(bed).log_in(bed.nobody) == Verdict::denied);
  CHECK(Client(bed).log_in(bed.roleless) == Verdict::denied);
  CHECK(Client(bed).log_in(bed.alice, "bob") == Verdict::denied);
  CHECK(bed.is_logged("nobody has the key ed25519:"));
  CHECK(bed.is_logged("the account has no role"));
  CHECK(bed.is_logged("the key is another account's"));
  CHECK(bed.is_logged("login, refused, with a key: the account has no role"));
  uint64_t denied = 0;
  bed.on_loop([&] { denied = bed.server->denied(); });
  CHECK(denied == 3);
}

TEST_CASE("remote/server: addresses that are not listed do not get to the hello", "[F61]") {
  Bed bed;
  bed.on_loop([&] {
    bed.settings.from = {{*parse_ipv4("192.0.2.1"), *parse_ipv4("192.0.2.1")}};
    CHECK(bed.server->configure(bed.settings));
  });
  Client client(bed);
  CHECK(client.next() == Client::Step::broken);
  CHECK(bed.is_logged("the address is not in admin.remote.from"));
}

TEST_CASE("remote/server: a session ends with its account, its address and its socket", "[F59]") {
  Bed bed;
  Client client(bed);
  REQUIRE(client.log_in(bed.alice) == Verdict::welcome);
  SECTION("account") {
    bed.on_loop([&] {
      bed.model.users.accounts[0].enabled = false;
      CHECK(bed.people->follow(bed.model));
      bed.server->review_sessions();
    });
  }
  SECTION("role, asked for at each request") {
    bed.on_loop([&] {
      bed.model.users.accounts[0].role = config::Role::none;
      CHECK(bed.people->follow(bed.model));
    });
    CHECK(client.ask("hello").empty());
  }
  SECTION("address") {
    bed.on_loop([&] {
      bed.settings.from = {{*parse_ipv4("192.0.2.1"), *parse_ipv4("192.0.2.1")}};
      CHECK(bed.server->configure(bed.settings));
    });
  }
  SECTION("socket") {
    bed.on_loop([&] { CHECK(bed.server->configure({})); });
  }
  CHECK(client.is_closed());
}

TEST_CASE("remote/server: a new password ends the sessions by the old one, no others", "[F61]") {
  Bed bed;
  bed.model.users.password.hash_mib = 19;
  auto hash = [&](const std::string& password) {
    return *accounts::hash_of(password, bed.model.users.password);
  };
  auto follow = [&] { CHECK(bed.people->follow(bed.model)); };
  bed.model.users.accounts[0].password = hash("correct-horse1");
  bed.on_loop(follow);
  Client by_key(bed), by_password(bed), idle(bed);
  REQUIRE(by_key.log_in(bed.alice) == Verdict::welcome);
  REQUIRE(by_password.log_in_by_password("alice", "correct-horse1") == Verdict::welcome);
  REQUIRE(idle.log_in_by_password("alice", "correct-horse1") == Verdict::welcome);
  bed.model.users.accounts[0].password = hash("battery-staple2");
  bed.on_loop(follow);
  CHECK(by_password.ask("hello").empty());
  CHECK(by_password.is_closed());
  bed.on_loop([&] { bed.server->review_sessions(); });
  CHECK(idle.is_closed());
  CHECK_FALSE(by_key.ask("hello").empty());
}

TEST_CASE("remote/server: refused log-ins that are not checked share a line", "[F61]") {
  Bed bed;
  for (int i = 0; i < 13; ++i) {
    CHECK(Client(bed).log_in_by_password("alice", "wrong") != Verdict::welcome);
    // A key that comes in between forgives no wrong password.
    if (i == 6) CHECK(Client(bed).log_in(bed.alice) == Verdict::welcome);
  }
  size_t denied = 0, blocked = 0;
  bed.on_loop([&] {
    denied = bed.server->denied();
    blocked = bed.people->attempts().blocked(bed.people->now()).size();
  });
  CHECK(denied == 13);
  CHECK(blocked == 1);
  std::lock_guard lock(bed.mutex);
  const auto lines = std::ranges::count_if(bed.log, [](const std::string& line) {
    return line.find("login, refused, with a password") != std::string::npos;
  });
  CHECK(lines == 4);  // three that were checked, and one for the rest
}

TEST_CASE("remote/server: what is no handshake is told and closed", "[F61]") {
  Bed bed;
  Client client(bed);
  client.side.out().assign(kClientHello, 'x');
  CHECK(client.next() == Client::Step::broken);
  CHECK(bed.is_logged("no handshake of ours"));
}
