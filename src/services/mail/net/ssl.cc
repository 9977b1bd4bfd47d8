// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/ssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace postern::mail {
namespace {

int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
}

bool is_for_now(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int write_socket(BIO* bio, const char* octets, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t done = send(socket_of(bio), octets, static_cast<size_t>(count), MSG_NOSIGNAL);
  if (done < 0 && is_for_now(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(done);
}

int read_socket(BIO* bio, char* octets, int room) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(socket_of(bio), octets, static_cast<size_t>(room), 0);
  if (got < 0 && is_for_now(errno)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

long control_socket(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern socket");
    if (method == nullptr) return method;
    BIO_meth_set_write(method, write_socket);
    BIO_meth_set_read(method, read_socket);
    BIO_meth_set_ctrl(method, control_socket);
    return method;
  }();
  return made;
}

}  // namespace

void SslFree::operator()(SSL* ssl) const {
  SSL_free(ssl);
}
void SslFree::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

SslContextPtr make_ssl_context(bool is_server) {
  SslContextPtr made(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
  if (!made) return made;
  SSL_CTX* context = made.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Connections that wait keep no buffers: 34 KiB less each.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return made;
}

bool set_socket(SSL* ssl, int fd) {
  const BIO_METHOD* method = socket_method();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return false;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a number that OpenSSL keeps for us
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  return true;
}

std::string ssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "TLS failed" : reason;
}

}  // namespace postern::mail
