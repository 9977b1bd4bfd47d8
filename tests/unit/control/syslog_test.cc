// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
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

bool are_in_order(const std::vector<std::string>& messages, int count) {
  if (messages.size() != static_cast<size_t>(count)) return false;
  for (int i = 0; i < count; ++i) {
    const std::string end = "] number=" + std::to_string(i);
    const std::string& message = messages[static_cast<size_t>(i)];
    if (message.size() < end.size() || message.substr(message.size() - end.size()) != end) {
      return false;
    }
  }
  return true;
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
    write(sender, 0, 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    CHECK_FALSE(sender.status().fault.empty());
  }
  CHECK_FALSE(std::filesystem::is_empty(bed.directory.path() + "/spool"));
  SyslogSender sender(bed.settings);
  write(sender, 200, 500);
  collector.start();
  CHECK(are_in_order(collector.take(500), 500));
  CHECK(sender.status().lost == 0);
}

TEST_CASE("control/log: a collector that is told differently loses no line", "[F68]") {
  Collector collector(SOCK_STREAM);
  Bed bed(config::SyslogProtocol::tcp, collector.port());
  config::Logging logging;
  logging.syslog = {bed.settings.target};
  LogHub hub;
  for (int i = 0; i < 200; ++i) {
    logging.syslog[0].queue_mib = static_cast<uint32_t>(i / 20 + 1);
    hub.configure(logging, bed.directory.path(), "gw1");
    const std::string line = "number=" + std::to_string(i);
    LogEntry entry;
    entry.line = line;
    hub.take(entry, false);
  }
  CHECK(are_in_order(collector.take(200), 200));
  hub.configure({}, bed.directory.path(), "gw1");
  CHECK(hub.collectors().empty());
  CHECK(std::filesystem::is_empty(bed.directory.path() + "/spool"));
}
