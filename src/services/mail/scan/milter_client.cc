// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "services/io/listen_address.h"

namespace postern::mail {
namespace {

constexpr int kRetryMs = 50;  // where the milter's queue of connections is full
constexpr size_t kReadMax = 16384;

class Conversation {
 public:
  Conversation(const MilterMail& mail, const Body& body, const ScanLimits& limits)
      : session_(mail), body_(body), limits_(limits) {}
  ~Conversation() {
    if (fd_ >= 0) close(fd_);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  MilterResult run(const MilterAddress& at);

 private:
  bool connect_to(const MilterAddress& at);
  bool try_to_connect(const MilterAddress& at) const;
  bool has_connected();
  short wait_for(short events, int timeout_ms);
  void send_all(std::string_view octets);
  void receive();
  void give_text();
  bool fail(std::string why) {
    session_.fail(std::move(why));
    return false;
  }

  MilterSession session_;
  const Body& body_;
  const ScanLimits& limits_;
  int fd_ = -1;
  uint64_t offset_ = 0;  // of the text that was given
  std::vector<char> piece_;
};

MilterResult Conversation::run(const MilterAddress& at) {
  if (!connect_to(at)) return session_.result();
  for (;;) {
    const std::string output = session_.take_output();
    if (!output.empty()) {
      send_all(output);
    } else if (session_.is_over()) {
      return session_.result();
    } else if (session_.wants_text()) {
      give_text();
    } else if (wait_for(POLLIN, -1) != 0) {
      receive();
    }
  }
}

bool Conversation::connect_to(const MilterAddress& at) {
  const int family = at.path.empty() ? AF_INET : AF_UNIX;
  fd_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail(std::strerror(errno));
  if (family == AF_INET) {
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  while (!try_to_connect(at)) {
    if (errno == EINPROGRESS) return has_connected();
    if (errno != EAGAIN && errno != EINTR) return fail(std::strerror(errno));
    wait_for(0, kRetryMs);
    if (session_.is_over()) return false;
  }
  return true;
}

bool Conversation::try_to_connect(const MilterAddress& at) const {
  if (at.path.empty()) {
    const sockaddr_in to = io::socket_address(at.address, at.port);
    return connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  at.path.copy(to.sun_path, sizeof to.sun_path - 1);
  return connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

bool Conversation::has_connected() {
  if (wait_for(POLLOUT, -1) == 0) return false;
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 || fail(std::strerror(error));
}

// What there is of `events`; 0: `timeout_ms` is over, or the session is. -1: up to the deadline.
short Conversation::wait_for(short events, int timeout_ms) {
  for (;;) {
    const int64_t left_ms = (limits_.left().ns + 999'999) / 1'000'000;
    if (left_ms == 0) {
      fail("it took too long");
      return 0;
    }
    const auto most = static_cast<int>(std::min<int64_t>(left_ms, 1'000'000));
    std::array<pollfd, 2> waits = {
        {{limits_.stop, POLLIN, 0}, {events != 0 ? fd_ : -1, events, 0}}};
    poll(waits.data(), waits.size(), timeout_ms < 0 ? most : std::min(timeout_ms, most));
    if (waits[0].revents != 0) {
      fail("nobody waits for the answer");
      return 0;
    }
    if (waits[1].revents != 0) return waits[1].revents;
    if (timeout_ms >= 0) return 0;
  }
}

// A milter may talk while it is talked to; it is listened to, or both would wait for each other.
void Conversation::send_all(std::string_view octets) {
  const bool was_over = session_.is_over();  // then it is a farewell
  while (!octets.empty()) {
    const ssize_t count = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      octets.remove_prefix(static_cast<size_t>(count));
      continue;
    }
    if (was_over) return;
    // What it said before it went may be a verdict.
    if (errno != EAGAIN && errno != EINTR) return receive();
    const short events = wait_for(POLLIN | POLLOUT, -1);
    if ((events & POLLIN) != 0) receive();
    if (session_.is_over()) return;
  }
}

void Conversation::receive() {
  std::array<char, kReadMax> buffer;
  const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
  if (count > 0) {
    session_.take({buffer.data(), static_cast<size_t>(count)});
  } else if (count == 0) {
    fail("it has closed the connection");
  } else if (errno != EAGAIN && errno != EINTR) {
    fail(std::strerror(errno));
  }
}

void Conversation::give_text() {
  piece_.resize(MilterSession::kTextMax);
  const uint64_t left = body_.octets() - offset_;
  if (left == 0) return session_.text_is_over();
  const size_t count = body_.read(offset_, piece_);
  if (count == 0) {
    fail("the message cannot be read");
    return;
  }
  offset_ += count;
  session_.text({piece_.data(), count});
}

}  // namespace

MilterResult ask_milter(const MilterAddress& at, const MilterMail& mail, const Body& body,
                        const ScanLimits& limits) {
  return Conversation(mail, body, limits).run(at);
}

}  // namespace postern::mail
