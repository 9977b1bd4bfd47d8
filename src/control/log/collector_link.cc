// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/collector_link.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/endian.h"

namespace postern {
namespace {

constexpr size_t kUdpWindow = 4096;  // datagrams that may still be complained about
constexpr size_t kUdpProbes = 1;     // until the first was not
constexpr int kUdpHeaders = 28;      // IPv4, UDP
constexpr int kMtuMin = 576, kMtuMax = 1500;

// A socket that connects without being waited for; -1: errno says why.
int connected_socket(const CollectorLink::Way& way, int type) {
  const int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (type == SOCK_STREAM) {
    const unsigned silence_ms = std::chrono::milliseconds(CollectorLink::kSilenceMax).count();
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
  }
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(way.port);
  to.sin_addr.s_addr = htonl(way.address.number);
  const int done = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (done == 0 || errno == EINPROGRESS) return fd;
  const int why = errno;
  close(fd);
  errno = why;
  return -1;
}

class Broken : public CollectorLink {
 public:
  explicit Broken(std::string why) { fail(std::move(why)); }
  void turn() override {}
  bool is_open() const override { return false; }
  bool has_room() const override { return false; }
  bool send(std::string_view) override { return false; }
  size_t arrived() override { return 0; }
};

class Udp : public CollectorLink {
 public:
  explicit Udp(int fd) : fd_(fd) {}
  ~Udp() override { close(fd_); }
  Udp(const Udp&) = delete;
  Udp& operator=(const Udp&) = delete;

  void turn() override {
    std::array<char, 512> unused;
    if (recv(fd_, unused.data(), unused.size(), MSG_DONTWAIT) < 0) complain();
  }
  bool is_open() const override { return fault().empty(); }
  bool is_proven() const override { return is_open() && is_proven_; }
  bool has_room() const override {
    return is_open() && !is_full_ && sent_at_.size() < (is_proven_ ? kUdpWindow : kUdpProbes);
  }
  bool send(std::string_view message) override {
    if (::send(fd_, message.data(), message.size(), MSG_DONTWAIT) < 0) {
      is_full_ = true;
      complain();
      return false;
    }
    sent_at_.push_back(Clock::now());
    // A burst would only fill the collector's buffer.
    is_full_ = sent_at_.size() % kUdpBurst == 0;
    return true;
  }
  size_t message_max() const override {
    int mtu = 0;
    socklen_t size = sizeof mtu;
    if (getsockopt(fd_, IPPROTO_IP, IP_MTU, &mtu, &size) != 0) mtu = kMtuMin;
    return static_cast<size_t>(std::clamp(mtu, kMtuMin, kMtuMax) - kUdpHeaders);
  }
  size_t arrived() override {
    turn();
    is_full_ = false;
    size_t count = 0;
    const Clock::time_point now = Clock::now();
    for (; is_open() && !sent_at_.empty() && now - sent_at_.front() >= kUdpPatience; ++count)
      sent_at_.pop_front();
    if (count > 0) is_proven_ = true;
    return count;
  }

 private:
  static constexpr size_t kUdpBurst = 64;
  void complain() {
    if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) fail(std::strerror(errno));
  }

  int fd_;
  bool is_proven_ = false;
  bool is_full_ = false;  // until the next turn
  std::deque<Clock::time_point> sent_at_;
};

}  // namespace

std::unique_ptr<CollectorLink> open_udp_link(int fd) {
  return std::make_unique<Udp>(fd);
}

std::unique_ptr<CollectorLink> CollectorLink::open(const Way& way) {
  const bool is_udp = way.transport == Transport::udp;
  const int fd = connected_socket(way, is_udp ? SOCK_DGRAM : SOCK_STREAM);
  if (fd < 0) return std::make_unique<Broken>(std::strerror(errno));
  if (is_udp) return open_udp_link(fd);
  if (way.transport == Transport::tls) return open_tls_link(way, fd);
  return std::make_unique<CollectorStream>(fd);
}

CollectorStream::CollectorStream(int fd) : fd_(fd) {}

CollectorStream::~CollectorStream() {
  close(fd_);
}

void CollectorStream::turn() {
  if (!fault().empty()) return;
  if (!is_connected_) {
    pollfd wait = {fd_, POLLOUT, 0};
    if (poll(&wait, 1, 0) > 0) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return fail(std::strerror(error));
      is_connected_ = true;
    }
  }
  if (is_connected_ && !is_ready_) is_ready_ = shake_hands();
  if (!is_ready_) {
    if (Clock::now() > deadline_) fail("no answer for 5 s");
    return;
  }
  if (is_at_end()) return fail("the collector has closed the connection");
  flush();
}

bool CollectorStream::send(std::string_view message) {
  outgoing_ += message;
  appended_ += message.size();
  ends_.push_back(appended_);
  flush();
  return true;
}

void CollectorStream::flush() {
  while (!outgoing_.empty() && fault().empty()) {
    const size_t taken = write_some(outgoing_);
    if (taken == 0) return;
    outgoing_.erase(0, taken);
    written_ += taken;
    marks_.push_back({written_, on_wire()});
  }
}

size_t CollectorStream::arrived() {
  turn();
  int queued = 0;
  if (!is_open() || ioctl(fd_, SIOCOUTQ, &queued) != 0) return 0;
  const uint64_t reached = on_wire() - static_cast<uint64_t>(queued);
  for (; !marks_.empty() && marks_.front().wire <= reached; marks_.pop_front())
    arrived_frames_ = marks_.front().frames;
  size_t count = 0;
  for (; !ends_.empty() && ends_.front() <= arrived_frames_; ++count)
    ends_.pop_front();
  return count;
}

size_t CollectorStream::write_some(std::string_view octets) {
  const ssize_t taken = ::send(fd_, octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (taken >= 0) return static_cast<size_t>(taken);
  if (errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
  return 0;
}

// Collectors say nothing; what they say is thrown away.
bool CollectorStream::is_at_end() {
  std::array<char, 512> unused;
  const ssize_t size = recv(fd_, unused.data(), unused.size(), MSG_DONTWAIT);
  if (size < 0 && errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
  return size == 0;
}

}  // namespace postern
