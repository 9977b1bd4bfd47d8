// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "control/ipfix/exporter.h"
#include "unit/control/ipfix_decoder.h"

using namespace postern;
using ipfix::Exporter;
using ipfix::Stream;

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// A collector on loopback that can be away: it listens between start() and stop().
class Collector {
 public:
  explicit Collector(int type) : type_(type) { start(); }
  ~Collector() { stop(); }
  uint16_t port() const { return port_; }

  void start() {
    listener_ = socket(AF_INET, type_, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int room = 4 << 20;  // for a burst by UDP
    setsockopt(listener_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_port = htons(port_);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    if (type_ == SOCK_STREAM) REQUIRE(listen(listener_, 4) == 0);
  }
  void stop() {
    if (listener_ >= 0) close(std::exchange(listener_, -1));
    hang_up();
  }
  // Reads until `seen` says so, or 8 s.
  template <typename Seen>
  bool read_until(Seen seen) {
    const auto end = Clock::now() + std::chrono::seconds(8);
    while (!seen() && Clock::now() < end)
      read();
    return seen();
  }
  test::IpfixDecoder decoder;
  std::set<uint64_t> begun;  // different sessions, by their source ports
  unsigned messages = 0, bad_messages = 0, gaps = 0, sessions = 0;
  std::vector<Clock::time_point> templates_at;

 private:
  static bool is_ready(int fd) {
    pollfd wait = {fd, POLLIN, 0};
    return poll(&wait, 1, 20) > 0;
  }
  void hang_up() {
    if (connection_ >= 0) close(std::exchange(connection_, -1));
    stream_.clear();
  }
  void read() {
    if (type_ == SOCK_STREAM && connection_ < 0 && is_ready(listener_)) {
      connection_ = accept(listener_, nullptr, nullptr);
    }
    const int from = type_ == SOCK_STREAM ? connection_ : listener_;
    if (from < 0 || !is_ready(from)) return;
    char octets[65536];
    const ssize_t size = recv(from, octets, sizeof octets, 0);
    if (size <= 0) return hang_up();
    const std::string_view got(octets, static_cast<size_t>(size));
    if (type_ == SOCK_DGRAM) return take(got);
    stream_ += got;
    while (stream_.size() >= 4) {
      const size_t length =
          static_cast<uint8_t>(stream_[2]) * 256u + static_cast<uint8_t>(stream_[3]);
      if (stream_.size() < length) return;
      take(stream_.substr(0, length));
      stream_.erase(0, length);
    }
  }
  void take(std::string_view message) {
    ++messages;
    const size_t before = decoder.records.size(), templates = decoder.templates_taken;
    if (!decoder.take(message)) ++bad_messages;
    for (size_t i = before; i < decoder.records.size(); ++i) {
      if (decoder.records[i].has(230)) begun.insert(decoder.records[i].at(7));
    }
    if (decoder.templates_taken != templates) templates_at.push_back(Clock::now());
    if (decoder.header.sequence == 0) {
      if (decoder.templates_taken != templates) ++sessions;
    } else if (decoder.header.sequence != expected_) {
      ++gaps;
    }
    expected_ = decoder.header.sequence + decoder.records.size() - before;
  }

  int type_;
  uint16_t port_ = 0;
  int listener_ = -1, connection_ = -1;
  std::string stream_;
  uint64_t expected_ = 0;
};

FlowRecord session(uint16_t port) {
  FlowRecord record;
  record.event = FlowEvent::session_begin;
  record.original = {be32(0xC0A8010A), be32(0xC6336407), be16(port), be16(53), protocol::udp};
  record.reply = {be32(0xC6336407), be32(0xCB007101), be16(53), be16(port), protocol::udp};
  return record;
}

ipfix::Destination destination(const Collector& collector, config::IpfixTransport transport) {
  ipfix::Destination to;
  to.to.collector = Ipv4Address(INADDR_LOOPBACK);
  to.to.port = collector.port();
  to.to.transport = transport;
  to.to.domain = 9;
  to.interfaces = {{1, "wan"}, {2, "lan"}};
  return to;
}

// Both transports, with a collector for each.
struct Bed {
  Collector collector;
  config::IpfixTransport transport;
  SpscRing<FlowRecord> ring{1024};
  WorkerCounters counters;
  Exporter exporter{{{{&ring, &counters}}, [] { return Instant{1'000'000'000}; }, {}}};

  explicit Bed(bool is_tcp)
      : collector(is_tcp ? SOCK_STREAM : SOCK_DGRAM),
        transport(is_tcp ? config::IpfixTransport::tcp : config::IpfixTransport::udp) {}
  void follow(const Collector& to) { exporter.follow(destination(to, transport)); }
  void push(unsigned from, unsigned to) {
    for (unsigned i = from; i < to; ++i) {
      while (!ring.push(session(static_cast<uint16_t>(i))))
        std::this_thread::sleep_for(Milliseconds(1));
    }
  }
  bool settles(std::function<bool(const Exporter::Status&)> seen) {
    for (int i = 0; i < 400 && !seen(exporter.status()); ++i)
      std::this_thread::sleep_for(Milliseconds(20));
    return seen(exporter.status());
  }
};

}  // namespace

TEST_CASE("control/ipfix: records reach the collector, the templates in front", "[P20][tsan]") {
  const bool is_tcp = GENERATE(false, true);
  Bed bed(is_tcp);
  bed.follow(bed.collector);
  bed.push(0, 5000);
  CHECK(bed.collector.read_until([&] { return bed.collector.begun.size() == 5000; }));
  CHECK(bed.collector.bad_messages == 0);
  CHECK(bed.collector.gaps == 0);
  CHECK(bed.collector.sessions == 1);
  CHECK(bed.collector.decoder.header.domain == 9);
  CHECK(bed.collector.decoder.templates_taken == ipfix::templates().size());
  CHECK(bed.collector.decoder.records[0].text == "wan");
  CHECK(bed.settles([](const auto& status) { return status.sent == 5000; }));
  const auto status = bed.exporter.status();
  CHECK(status.is_on);
  CHECK(status.is_open);
  CHECK(status.waiting == 0);
  CHECK(status.lost == 0);
  CHECK(bed.exporter.complaint());
}

TEST_CASE("control/ipfix: what comes while the collector is away arrives when it is back",
          "[P20]") {
  const bool is_tcp = GENERATE(false, true);
  Bed bed(is_tcp);
  bed.collector.stop();
  bed.follow(bed.collector);
  bed.push(0, 3000);
  CHECK(bed.settles([](const auto& status) { return !status.fault.empty(); }));
  CHECK_FALSE(bed.exporter.complaint());
  CHECK(bed.exporter.status().lost == 0);
  bed.collector.start();
  CHECK(bed.collector.read_until([&] { return bed.collector.begun.size() == 3000; }));
  CHECK(bed.collector.bad_messages == 0);
  CHECK(bed.settles([](const auto& status) { return status.sent == 3000; }));
  CHECK(bed.exporter.complaint());
}

TEST_CASE("control/ipfix: another collector gets all that the first one did not", "[P20]") {
  const bool is_tcp = GENERATE(false, true);
  Bed bed(is_tcp);
  Collector second(is_tcp ? SOCK_STREAM : SOCK_DGRAM);
  bed.collector.stop();
  bed.follow(bed.collector);
  bed.push(0, 1000);
  bed.follow(second);
  bed.push(1000, 2000);
  CHECK(second.read_until([&] { return second.begun.size() == 2000; }));
  CHECK(second.bad_messages == 0);
  CHECK(bed.settles([](const auto& status) { return status.sent == 2000 && status.lost == 0; }));
}

TEST_CASE("control/ipfix: templates come again by UDP, and new names of interfaces", "[P20]") {
  Bed bed(false);
  auto to = destination(bed.collector, bed.transport);
  to.to.template_refresh = Duration{400'000'000};
  bed.exporter.follow(to);
  CHECK(bed.collector.read_until([&] { return bed.collector.templates_at.size() >= 3; }));
  CHECK(bed.collector.templates_at[2] - bed.collector.templates_at[1] >= Milliseconds(300));
  to.interfaces = {{1, "uplink"}};
  bed.exporter.follow(to);
  CHECK(bed.collector.read_until(
      [&] { return bed.collector.decoder.records.back().text == "uplink"; }));
  CHECK(bed.collector.sessions <= 2);  // the first message may be two
  CHECK(bed.collector.gaps == 0);
}

TEST_CASE("control/ipfix: what workers lost is told in the status and to the collector", "[P20]") {
  Bed bed(true);
  bed.follow(bed.collector);
  bed.push(0, 10);
  CHECK(bed.collector.read_until([&] { return bed.collector.begun.size() == 10; }));
  bed.counters.flow_records_lost.add(17);
  bed.counters.flow_packets_untold.add(200);
  bed.counters.flow_bytes_untold.add(30000);
  CHECK(bed.collector.read_until([&] { return bed.collector.decoder.records.back().has(166); }));
  const auto& loss = bed.collector.decoder.records.back();
  CHECK(loss.at(166) == 17);
  CHECK(loss.at(167) == 200);
  CHECK(loss.at(168) == 30000);
  CHECK(bed.settles([](const auto& status) { return status.lost == 17; }));
  CHECK_FALSE(bed.exporter.complaint());
}

TEST_CASE("control/ipfix: a collector that is away for long leaves what is too much in the ring",
          "[P20]") {
  Bed bed(true);
  bed.collector.stop();
  bed.follow(bed.collector);
  unsigned taken = 0;
  const auto end = Clock::now() + std::chrono::seconds(20);
  while (taken < Stream::kQueueMax && Clock::now() < end)
    taken += bed.ring.push(session(1)) ? 1 : 0;
  CHECK(bed.settles([](const auto& status) { return status.waiting == Stream::kQueueMax; }));
  while (bed.ring.push(session(2)))
    ++taken;
  CHECK(taken == Stream::kQueueMax + 1024);
  std::this_thread::sleep_for(Milliseconds(100));
  CHECK_FALSE(bed.ring.push(session(3)));
  CHECK(bed.exporter.status().lost == 0);  // the worker counts it
}

TEST_CASE("control/ipfix: nobody is told any more, then the records are forgotten", "[P20]") {
  Bed bed(true);
  bed.collector.stop();
  bed.follow(bed.collector);
  bed.push(0, 100);
  CHECK(bed.settles([](const auto& status) { return status.waiting == 100; }));
  bed.exporter.follow(std::nullopt);
  CHECK(bed.settles([](const auto& status) { return status.lost == 100 && !status.is_on; }));
  CHECK(bed.exporter.status().waiting == 0);
  CHECK(bed.exporter.complaint());
}
