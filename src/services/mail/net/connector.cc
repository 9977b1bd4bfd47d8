// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/connector.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace postern::mail {
namespace asio = boost::asio;
using boost::system::error_code;

// Held by what asio is to call; `is_over` says that nobody cares any more.
struct Connector::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, std::vector<Ipv4Address> to, uint16_t to_port, Duration each,
        Then call)
      : addresses(std::move(to)),
        port(to_port),
        timeout(each),
        then(std::move(call)),
        socket(context),
        timer(context) {}

  void next();
  Result<void> start(Ipv4Address address);
  void wait();
  void on_writable();
  void fail(const std::string& why);
  void finish(const Result<int>& outcome, Ipv4Address address);

  std::vector<Ipv4Address> addresses;
  size_t at = 0;  // the one after that which is tried
  uint16_t port;
  Duration timeout;
  Then then;
  asio::posix::stream_descriptor socket;
  asio::steady_timer timer;
  Error last{ErrorCode::unavailable, "no address"};
  bool is_over = false;
};

Connector::Connector(asio::io_context& context, std::vector<Ipv4Address> addresses, uint16_t port,
                     Duration timeout, Then then)
    : state_(
          std::make_shared<State>(context, std::move(addresses), port, timeout, std::move(then))) {
  state_->addresses.resize(std::min(state_->addresses.size(), kAddressesMax));
  asio::post(context, [state = state_] { state->next(); });
}

Connector::~Connector() {
  state_->is_over = true;
  state_->timer.cancel();
  error_code ignored;
  state_->socket.close(ignored);
}

void Connector::State::next() {
  while (!is_over) {
    if (at == addresses.size()) return finish(last, {});
    const Ipv4Address address = addresses[at++];
    const Result<void> started = start(address);
    if (started) return wait();
    last = Error(started.error()).within(to_text(address));
  }
}

Result<void> Connector::State::start(Ipv4Address address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error{ErrorCode::exhausted, std::strerror(errno)};
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(address.number);
  error_code error;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
      errno != EINPROGRESS) {
    Error why{ErrorCode::unavailable, std::strerror(errno)};
    ::close(fd);
    return why;
  }
  socket.assign(fd, error);
  if (!error) return {};
  ::close(fd);
  return Error{ErrorCode::exhausted, error.message()};
}

void Connector::State::wait() {
  socket.async_wait(asio::posix::stream_descriptor::wait_write,
                    [self = shared_from_this(), mine = at](error_code error) {
                      if (!error && !self->is_over && self->at == mine) self->on_writable();
                    });
  timer.expires_after(std::chrono::nanoseconds(timeout.ns));
  timer.async_wait([self = shared_from_this(), mine = at](error_code error) {
    if (!error && !self->is_over && self->at == mine) self->fail("no answer");
  });
}

void Connector::State::on_writable() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(std::strerror(error));
  finish(socket.release(), addresses[at - 1]);
}

void Connector::State::fail(const std::string& why) {
  timer.cancel();
  error_code ignored;
  socket.close(ignored);
  last = Error{ErrorCode::unavailable, to_text(addresses[at - 1]) + ": " + why};
  next();
}

void Connector::State::finish(const Result<int>& outcome, Ipv4Address address) {
  is_over = true;
  timer.cancel();
  const Then call = std::move(then);
  call(outcome, address);
}

}  // namespace postern::mail
