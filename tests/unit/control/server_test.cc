// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/server.h"

#include <grp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <thread>

#include "control/admin/protocol.h"
#include "unit/control/configuration.h"

using namespace postern;
using namespace postern::admin;

namespace {

const std::string kEcho = R"({"version": 1, "command": "echo", "text": "hello"})";

// A server on a thread of its own, until the end of the test.
struct Bed {
  test::TemporaryDirectory directory;
  Loop loop;
  Dispatcher dispatcher;
  std::unique_ptr<Server> server;
  std::thread thread;

  Bed() {
    dispatcher.add("echo", [](const Json& request, const Peer&, Reply reply) {
      reply.done({{"text", request.at("text").get<std::string>()}});
    });
    dispatcher.add("later", [this](const Json&, const Peer&, Reply reply) {
      loop.after(milliseconds(20), [reply]() mutable { reply.done({}); });
    });
    auto listening = Server::listen(loop, socket_path(directory.path()), dispatcher);
    REQUIRE(listening);
    server = std::move(*listening);
    thread = std::thread([this] { loop.run(); });
  }
  ~Bed() {
    loop.stop();
    thread.join();
  }
  std::string path() const { return socket_path(directory.path()); }
};

class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    timeval timeout = {5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send_raw(const std::string& bytes) {
    CHECK(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  }
  void send_frame(const std::string& body) {
    auto length = encode_length(body.size());
    send_raw(std::string(length.begin(), length.end()) + body);
  }
  void finish() { shutdown(fd_, SHUT_WR); }
  // Empty: the server closed the connection.
  std::string receive() {
    std::array<uint8_t, kLengthBytes> length = {};
    if (recv(fd_, length.data(), length.size(), MSG_WAITALL) != kLengthBytes) return "";
    std::string body(*decode_length(length, kResponseMax), '\0');
    if (recv(fd_, body.data(), body.size(), MSG_WAITALL) != static_cast<ssize_t>(body.size())) {
      return "";
    }
    return body;
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("control/admin: one connection carries several requests, in order") {
  Bed bed;
  Client client(bed.path());
  for (int i = 0; i < 3; ++i) {
    client.send_frame(kEcho);
    CHECK(client.receive() == R"({"version":1,"ok":true,"result":{"text":"hello"}})");
  }
  client.send_frame(R"({"version": 1, "command": "later"})");
  client.send_frame(kEcho);
  CHECK(Json::parse(client.receive())["result"].empty());
  CHECK(Json::parse(client.receive())["result"]["text"] == "hello");
}

TEST_CASE("control/admin: the socket is its owner's only") {
  Bed bed;
  struct stat facts = {};
  REQUIRE(stat(bed.path().c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  CHECK(bed.server->set_group(""));
}

TEST_CASE("control/admin: an unknown group takes the socket from the group before it", "[F60]") {
  Bed bed;
  auto mode = [&bed] {
    struct stat facts = {};
    return stat(bed.path().c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
  };
  const group* own = getgrgid(getegid());
  REQUIRE(own != nullptr);
  REQUIRE(bed.server->set_group(own->gr_name));
  CHECK(mode() == 0660);
  auto set = bed.server->set_group("no-such-group-here");
  REQUIRE_FALSE(set);
  CHECK(set.error().code == ErrorCode::not_found);
  CHECK(mode() == 0600);
}

TEST_CASE("control/admin: frames that cannot be are refused, and the next client is served") {
  Bed bed;
  auto [bytes, has_answer] = GENERATE(table<std::string, bool>({
      {std::string("\0\0\0\0", 4), true},       // an empty request
      {"\xff\xff\xff\xff", true},               // 4 GiB are announced
      {std::string("\0\0", 2), false},          // broken off in the length
      {std::string("\0\0\0\x09{}", 6), false},  // broken off in the body
      {"GET / HTTP/1.1\r\n\r\n", true},
      {"", false},
  }));
  {
    Client client(bed.path());
    client.send_raw(bytes);
    client.finish();
    std::string answer = client.receive();
    CHECK(answer.empty() != has_answer);
    CHECK(client.receive().empty());
  }
  Client next(bed.path());
  next.send_frame(kEcho);
  CHECK_FALSE(next.receive().empty());
}

TEST_CASE("control/admin: without descriptors it waits, and does not spin") {
  Bed bed;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  rlimit before = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = {0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  bed.path().copy(address.sun_path, sizeof address.sun_path - 1);
  CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const clock_t begun = clock();  // of the processor
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(clock() - begun < CLOCKS_PER_SEC / 10);
  setrlimit(RLIMIT_NOFILE, &before);
  Client client(bed.path());
  client.send_frame(kEcho);
  CHECK_FALSE(client.receive().empty());
  close(fd);
}

TEST_CASE("control/admin: clients are bounded, and room comes back") {
  Bed bed;
  {
    std::vector<std::unique_ptr<Client>> clients;
    for (unsigned i = 0; i < Server::kClientsMax; ++i) {
      clients.push_back(std::make_unique<Client>(bed.path()));
      clients.back()->send_frame(kEcho);
      REQUIRE_FALSE(clients.back()->receive().empty());
    }
    Client one_more(bed.path());
    CHECK(one_more.receive().find("too many administrators") != std::string::npos);
  }
  for (int tries = 0; tries < 100; ++tries) {
    Client client(bed.path());
    client.send_frame(kEcho);
    if (client.receive().find("hello") != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL("no room came back");
}
