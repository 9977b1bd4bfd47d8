// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/byte_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace postern::http {
namespace {

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

ByteStream::ByteStream(Core& core, User& user)
    : core_(core), user_(user), connector_(core, *this) {}

ByteStream::~ByteStream() {
  stop();
}

void ByteStream::open(const Destination& destination, const Peer& client) {
  stop();
  connector_.start(destination, client, false);
}

void ByteStream::stop() {
  connector_.stop();
  if (connection_) {
    Wheel::cancel(*connection_);
    core_.poller.bury(std::move(connection_));
  }
  out_.clear();
  is_reading_ = false;
}

void ByteStream::on_connected(std::unique_ptr<UpstreamConnection> connection) {
  connection_ = std::move(connection);
  remote_ = connection_->remote();
  if (!connection_->attach(*this))
    return user_.on_stream_failure(*this, Problem::connection_limit_reached, "");
  user_.on_stream_open(*this);
}

void ByteStream::on_no_connection(Problem problem, const std::string& detail) {
  user_.on_stream_failure(*this, problem, detail);
}

void ByteStream::send(std::string_view octets) {
  if (!connection_) return;
  out_ += octets;
  flush();
}

// A connection that takes nothing more shows itself when it is read.
void ByteStream::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(connection_->fd(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (!would_block()) out_.clear();
      return;
    }
    out_.erase(0, static_cast<size_t>(sent));
  }
}

void ByteStream::read_on() {
  if (!connection_ || is_reading_) return;
  is_reading_ = true;
  core_.poller.rearm(connection_->fd(), *connection_);
}

void ByteStream::wait(uint32_t seconds) {
  if (connection_) core_.wheel.set(*connection_, seconds);
}

void ByteStream::wait_no_more() {
  if (connection_) Wheel::cancel(*connection_);
}

void ByteStream::on_upstream(uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && is_reading_) read();
}

void ByteStream::on_upstream_time_out() {
  user_.on_stream_time_out(*this);
}

void ByteStream::read() {
  for (int round = 0; round < kRoundsMax; ++round) {
    const ssize_t got = recv(connection_->fd(), core_.scratch.data(), core_.scratch.size(), 0);
    if (got < 0 && would_block()) return user_.on_stream_pause(*this);
    if (got <= 0) {
      is_reading_ = false;
      return user_.on_stream_end(*this, got == 0);
    }
    const std::string_view data(core_.scratch.data(), static_cast<size_t>(got));
    if (!user_.on_stream_data(*this, data)) {
      is_reading_ = false;
      return;
    }
    if (!connection_) return;
    if (data.size() < core_.scratch.size() / 2) break;
  }
  // What is still there is told of again.
  core_.poller.rearm(connection_->fd(), *connection_);
  user_.on_stream_pause(*this);
}

}  // namespace postern::http
