// SPDX-License-Identifier: BSD-3-Clause
#include "support/tls_server.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/assert.h"

namespace postern::test {

struct Identity::Parts {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

Identity::Identity(const Options& options) : parts_(std::make_unique<Parts>()) {
  EVP_PKEY* key = parts_->key = EVP_EC_gen("P-256");
  X509* certificate = parts_->certificate = X509_new();
  POSTERN_ASSERT(key != nullptr && certificate != nullptr);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.is_expired ? -3600 : 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(options.name.c_str());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  for (const auto& [id, value] : {std::pair<int, std::string>{NID_basic_constraints, "CA:TRUE"},
                                  {NID_subject_alt_name, "DNS:" + options.name}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    POSTERN_ASSERT(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  POSTERN_ASSERT(X509_sign(certificate, key, EVP_sha256()) > 0);
  std::string path = std::filesystem::temp_directory_path() / "postern-ca-XXXXXX";
  const int fd = mkstemp(path.data());
  FILE* file = fdopen(fd, "w");
  POSTERN_ASSERT(file != nullptr && PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
  file_ = path;
}

Identity::~Identity() {
  X509_free(parts_->certificate);
  EVP_PKEY_free(parts_->key);
  std::filesystem::remove(file_);
}

dns::SpkiPin Identity::pin() const {
  return dns::spki_pin_of(parts_->certificate);
}

void Identity::use(SSL_CTX* context) const {
  POSTERN_ASSERT(SSL_CTX_use_certificate(context, parts_->certificate) == 1);
  POSTERN_ASSERT(SSL_CTX_use_PrivateKey(context, parts_->key) == 1);
}

bool TlsPeer::read(uint8_t* to, size_t length) {
  while (length > 0) {
    const int got = SSL_read(ssl_, to, static_cast<int>(length));
    if (got <= 0) return false;
    to += got;
    length -= static_cast<size_t>(got);
  }
  return true;
}

Message TlsPeer::receive() {
  uint8_t length[2];
  if (!read(length, 2)) return {};
  Message message(static_cast<size_t>(length[0] << 8 | length[1]));
  return read(message.data(), message.size()) ? message : Message{};
}

void TlsPeer::send(const Message& message) {
  Message framed = {static_cast<uint8_t>(message.size() >> 8),
                    static_cast<uint8_t>(message.size())};
  framed.insert(framed.end(), message.begin(), message.end());
  send_raw(framed);
}

void TlsPeer::send_raw(const Message& octets) {
  SSL_write(ssl_, octets.data(), static_cast<int>(octets.size()));
}

void TlsServerBed::echo(TlsPeer& peer) {
  for (Message query = peer.receive(); !query.empty(); query = peer.receive()) {
    query[2] |= 0x80;
    peer.send(query);
  }
}

TlsServerBed::TlsServerBed(const Identity& identity, Behaviour behaviour)
    : context_(SSL_CTX_new(TLS_server_method())), behaviour_(std::move(behaviour)) {
  std::signal(SIGPIPE, SIG_IGN);
  identity.use(context_.get());
  const unsigned char id[] = "test";
  SSL_CTX_set_session_id_context(context_.get(), id, sizeof id);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  POSTERN_ASSERT(bind(listener_, address, sizeof at) == 0 && listen(listener_, 16) == 0);
  socklen_t length = sizeof at;
  getsockname(listener_, address, &length);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

TlsServerBed::~TlsServerBed() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : fds_)
      shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_)
    thread.join();
  for (const int fd : fds_)
    close(fd);
}

void TlsServerBed::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    fds_.push_back(fd);
    threads_.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
  }
}

void TlsServerBed::serve(int fd, int number) {
  const dns::SslPtr ssl(SSL_new(context_.get()));
  SSL_set_fd(ssl.get(), fd);
  if (SSL_accept(ssl.get()) == 1) {
    TlsPeer peer(ssl.get());
    peer.connection = number;
    behaviour_(peer);
  }
  shutdown(fd, SHUT_RDWR);
  ERR_clear_error();
}

}  // namespace postern::test
