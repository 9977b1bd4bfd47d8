// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <utility>

#include "control/log/log_hub.h"
#include "control/log/syslog_sender.h"
#include "unit/control/configuration.h"

using namespace postern;

namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A collector that can be away: it listens between start() and stop().
class Collector {
 public:
  explicit Collector(int type) : type_(type) { start(); }
  ~Collector() { stop(); }
  uint16_t port() const { return port_; }

  void start() {
    listener_ = socket(AF_INET, type_, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at = loopback(port_);
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    if (type_ == SOCK_STREAM) REQUIRE(listen(listener_, 4) == 0);
  }
  void stop() {
    close(std::exchange(listener_, -1));
    if (connection_ >= 0) close(std::exchange(connection_, -1));
    text_.clear();
  }
  // Until so many have come, or 8 s.
  std::vector<std::string> take(size_t count) {
    std::vector<std::string> messages;
    const Clock::time_point end = Clock::now() + std::chrono::seconds(8);
    while (messages.size() < count && Clock::now() < end) {
      if (type_ == SOCK_STREAM && connection_ < 0 && is_ready(listener_)) {
        connection_ = accept(listener_, nullptr, nullptr);
      }
      const int from = type_ == SOCK_STREAM ? connection_ : listener_;
      if (from < 0 || !is_ready(from)) continue;
      char bytes[16384];
      const ssize_t size = recv(from, bytes, sizeof bytes, 0);
      if (size <= 0) {
        // The next connection goes on with whole messages.
        if (type_ == SOCK_STREAM) close(std::exchange(connection_, -1));
        text_.clear();
        continue;
      }
      text_.append(bytes, static_cast<size_t>(size));
      if (type_ == SOCK_DGRAM) {
        messages.push_back(std::exchange(text_, ""));
      } else {
        split(messages);
      }
    }
    return messages;
  }

 private:
  static bool is_ready(int fd) {
    pollfd wait = {fd, POLLIN, 0};
    return poll(&wait, 1, 20) > 0;
  }
  void split(std::vector<std::string>& messages) {
    for (;;) {
      const size_t space = text_.find(' ');
      if (space == std::string::npos) return;
      const size_t length = std::stoul(text_.substr(0, space));
      if (text_.size() < space + 1 + length) return;
      messages.push_back(text_.substr(space + 1, length));
      text_.erase(0, space + 1 + length);
    }
  }

  int type_;
  uint16_t port_ = 0;
  int listener_ = -1, connection_ = -1;
  std::string text_;
};

struct Bed {
  test::TemporaryDirectory directory;
  SyslogSender::Settings settings;

  Bed(config::SyslogProtocol protocol, uint16_t port) {
    settings.target.address = Ipv4Address(INADDR_LOOPBACK);
    settings.target.port = port;
    settings.target.protocol = protocol;
    settings.state_dir = directory.path();
    settings.host = "gw1";
  }
};

void write(SyslogSender& sender, int from, int to) {
  for (int i = from; i < to; ++i) {
    const std::string line = "number=" + std::to_string(i);
    LogEntry entry;
    entry.log = config::LogName::audit;
    entry.line = line;
    sender.take(entry);
  }
}

bool are_in_order(const std::vector<std::string>& messages, int count, int first = 0) {
  if (messages.size() != static_cast<size_t>(count)) return false;
  for (int i = 0; i < count; ++i) {
    const std::string end = "] number=" + std::to_string(first + i);
    const std::string& message = messages[static_cast<size_t>(i)];
    if (message.size() < end.size() || message.substr(message.size() - end.size()) != end) {
      return false;
    }
  }
  return true;
}

struct HubBed {
  test::TemporaryDirectory directory;
  std::mutex mutex;
  std::vector<std::string> told;
  config::Logging logging;
  LogHub hub{[this](const std::string& line) {
    std::lock_guard lock(mutex);
    told.push_back(line);
  }};

  void configure(LogHub::Others others = LogHub::Others::are_forgotten) {
    hub.configure(logging, {directory.path(), "gw1"}, others);
  }
  void write(int number) {
    const std::string line = "number=" + std::to_string(number);
    LogEntry entry;
    entry.line = line;
    hub.take(entry, false);
  }
  std::string spool() const { return directory.path() + "/spool"; }
  size_t lines_told() {
    std::lock_guard lock(mutex);
    return told.size();
  }
};

template <typename Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 300 && !condition(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

}  // namespace

TEST_CASE("control/log: a backlog for a collector that was away arrives in order", "[F68]") {
  const auto [protocol, type] = GENERATE(table<config::SyslogProtocol, int>(
      {{config::SyslogProtocol::tcp, SOCK_STREAM}, {config::SyslogProtocol::udp, SOCK_DGRAM}}));
  Collector collector(type);
  collector.stop();
  Bed bed(protocol, collector.port());
  {
    SyslogSender sender(bed.settings);
    sender.start();
    write(sender, 0, 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    CHECK_FALSE(sender.status().fault.empty());
  }
  CHECK_FALSE(std::filesystem::is_empty(bed.directory.path() + "/spool"));
  SyslogSender sender(bed.settings);
  sender.start();
  write(sender, 200, 500);
  collector.start();
  CHECK(are_in_order(collector.take(500), 500));
  CHECK(sender.status().lost == 0);
}

TEST_CASE("control/log: what a full socket does not take by UDP is not gone", "[F67]") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
  auto link = open_udp_link(ends[0]);
  int sent = 0;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(5);
  // The first one alone, until nobody complained; then as many as fit.
  while (link->arrived() == 0 && Clock::now() < end) {
    if (link->has_room() && link->send("x")) ++sent;
  }
  REQUIRE(link->is_proven());
  while (link->has_room() && link->send("x"))
    ++sent;
  CHECK_FALSE(link->has_room());
  CHECK(link->fault().empty());
  char bytes[16];
  int received = 0;
  while (recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
    ++received;
  CHECK(received == sent);
  link->arrived();
  CHECK(link->send("x"));
  close(ends[1]);
}

TEST_CASE("control/log: what a collector does not acknowledge is on disk within seconds", "[F68]") {
  Collector collector(SOCK_STREAM);  // takes what fits into its window
  Bed bed(config::SyslogProtocol::tcp, collector.port());
  SyslogSender sender(bed.settings);
  sender.start();
  const std::string filler(4000, 'x');
  uint64_t bytes = 0;
  for (int i = 0; i < 4000; ++i) {
    LogEntry entry;
    entry.line = filler;
    sender.take(entry);
    if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  auto on_disk = [&] {
    uint64_t sum = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(bed.directory.path())) {
      if (file.is_regular_file()) sum += file.file_size();
    }
    return sum;
  };
  const Clock::time_point end = Clock::now() + std::chrono::seconds(6);
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    bytes = sender.status().backlog_bytes;
  } while (Clock::now() < end && (bytes == 0 || on_disk() < bytes));
  CHECK(bytes > 2u << 20);
  CHECK(on_disk() >= bytes);
}

TEST_CASE("control/log: a collector that is told differently loses no line", "[F68]") {
  Collector collector(SOCK_STREAM);
  Bed bed(config::SyslogProtocol::tcp, collector.port());
  HubBed hub;
  hub.logging.syslog = {bed.settings.target};
  std::atomic<bool> is_over{false};
  // Lines come while it is told, too.
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      hub.write(i);
      if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    is_over = true;
  });
  hub.configure();
  for (uint32_t i = 1; !is_over; ++i) {
    hub.logging.syslog[0].queue_mib = 1 + i % 8;
    hub.configure();
  }
  writer.join();
  hub.write(2000);
  const std::vector<std::string> got = collector.take(2001);
  REQUIRE_FALSE(got.empty());
  const std::string first = got.front().substr(got.front().rfind('=') + 1);
  CHECK(are_in_order(got, 2001 - std::stoi(first), std::stoi(first)));
  CHECK(std::stoi(first) < 50);  // those from before there was a collector
  hub.logging = {};
  hub.configure();
  CHECK(hub.hub.collectors().empty());
  CHECK(comes_true([&] { return std::filesystem::is_empty(hub.spool()); }));
}

TEST_CASE("control/log: a change on trial forgets nothing that waits for a collector",
          "[F68][C01]") {
  Collector collector(SOCK_STREAM);
  collector.stop();
  Bed bed(config::SyslogProtocol::tcp, collector.port());
  HubBed hub;
  config::Logging with;
  with.syslog = {bed.settings.target};
  hub.logging = with;
  hub.configure();
  for (int i = 0; i < 50; ++i)
    hub.write(i);
  hub.logging = {};
  hub.configure(LogHub::Others::stay);
  CHECK(hub.hub.collectors().empty());
  SECTION("taken back, all of it arrives") {
    hub.logging = with;
    hub.configure();
    hub.write(50);
    collector.start();
    CHECK(are_in_order(collector.take(51), 51));
    CHECK(hub.lines_told() == 0);
  }
  SECTION("settled, it is forgotten, and told") {
    hub.configure();
    REQUIRE(comes_true([&] { return hub.lines_told() == 1; }));
    CHECK(hub.told[0].find(": 50 lines waited") != std::string::npos);
    CHECK(std::filesystem::is_empty(hub.spool()));
  }
}

TEST_CASE("control/log: what waits for collectors of another configuration is cleared at the start",
          "[F68]") {
  Collector collector(SOCK_STREAM);
  collector.stop();
  Bed bed(config::SyslogProtocol::tcp, collector.port());
  HubBed first;
  first.logging.syslog = {bed.settings.target};
  Backlog other(first.spool() + "/syslog-udp-192.0.2.9-0", 1u << 20);
  REQUIRE(other.open());
  REQUIRE(other.push("x"));
  REQUIRE(other.save());
  first.configure();
  REQUIRE(comes_true([&] { return first.lines_told() == 1; }));
  CHECK(first.told[0].find("syslog-udp-192.0.2.9-0: 1 lines waited") == 0);
  CHECK_FALSE(std::filesystem::exists(first.spool() + "/syslog-udp-192.0.2.9-0"));
}
