// SPDX-License-Identifier: BSD-3-Clause
// The store on a real file with its threads: what is made, what is refused, kill -9, and, where
// they are asked for ([.measure]), the figures.
#include "services/http/store/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "unit/http/store/live_store.h"
#include "unit/http/store/store_bed.h"

namespace postern::http {
namespace {

using testing::content_of;
using testing::LiveStore;
using testing::TemporaryFolder;
using State = Read::State;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST_CASE("http/store/file: is made once, of its size, with all its blocks, and locked", "[F55]") {
  const TemporaryFolder folder;
  LiveStore live(folder.path("cache"), 16 * kMiB);
  REQUIRE(live.open());
  struct stat status {};
  REQUIRE(::stat(live.options.path.c_str(), &status) == 0);
  CHECK(status.st_size == 16 * kMiB);
  CHECK(status.st_blocks * 512 >= status.st_size);
  CHECK((status.st_mode & 0777) == 0600);
  auto second = Store::open(live.options);
  REQUIRE_FALSE(second);
  CHECK(second.error().text.find("another process") != std::string::npos);
  for (int i = 0; i < 3'000; ++i)
    REQUIRE(live.put("key " + std::to_string(i), 20'000));  // nearly four times the file
  CHECK(live.is_right("key 2999", 20'000));
  REQUIRE(live.open());
  CHECK(live.is_right("key 2999", 20'000));
  struct stat after {};
  REQUIRE(::stat(live.options.path.c_str(), &after) == 0);
  CHECK(after.st_size == status.st_size);
  CHECK(after.st_blocks == status.st_blocks);
}

TEST_CASE("http/store/file: a wrong one is replaced when it is said, not before", "[F55]") {
  const TemporaryFolder folder;
  LiveStore live(folder.path("cache"), 16 * kMiB);
  SECTION("text") {
    std::ofstream(live.options.path) << "my novel";
  }
  SECTION("with holes") {
    REQUIRE(live.open());
    live.store.reset();
    std::filesystem::resize_file(live.options.path, 8'192);
    std::filesystem::resize_file(live.options.path, 16 * kMiB);
  }
  SECTION("cut short") {
    REQUIRE(live.open());
    live.store.reset();
    std::filesystem::resize_file(live.options.path, 15 * kMiB);
  }
  const auto size = std::filesystem::file_size(live.options.path);
  CHECK_FALSE(live.open());
  CHECK(live.error.find("format the cache anew") != std::string::npos);
  CHECK(std::filesystem::file_size(live.options.path) == size);
  REQUIRE(Store::format(live.options));
  REQUIRE(live.open());
  CHECK(live.put("a", 1'000));
}

TEST_CASE("http/store/file: what there is no room for is refused, and leaves nothing", "[C19]") {
  const TemporaryFolder folder;
  StoreOptions options;
  options.path = folder.path("cache");
  options.octets = uint64_t{64} << 40;  // 64 TiB
  auto opened = Store::open(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().text.find("cannot be made") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(options.path));
  options.octets = kMiB;
  opened = Store::open(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().text.find("at least") != std::string::npos);
  options.octets = 16 * kMiB;
  options.may_create = false;
  opened = Store::open(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::not_found);
  options.path = "/dev/zero";
  CHECK_FALSE(Store::open(options));
}

// A TCP connection with itself on loopback; what is sent waits until it is read.
class Connection {
 public:
  Connection() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t octets = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener, generic, octets) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, generic, &octets) == 0);
    out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(out, generic, octets) == 0);
    in = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
    REQUIRE(::fcntl(out, F_SETFL, O_NONBLOCK) == 0);
  }
  ~Connection() {
    ::close(out);
    ::close(in);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  int out = -1;
  int in = -1;
};

TEST_CASE("http/store/file: what was sent and not read yet stays right when its segment is reused",
          "[F55]") {
  const TemporaryFolder folder;
  LiveStore live(folder.path("cache"), 32 * kMiB);
  live.options.keep_percent = 0;
  REQUIRE(live.open());
  REQUIRE(live.put("a", 1'000'000));
  const Connection connection;
  size_t sent = 0;
  auto object = live.find({"a"});
  REQUIRE(object);
  for (bool is_full = false; !is_full;) {
    const ReadExtent extent = object->next_extent();
    if (extent.state == State::absent) return;  // no file system for extents, nothing to show
    if (extent.state != State::octets) break;
    auto at = static_cast<off_t>(extent.offset);
    const ssize_t part = ::sendfile(connection.out, extent.fd, &at, extent.length);
    is_full = part < static_cast<ssize_t>(extent.length);
    if (part > 0) sent += static_cast<size_t>(part);
  }
  REQUIRE(sent > 100'000);
  object.reset();
  for (int i = 0; i < 1'200; ++i)
    REQUIRE(live.put("key " + std::to_string(i), 60'000));  // twice the file
  REQUIRE_FALSE(live.find({"a"}));
  ::shutdown(connection.out, SHUT_WR);
  std::vector<uint8_t> got(sent);
  REQUIRE(::recv(connection.in, got.data(), sent, MSG_WAITALL) == static_cast<ssize_t>(sent));
  CHECK(got == content_of("a", sent));
}

TEST_CASE("http/store/file: sendfile sends the body from its places", "[F55]") {
  const TemporaryFolder folder;
  LiveStore live(folder.path("cache"), 32 * kMiB);
  REQUIRE(live.open());
  constexpr size_t kOctets = 1'000'000;
  REQUIRE(live.put("a", kOctets));
  auto object = live.find({"a"});
  REQUIRE(object);
  const std::string copy = folder.path("copy");
  std::ofstream(copy).close();
  const int out = ::open(copy.c_str(), O_WRONLY | O_CLOEXEC);
  size_t extents = 0;
  for (;; ++extents) {
    const ReadExtent extent = object->next_extent();
    if (extent.state != State::octets) {
      CHECK(extent.state == State::end);
      break;
    }
    auto at = static_cast<off_t>(extent.offset);
    REQUIRE(::sendfile(out, extent.fd, &at, extent.length) == static_cast<ssize_t>(extent.length));
  }
  ::close(out);
  CHECK(extents == (kOctets + kChunkMax - 1) / kChunkMax);
  std::ifstream in(copy, std::ios::binary);
  const std::string got((std::istreambuf_iterator<char>(in)), {});
  const auto right = content_of("a", kOctets);
  CHECK(std::equal(right.begin(), right.end(), got.begin(), got.end(),
                   [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }));
}

// What the child tells: keys that were removed for good, as they are confirmed.
void live_until_killed(const std::string& path, int report, unsigned seed) {
  LiveStore live(path, 16 * kMiB);
  live.options.queue_octets_max = 4 * kMiB;
  if (!live.open()) ::_exit(2);
  std::mt19937 random(seed);
  for (uint32_t i = 0;; ++i) {
    const uint32_t number = random() % 2'000;
    const std::string name = std::to_string(seed) + " " + std::to_string(number);
    const unsigned what = random() % 10;
    if (what < 7) {
      const size_t octets = number % 10 == 0 ? 400'000 + number : number * 13;
      auto writer = live.store->begin({name}, std::to_string(octets), {});
      if (!writer) continue;
      const auto content = content_of(name, octets);
      for (size_t at = 0; at < octets; at += 30'000)
        writer->append(std::span(content).subspan(at, std::min<size_t>(30'000, octets - at)));
      writer->commit();
    } else if (what < 9) {
      live.store->find({name}, [](std::unique_ptr<StoredObject>) {});
    } else {
      // Of another name, which is stored once only.
      const std::string gone = "gone " + std::to_string(seed) + " " + std::to_string(i);
      live.put(gone, 1'000);
      live.store->remove(gone, [report, gone](bool done) {
        const std::string line = gone + "\n";
        if (done && ::write(report, line.data(), line.size()) < 0) ::_exit(3);
      });
    }
    live.run();
  }
}

// Kills a process that fills the store, at random moments; after each, all that is found is right.
void kill_often(unsigned times) {
  const TemporaryFolder folder;
  const std::string path = folder.path("cache");
  std::mt19937 random(times);
  std::vector<std::string> gone;
  size_t found = 0;
  for (unsigned seed = 1; seed <= times; ++seed) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) live_until_killed(path, ends[1], seed);
    ::close(ends[1]);
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 400));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    std::string line;
    char octet = 0;
    while (::read(ends[0], &octet, 1) == 1) {
      if (octet != '\n') {
        line += octet;
        continue;
      }
      gone.push_back(line);
      line.clear();
    }
    ::close(ends[0]);

    LiveStore live(path, 16 * kMiB);
    REQUIRE(live.open());
    for (const std::string& name : live.keys()) {
      auto object = live.find({name});
      if (!object) continue;
      ++found;
      const bool is_known = !name.starts_with("gone");
      if (is_known) CHECK(object->metadata() == std::to_string(*object->length()));
      const auto [octets, state] = live.read(*object);
      REQUIRE(octets == content_of(name, octets.size()));
      const bool is_whole = state == State::end && octets.size() == object->length();
      REQUIRE((is_whole || state == State::absent || state == State::failed));
    }
    for (const std::string& name : gone)
      REQUIRE_FALSE(live.find({name}));
  }
  CHECK(found > times * 5);
  CHECK_FALSE(gone.empty());
}

TEST_CASE("http/store/file: killed at any moment it serves nothing wrong", "[F55]") {
  kill_often(10);
}

TEST_CASE("http/store/file: killed a hundred times", "[.slow]") {
  kill_often(100);
}

}  // namespace
}  // namespace postern::http
