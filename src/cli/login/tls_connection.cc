// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/tls_connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/address.h"

namespace postern::cli {
namespace {

constexpr size_t kReadBytes = 8192;

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned count = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &count) != 1) return {};
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += fmt::format("{}{:02X}", i == 0 ? "" : ":", digest[i]);
  return text;
}

std::string tls_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "it ends in the middle";
}

}  // namespace

TlsConnection::TlsConnection(const PageAddress& page, const Patience& patience,
                             StopSignals* signals)
    : page_(page),
      patience_(patience),
      deadline_(Clock::now() + std::chrono::milliseconds(patience.all_ms)),
      signals_(signals) {}

TlsConnection::~TlsConnection() {
  if (tls_ != nullptr) SSL_shutdown(tls_.get());
  if (fd_ >= 0) close(fd_);
  ERR_clear_error();
}

Error TlsConnection::too_late() const {
  return {ErrorCode::unavailable, page_.key() + " does not answer in time"};
}

Error TlsConnection::closed() const {
  return {ErrorCode::unavailable, page_.key() + " closed the connection"};
}

// A signal shortens what is under way, and does not break it off: an answer that is on its way may
// say that somebody is logged in.
bool TlsConnection::hear_signal() {
  if (is_noticed_) return false;
  const auto end = Clock::now() + std::chrono::milliseconds(patience_.grace_ms);
  if (patience_.notice != nullptr) {
    std::fprintf(stderr, "postern: %s\n", patience_.notice);
    is_noticed_ = true;
  }
  deadline_ = std::min(deadline_, end);
  return true;
}

Result<void> TlsConnection::wait_until(Clock::time_point limit, short events) {
  for (;;) {
    const auto now = Clock::now();
    const auto end = std::min(limit, deadline_);
    if (now >= end) return too_late();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now);
    std::array<pollfd, 2> both = {
        {{.fd = fd_, .events = events, .revents = 0},
         {.fd = signals_ != nullptr ? signals_->fd() : -1, .events = POLLIN, .revents = 0}}};
    const int ready = poll(both.data(), both.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return too_late();
    if (ready <= 0) continue;
    if (both[1].revents != 0 && signals_->take() && !hear_signal()) {
      return Error{ErrorCode::failed, page_.key() + " was not waited for any longer"};
    }
    if (both[0].revents != 0) return {};
  }
}

int TlsConnection::reach(uint32_t address, Clock::time_point limit) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return errno;
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(page_.port);
  to.sin_addr.s_addr = address;
  const void* where = &to;
  int reason = 0;
  if (::connect(fd_, static_cast<const sockaddr*>(where), sizeof to) == 0) return 0;
  if (errno != EINPROGRESS) {
    reason = errno;
  } else if (!wait_until(limit, POLLOUT)) {
    reason = ETIMEDOUT;
  } else {
    socklen_t size = sizeof reason;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &reason, &size);
  }
  if (reason == 0) return 0;
  close(fd_);
  fd_ = -1;
  return reason;
}

Result<uint32_t> TlsConnection::connect(const std::vector<uint32_t>& addresses) {
  int reason = EHOSTUNREACH;
  auto to_go = static_cast<int>(addresses.size());
  for (uint32_t address : addresses) {
    const auto now = Clock::now();
    reason = reach(address, now + (deadline_ - now) / to_go--);
    if (reason == 0) return address;
  }
  return Error{ErrorCode::unavailable,
               fmt::format("{} is not reachable: {}", page_.key(), std::strerror(reason))};
}

Result<int> TlsConnection::go(const std::function<int()>& step) {
  for (;;) {
    ERR_clear_error();
    const int done = step();
    if (done > 0) return done;
    switch (SSL_get_error(tls_.get(), done)) {
      case SSL_ERROR_WANT_READ:
        if (auto waited = wait_for(POLLIN); !waited) return std::move(waited).error();
        break;
      case SSL_ERROR_WANT_WRITE:
        if (auto waited = wait_for(POLLOUT); !waited) return std::move(waited).error();
        break;
      case SSL_ERROR_SSL:
        // OpenSSL 3 tells an end that TLS did not announce so.
        is_closed_ = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
        return 0;
      default:
        is_closed_ = true;
        return 0;
    }
    // A peer that always has something to say must not outlast the deadline either.
    if (Clock::now() >= deadline_) return too_late();
  }
}

Result<void> TlsConnection::shake_hands(SSL_CTX* context) {
  tls_.reset(SSL_new(context));
  const bool is_address = parse_ipv4(page_.host).has_value();
  X509_VERIFY_PARAM* wanted = SSL_get0_param(tls_.get());
  const char* host = page_.host.c_str();
  const bool is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host) == 1
                                 : X509_VERIFY_PARAM_set1_host(wanted, host, 0) == 1 &&
                                       SSL_set_tlsext_host_name(tls_.get(), host) == 1;
  if (!is_set || SSL_set_fd(tls_.get(), fd_) != 1) {
    return Error{ErrorCode::failed, page_.key() + ": " + tls_reason()};
  }
  auto done = go([this] { return SSL_connect(tls_.get()); });
  if (!done) return std::move(done).error();
  if (*done > 0) return {};
  // A gateway does so to whoever asks too often, or when it ends; it may answer the next time.
  if (is_closed_) return closed();
  return Error{ErrorCode::failed,
               fmt::format("{} speaks no TLS that fits: {}", page_.key(), tls_reason())};
}

SeenCertificate TlsConnection::certificate() const {
  SeenCertificate seen;
  const X509* certificate = SSL_get0_peer_certificate(tls_.get());
  if (certificate == nullptr) {
    seen.reason = "there is none";
    return seen;
  }
  const long verdict = SSL_get_verify_result(tls_.get());
  seen.fingerprint = fingerprint_of(certificate);
  seen.is_verified = verdict == X509_V_OK;
  if (!seen.is_verified) seen.reason = X509_verify_cert_error_string(verdict);
  return seen;
}

Result<void> TlsConnection::send(std::string_view octets) {
  const auto size = static_cast<int>(octets.size());
  // All or nothing: partial writes are not enabled.
  auto sent = go([&] { return SSL_write(tls_.get(), octets.data(), size); });
  if (!sent) return std::move(sent).error();
  if (*sent == size) return {};
  return closed();
}

Result<std::string> TlsConnection::receive() {
  std::string octets(kReadBytes, '\0');
  auto count =
      go([&] { return SSL_read(tls_.get(), octets.data(), static_cast<int>(octets.size())); });
  if (!count) return std::move(count).error();
  octets.resize(static_cast<size_t>(*count));
  if (Clock::now() >= deadline_) return too_late();
  return octets;
}

}  // namespace postern::cli
