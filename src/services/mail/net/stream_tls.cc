// SPDX-License-Identifier: BSD-3-Clause
// The part of Stream that is about TLS: how it begins, reading, writing and its farewell.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "services/mail/net/client_tls.h"
#include "services/mail/net/server_tls.h"
#include "services/mail/net/stream.h"

namespace postern::mail {
namespace {

constexpr size_t kRecordMax = 16384;               // RFC 8446 section 5.1
constexpr size_t kInjectedMax = size_t{64} << 10;  // octets in clear that are thrown away

}  // namespace

void Stream::secure_as_server(std::shared_ptr<ServerTls> tls) {
  if (state_ != State::clear || is_closing_) return;
  server_ = std::move(tls);
  secure(server_->make_ssl());
}

void Stream::secure_as_client(std::shared_ptr<ClientTls> tls, const std::string& name) {
  if (state_ != State::clear || is_closing_) return;
  client_ = std::move(tls);
  secure(client_->make_ssl(name));
}

void Stream::secure(SslPtr ssl) {
  ssl_ = std::move(ssl);
  if (!ssl_ || !set_socket(ssl_.get(), socket_.native_handle())) ssl_.reset();
  state_ = State::before_tls;
  clear_left_ = unsent();
  if (has_spoken_) drop_clear_input();  // else TLS comes first, and may be here already
  later();
}

// An honest client waits for our reply before it begins with TLS, an honest server for us: what is
// here already was put in by somebody else. Was it much, the rest of it ends the handshake.
void Stream::drop_clear_input() {
  std::array<char, 4096> buffer;
  for (size_t dropped = 0; dropped < kInjectedMax;) {
    const ssize_t got = recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got <= 0) return;
    dropped += static_cast<size_t>(got);
  }
}

void Stream::shake_hands() {
  ERR_clear_error();
  const int done = ssl_ ? SSL_do_handshake(ssl_.get()) : -1;
  const int error = ssl_ ? SSL_get_error(ssl_.get(), done) : SSL_ERROR_SSL;
  if (error == SSL_ERROR_WANT_READ) return;
  if (error == SSL_ERROR_WANT_WRITE) {
    is_blocked_ = true;
    return;
  }
  const std::shared_ptr<const Calls> calls = calls_;
  if (done == 1) {
    state_ = State::secure;
    has_pending_ = true;
    if (calls && calls->secured) calls->secured(Result<void>());
    return;
  }
  const Error why{ErrorCode::denied, "TLS: " + tls_failure()};
  close();
  if (calls && calls->secured) calls->secured(why);
}

std::string Stream::tls_failure() const {
  if (client_ && ssl_) return client_->failure_of(ssl_.get());
  if (ERR_peek_error() != 0 || !ssl_) return ssl_error();
  return "the connection was closed";
}

std::string Stream::tls_text() const {
  if (state_ != State::secure) return "";
  std::string version = SSL_get_version(ssl_.get());  // "TLSv1.3"
  std::erase(version, 'v');
  return version + ' ' + SSL_get_cipher_name(ssl_.get());
}

// False: nothing more will come.
bool Stream::read_secure() {
  std::array<char, kRecordMax> buffer;
  for (size_t total = 0; total < kPieceMax && wants_to_read();) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got > 0) {
      total += static_cast<size_t>(got);
      deliver({buffer.data(), static_cast<size_t>(got)});
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), got);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
    if (error != SSL_ERROR_ZERO_RETURN) {
      note_write_error(error == SSL_ERROR_SYSCALL ? "the connection was reset"
                                                  : "TLS: " + ssl_error());
    }
    return false;
  }
  has_pending_ = true;
  return true;
}

// False: nothing more can be sent.
bool Stream::write_secure(std::string_view octets, size_t& taken) {
  ERR_clear_error();
  const size_t count = std::min(octets.size(), kRecordMax);
  const int done = SSL_write(ssl_.get(), octets.data(), static_cast<int>(count));
  if (done > 0) {
    taken = static_cast<size_t>(done);
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  is_blocked_ = error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
  if (is_blocked_) return true;
  note_write_error(error == SSL_ERROR_SYSCALL ? "the connection was reset" : "TLS: " + ssl_error());
  return false;
}

// Sent, the farewell said, and the far side has closed: then so do we.
void Stream::finish_closing() {
  if (unsent() != 0 && write_error_.empty()) return;
  const bool is_open = state_ == State::clear || state_ == State::secure;
  if (!write_error_.empty() || !is_open) return close();
  if (ssl_ && (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  if (is_at_end_) return close();
  shutdown(socket_.native_handle(), SHUT_WR);
}

}  // namespace postern::mail
