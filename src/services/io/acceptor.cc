// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/acceptor.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "services/io/watch.h"

namespace postern::io {
namespace {

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

Acceptor::Arrival arrival_of(int fd, const sockaddr_in& from) {
  if (from.sin_family != AF_INET) return {fd, Ipv4Address(), 0};
  return {fd, Ipv4Address(ntohl(from.sin_addr.s_addr)), ntohs(from.sin_port)};
}

}  // namespace

// Whoever accepts holds it: what it calls may end the Acceptor, and with it the watch.
struct Acceptor::State : std::enable_shared_from_this<Acceptor::State> {
  State(boost::asio::io_context& context, int fd, Calls with) : calls(std::move(with)) {
    watch.emplace(context, fd);
  }

  void accept_whenever() {
    watch->whenever_readable([this] { take_all(); });
  }

  void take_all() {
    const auto self = shared_from_this();
    for (int i = 0; i < kTakenPerTurn && watch; ++i) {
      sockaddr_in from = {};
      socklen_t size = sizeof from;
      const int fd = accept4(watch->fd(), reinterpret_cast<sockaddr*>(&from), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
      const int error = fd < 0 ? errno : 0;
      if (error == ECONNABORTED) continue;
      if (is_shortage(error)) return pause(error);
      is_paused = false;
      if (error != 0) return;
      calls.take(arrival_of(fd, from));
    }
  }

  void pause(int error) {
    ++pauses;
    is_paused = true;
    watch->stop_reading();
    if (calls.pause) calls.pause(error);
  }

  std::optional<Watch> watch;  // none: it is over
  Calls calls;
  bool is_paused = false;
  uint64_t pauses = 0;
};

Acceptor::Acceptor(boost::asio::io_context& context, int fd, Calls calls)
    : state_(std::make_shared<State>(context, fd, std::move(calls))) {
  state_->accept_whenever();
}

Acceptor::~Acceptor() {
  state_->watch.reset();
}

// A descriptor is asked for before a connection is, so this tells a shortage while nobody comes,
// too.
void Acceptor::tick() {
  const auto state = state_;
  if (!state->is_paused) return;
  state->take_all();
  if (!state->is_paused && state->watch) state->accept_whenever();
}

bool Acceptor::is_paused() const {
  return state_->is_paused;
}

uint64_t Acceptor::pauses() const {
  return state_->pauses;
}

}  // namespace postern::io
