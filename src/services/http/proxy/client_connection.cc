// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/client_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "services/http/proxy/exchange.h"

namespace postern::http {

ClientConnection::ClientConnection(Core& core, Owner& owner, int fd, const Peer& peer)
    : core_(core), owner_(owner), fd_(fd), peer_(peer) {}

ClientConnection::~ClientConnection() {
  if (exchange_) exchange_->abandon();
  core_.poller.remove(fd_, *this);
  close(fd_);
}

bool ClientConnection::start() {
  core_.wheel.set(*this, core_.settings.limits.head_s);
  return core_.poller.add(fd_, *this);
}

void ClientConnection::stop_soon() {
  is_stopping_ = true;
  if (exchange_ == nullptr && !is_lingering_) close_now();
}

Peer ClientConnection::own() const {
  sockaddr_in at = {};
  socklen_t size = sizeof at;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
  return Peer{Ipv4Address(ntohl(at.sin_addr.s_addr)), ntohs(at.sin_port)};
}

void ClientConnection::close_now() {
  if (is_gone_) return;
  is_gone_ = true;
  owner_.on_client_gone(*this);
}

void ClientConnection::on_ready(uint32_t events) {
  if (is_gone_) return;
  if (exchange_ != nullptr) {
    may_be_more_ = true;
    return exchange_->on_client(events);
  }
  if ((events & EPOLLERR) != 0) return close_now();
  if (is_lingering_) return linger();
  may_be_more_ = true;
  serve();
}

void ClientConnection::on_time_out() {
  if (is_gone_) return;
  if (exchange_ != nullptr) return exchange_->on_client_time_out();
  if (is_lingering_ || (input_.empty() && !partial_)) return close_now();
  ++core_.counters.too_slow;
  refuse(Refusal{408, "slow"});
}

// Answers what has come, until there is nothing more or something takes time.
void ClientConnection::serve() {
  if (is_serving_) return;
  is_serving_ = true;
  bool goes_on = true;
  for (int count = 0; goes_on && count < kRequestsPerTurn; ++count)
    goes_on = serve_one();
  is_serving_ = false;
  // The others first; there may still be something in the socket or in input_.
  if (goes_on && !is_gone_) core_.poller.rearm(fd_, *this);
}

// False: nothing more can be done now.
bool ClientConnection::serve_one() {
  if (!input_.empty() && !partial_) return read_head(input_);
  return fill();
}

bool ClientConnection::fill() {
  if (!may_be_more_) return false;
  const ssize_t got = recv(fd_, core_.scratch.data(), core_.scratch.size(), 0);
  if (got < 0) {
    may_be_more_ = false;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
  }
  if (got <= 0) {
    close_now();
    return false;
  }
  // What is in the socket behind a short read is told of by a new event; so is the end.
  may_be_more_ = static_cast<size_t>(got) == core_.scratch.size();
  const std::string_view octets(core_.scratch.data(), static_cast<size_t>(got));
  if (!partial_) return read_head(octets);
  input_ += octets;
  return read_head(input_);
}

bool ClientConnection::read_head(std::string_view octets) {
  Request& request = partial_ ? *partial_ : *core_.request;
  if (!partial_) request.reader.restart();
  const Step step = request.reader.read(octets);
  if (step == Step::done) return begin(octets);
  if (step == Step::refused) {
    refuse(request.reader.refusal());
    return false;
  }
  if (!partial_) {
    core_.wheel.set(*this, core_.settings.limits.head_s);
    partial_ = std::make_unique<Request>(head_limits(core_.settings.limits));
    if (input_.empty()) input_ = octets;
    static_cast<void>(partial_->reader.read(input_));
  }
  return may_be_more_;
}

// `octets` begin with a whole head.
bool ClientConnection::begin(std::string_view octets) {
  exchange_ = core_.exchanges->get();
  core_.wheel.set(*this, core_.settings.limits.client_body_s);
  if (input_.empty()) {
    const size_t length = core_.request->reader.length();
    if (octets.size() > length) input_ = octets.substr(length);
    exchange_->start(*this, *core_.request, octets.substr(0, length));
  } else {
    const Request& request = partial_ ? *partial_ : *core_.request;
    const std::string head = input_.substr(0, request.reader.length());
    input_.erase(0, head.size());
    partial_.reset();
    core_.request->reader.restart();
    static_cast<void>(core_.request->reader.read(head));
    exchange_->start(*this, *core_.request, head);
  }
  if (input_.empty() && input_.capacity() > sizeof(std::string)) input_.shrink_to_fit();
  return exchange_ == nullptr && !is_gone_ && !is_lingering_;
}

void ClientConnection::refuse(Refusal refusal) {
  ++core_.counters.malformed;
  partial_.reset();
  input_.clear();
  exchange_ = core_.exchanges->get();
  exchange_->refuse(*this, refusal);
}

void ClientConnection::on_exchange_end(bool goes_on, bool is_complete) {
  core_.exchanges->put(std::move(exchange_));
  if (is_gone_) return;
  if (!is_complete) return close_now();
  if (!goes_on || is_stopping_) {
    is_lingering_ = true;
    input_.clear();
    input_.shrink_to_fit();
    shutdown(fd_, SHUT_WR);
    core_.wheel.set(*this, kLingerS);
    return linger();
  }
  core_.wheel.set(*this, core_.settings.limits.idle_s);
  if (!is_serving_) {
    may_be_more_ = true;
    serve();
  }
}

void ClientConnection::linger() {
  while (lingered_ < kLingerMax) {
    const ssize_t got = recv(fd_, core_.scratch.data(), core_.scratch.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got <= 0) return close_now();
    lingered_ += static_cast<size_t>(got);
  }
  close_now();
}

}  // namespace postern::http
