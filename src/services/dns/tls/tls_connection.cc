// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace postern::dns {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr size_t kHeaderBytes = 12;  // the shortest message
// More than a full buffer, one message and its records: only TLS itself can have added to that.
constexpr size_t kUnreadMax = TlsConnection::kOutgoingMax + (size_t{128} << 10);
constexpr size_t kBytesPerTurn = 1 << 16;  // read at once, so that one server never takes all time

// A socket that is on its way to the server, or -1 with errno.
int connect_to(const TlsServer& server) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(server.port);
  to.sin_addr.s_addr = htonl(server.address.number);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  if (errno == EINPROGRESS) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

}  // namespace

Result<std::shared_ptr<TlsConnection>> TlsConnection::start(asio::io_context& io,
                                                            TlsContext& context,
                                                            const TlsServer& server, Owner& owner) {
  const int fd = connect_to(server);
  if (fd < 0) return Error{ErrorCode::unavailable, std::strerror(errno)};
  std::shared_ptr<TlsConnection> made(
      new TlsConnection(io, fd, context.make_client(), context, owner));
  made->wait_writable();
  return made;
}

TlsConnection::TlsConnection(asio::io_context& io, int fd, SslPtr ssl, TlsContext& context,
                             Owner& owner)
    : socket_(io, fd), ssl_(std::move(ssl)), context_(context), owner_(&owner) {}

bool TlsConnection::is_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

void TlsConnection::wait_readable() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](error_code error) {
                       if (error || self->state_ == State::closed) return;
                       self->is_at_end_ = !self->read_socket();
                       self->advance();
                       if (self->state_ != State::closed) self->wait_readable();
                     });
}

void TlsConnection::wait_writable() {
  if (is_waiting_to_write_) return;
  is_waiting_to_write_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this()](error_code error) {
                       self->is_waiting_to_write_ = false;
                       if (error || self->state_ == State::closed) return;
                       if (self->state_ == State::connecting) return self->on_connected();
                       self->flush();
                     });
}

void TlsConnection::on_connected() {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return fail(ErrorCode::unavailable, std::strerror(error));
  state_ = State::handshaking;
  wait_readable();
  advance();
}

// Socket -> TLS. False: nothing more will come.
bool TlsConnection::read_socket() {
  std::array<uint8_t, 16384> buffer;
  BIO* in = SSL_get_rbio(ssl_.get());
  for (size_t total = 0; total < kBytesPerTurn;) {
    const ssize_t got = recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    if (got == 0) return false;
    POSTERN_ASSERT(BIO_write(in, buffer.data(), static_cast<int>(got)) == got);
    total += static_cast<size_t>(got);
  }
  return true;
}

// Goes on with what has come in.
void TlsConnection::advance() {
  const auto self = shared_from_this();  // the owner may let go of it
  ERR_clear_error();
  if (state_ == State::handshaking) shake_hands();
  if (state_ == State::open) read_messages();
  if (state_ == State::closed) return;
  flush();
  if (state_ == State::closed || !is_at_end_) return;
  fail(ErrorCode::unavailable, state_ == State::open ? "the server has closed the connection"
                                                     : "the server has broken off the handshake");
}

void TlsConnection::shake_hands() {
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    state_ = State::open;
    owner_->opened(*this);
    return;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  const std::string why = context_.failure_of(ssl_.get());
  flush();  // the alert that tells the server
  if (state_ != State::closed) fail(ErrorCode::denied, why);
}

void TlsConnection::read_messages() {
  std::array<uint8_t, 16384> buffer;
  while (state_ == State::open) {
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got > 0) {
      incoming_.insert(incoming_.end(), buffer.begin(), buffer.begin() + got);
      if (!take_messages()) return;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), got);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    if (error == SSL_ERROR_ZERO_RETURN) {
      return fail(ErrorCode::unavailable, "the server has closed the connection");
    }
    return fail(ErrorCode::failed, context_.failure_of(ssl_.get()));
  }
}

// False: the connection has ended.
bool TlsConnection::take_messages() {
  size_t at = 0;
  while (incoming_.size() - at >= 2) {
    const size_t length = static_cast<size_t>(incoming_[at] << 8 | incoming_[at + 1]);
    if (length < kHeaderBytes) {
      fail(ErrorCode::invalid,
           "the server sent a message of " + std::to_string(length) + " octets");
      return false;
    }
    if (incoming_.size() - at - 2 < length) break;
    last_received_ = Clock::now();
    ++received_count_;
    owner_->received(*this, std::span(incoming_).subspan(at + 2, length));
    if (state_ != State::open) return false;
    at += 2 + length;
  }
  incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<ptrdiff_t>(at));
  return true;
}

size_t TlsConnection::unsent() const {
  return outgoing_.size() + BIO_ctrl_pending(SSL_get_wbio(ssl_.get()));
}

// TLS -> socket.
void TlsConnection::flush() {
  BIO* out = SSL_get_wbio(ssl_.get());
  if (const size_t more = BIO_ctrl_pending(out); more > 0) {
    const size_t before = outgoing_.size();
    outgoing_.resize(before + more);
    BIO_read(out, outgoing_.data() + before, static_cast<int>(more));
  }
  size_t sent = 0;
  while (sent < outgoing_.size()) {
    const ssize_t done = ::send(socket_.native_handle(), outgoing_.data() + sent,
                                outgoing_.size() - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
      return fail(ErrorCode::unavailable, std::strerror(errno));
    }
    if (done < 0) break;
    sent += static_cast<size_t>(done);
  }
  outgoing_.erase(outgoing_.begin(), outgoing_.begin() + static_cast<ptrdiff_t>(sent));
  if (outgoing_.size() > kUnreadMax) {
    return fail(ErrorCode::unavailable, "the server does not read what is sent to it");
  }
  if (!outgoing_.empty()) wait_writable();
}

void TlsConnection::send(std::span<const uint8_t> message) {
  POSTERN_ASSERT(is_open() && has_room() && message.size() <= 65535);
  // One record for both (RFC 7766 section 8: one segment where possible).
  std::vector<uint8_t> framed = {static_cast<uint8_t>(message.size() >> 8),
                                 static_cast<uint8_t>(message.size())};
  framed.insert(framed.end(), message.begin(), message.end());
  ERR_clear_error();
  SSL_write(ssl_.get(), framed.data(), static_cast<int>(framed.size()));
  // Sent in a moment, together with what else is asked in this turn of the loop; a failure of the
  // socket so never comes from within this call.
  wait_writable();
}

void TlsConnection::fail(ErrorCode code, std::string text) {
  const auto self = shared_from_this();
  Owner* owner = owner_;
  state_ = State::closed;
  error_code ignored;
  socket_.close(ignored);
  owner->closed(*this, Error{code, std::move(text)});
}

void TlsConnection::close() {
  if (state_ == State::open) {
    SSL_shutdown(ssl_.get());
    std::array<uint8_t, 512> farewell;
    const int length = BIO_read(SSL_get_wbio(ssl_.get()), farewell.data(), farewell.size());
    if (length > 0 && outgoing_.empty()) {
      ::send(socket_.native_handle(), farewell.data(), static_cast<size_t>(length),
             MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
  state_ = State::closed;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace postern::dns
