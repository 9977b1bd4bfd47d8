// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace postern::mail {
namespace asio = boost::asio;
using boost::system::error_code;

Stream::Stream(asio::io_context& context) : context_(context), socket_(context) {}

Stream::~Stream() = default;

std::shared_ptr<Stream> Stream::take(asio::io_context& context, int fd) {
  std::shared_ptr<Stream> made(new Stream(context));
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // replies are whole; pieces are large
  error_code error;
  made->socket_.assign(fd, error);
  if (error) {
    ::close(fd);
    made->write_error_ = error.message();
    return made;
  }
  made->socket_.native_non_blocking(true, error);
  return made;
}

void Stream::begin(Calls calls) {
  POSTERN_ASSERT(calls_ == nullptr);
  calls_ = std::make_shared<const Calls>(std::move(calls));
  if (!socket_.is_open()) return later();  // fails there
  wait_readable();
}

void Stream::send(std::string octets) {
  if (state_ == State::closed || is_closing_ || !write_error_.empty() || octets.empty()) return;
  if (unsent() == 0) {
    outgoing_ = std::move(octets);
    sent_ = 0;
  } else {
    if (sent_ > kPieceMax) outgoing_.erase(0, std::exchange(sent_, 0));
    outgoing_ += octets;
  }
  if (!is_blocked_) later();
}

void Stream::want_input(bool wanted) {
  if (wants_input_ == wanted) return;
  wants_input_ = wanted;
  if (wanted) later();
}

void Stream::close() {
  state_ = State::closed;
  calls_.reset();
  patience_.reset();
  outgoing_.clear();
  sent_ = 0;
  error_code ignored;
  socket_.close(ignored);
}

// RFC1122-4.2.2.13: a socket that is closed with octets in it that nobody has read resets the
// connection, and the far side may lose what was sent to it. So those are read and dropped.
void Stream::close_when_sent(Duration patience) {
  if (state_ == State::closed || is_closing_) return;
  calls_.reset();
  is_closing_ = true;
  wants_input_ = true;
  if (!socket_.is_open() || !write_error_.empty()) return close();
  patience_ = std::make_unique<asio::steady_timer>(context_, std::chrono::nanoseconds(patience.ns));
  patience_->async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->close();
  });
  later();
}

// A turn of its own, not from within the owner's call.
void Stream::later() {
  if (is_in_turn_ || is_turn_posted_ || state_ == State::closed) return;
  is_turn_posted_ = true;
  asio::post(context_, [self = shared_from_this()] {
    self->is_turn_posted_ = false;
    self->turn(self->has_pending_);
  });
}

// All that is read, sent and told happens in a turn.
void Stream::turn(bool is_readable) {
  if (state_ == State::closed) return;
  const auto self = shared_from_this();  // the owner may let go of it
  if (!socket_.is_open()) return fail(ErrorCode::failed, write_error_);
  is_in_turn_ = true;
  if (state_ == State::handshake) shake_hands();
  if (is_readable && wants_to_read()) read();
  write();
  if (state_ == State::before_tls && clear_left_ == 0) {
    state_ = State::handshake;
    shake_hands();
  }
  is_in_turn_ = false;
  settle();
}

bool Stream::wants_to_read() const {
  const bool is_open = state_ == State::clear || state_ == State::secure;
  return is_open && wants_input_ && !is_at_end_;
}

bool Stream::can_write() const {
  if (state_ == State::before_tls) return clear_left_ != 0 && !is_blocked_;
  return (state_ == State::clear || state_ == State::secure) && unsent() != 0 && !is_blocked_;
}

// What is waited for next.
void Stream::settle() {
  if (state_ == State::closed) return;
  if (can_write()) later();
  if (has_pending_ && wants_to_read()) later();
  if (is_closing_) finish_closing();
  if (state_ == State::closed) return;
  if (wants_to_read() || state_ == State::handshake) wait_readable();
  if (is_blocked_) wait_writable();
}

void Stream::wait_readable() {
  if (is_waiting_to_read_) return;
  is_waiting_to_read_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](error_code error) {
                       self->is_waiting_to_read_ = false;
                       if (!error) self->turn(true);
                     });
}

void Stream::wait_writable() {
  if (is_waiting_to_write_) return;
  is_waiting_to_write_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this()](error_code error) {
                       self->is_waiting_to_write_ = false;
                       self->is_blocked_ = false;
                       if (!error) self->turn(self->has_pending_);
                     });
}

void Stream::read() {
  has_pending_ = false;
  const bool goes_on = ssl_ ? read_secure() : read_clear();
  if (!goes_on && state_ != State::closed) end_input();
}

// False: nothing more will come.
bool Stream::read_clear() {
  std::array<char, kPieceMax> buffer;
  const ssize_t got = recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
  if (got > 0) {
    has_spoken_ = true;
    deliver({buffer.data(), static_cast<size_t>(got)});
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return true;
  if (got < 0) note_write_error(std::strerror(errno));
  return false;
}

void Stream::deliver(std::string_view octets) {
  const std::shared_ptr<const Calls> calls = calls_;
  if (calls && calls->received) calls->received(octets);
}

void Stream::end_input() {
  is_at_end_ = true;
  if (!write_error_.empty()) return fail(ErrorCode::unavailable, write_error_);
  const std::shared_ptr<const Calls> calls = calls_;
  if (calls && calls->end_of_input) calls->end_of_input();
}

void Stream::write() {
  if (!can_write()) return;
  bool is_sound = true;
  while (is_sound && can_write()) {
    size_t taken = 0;
    std::string_view left = std::string_view(outgoing_).substr(sent_);
    if (state_ == State::before_tls) left = left.substr(0, clear_left_);
    is_sound = state_ == State::secure ? write_secure(left, taken) : write_clear(left, taken);
    sent_ += taken;
    clear_left_ -= std::min(clear_left_, taken);  // of what goes before TLS
  }
  if (!is_sound) {
    // What the far side said before it went is still to be read.
    if (!wants_to_read()) fail(ErrorCode::unavailable, write_error_);
    return;
  }
  if (unsent() != 0) return;
  outgoing_.clear();
  sent_ = 0;
  if (outgoing_.capacity() > kPieceMax) outgoing_.shrink_to_fit();
  const std::shared_ptr<const Calls> calls = calls_;
  if (calls && calls->drained && state_ != State::before_tls) calls->drained();
}

// False: nothing more can be sent.
bool Stream::write_clear(std::string_view octets, size_t& taken) {
  const ssize_t done = ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_NOSIGNAL);
  if (done >= 0) {
    has_spoken_ = true;
    taken = static_cast<size_t>(done);
    return true;
  }
  if (errno == EINTR) return true;
  is_blocked_ = errno == EAGAIN || errno == EWOULDBLOCK;
  if (!is_blocked_) note_write_error(std::strerror(errno));
  return is_blocked_;
}

void Stream::note_write_error(std::string why) {
  if (write_error_.empty()) write_error_ = std::move(why);
  outgoing_.clear();
  sent_ = 0;
  clear_left_ = 0;
}

void Stream::fail(ErrorCode code, std::string text) {
  const std::shared_ptr<const Calls> calls = calls_;
  const Error why{code, std::move(text)};
  close();
  if (calls && calls->failed) calls->failed(why);
}

}  // namespace postern::mail
