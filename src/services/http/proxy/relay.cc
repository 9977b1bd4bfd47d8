// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/relay.h"

#include <sys/socket.h>

#include <cerrno>

#include "services/http/proxy/client_hello.h"

namespace postern::http {
namespace {

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

// False: there is something left, or it broke.
bool Relay::flush(int to) {
  while (!pending_.empty()) {
    const ssize_t sent = send(to, pending_.data(), pending_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      is_broken_ = !would_block();
      return false;
    }
    octets_ += static_cast<uint64_t>(sent);
    pending_.erase(0, static_cast<size_t>(sent));
  }
  return true;
}

Relay::State Relay::pump(int from, int to, std::vector<char>& scratch) {
  if (has_ended_) return State::ended;
  for (int round = 0; round < kRoundsMax; ++round) {
    if (is_held_ && pending_.size() >= kClientHelloMax) return State::open;
    if (!is_held_ && !flush(to)) return is_broken_ ? State::broken : State::open;
    if (is_at_end_) {
      if (is_held_) return State::open;
      shutdown(to, SHUT_WR);
      has_ended_ = true;
      return State::ended;
    }
    const ssize_t got = recv(from, scratch.data(), scratch.size(), 0);
    if (got < 0 && would_block()) return State::open;
    if (got < 0) return State::broken;
    is_at_end_ = got == 0;
    pending_.append(scratch.data(), static_cast<size_t>(got));
  }
  return State::busy;
}

}  // namespace postern::http
