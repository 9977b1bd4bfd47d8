// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/server_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <utility>

namespace postern::mail {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// A key behind a pass phrase is refused: nobody is there to be asked.
int no_phrase(char* /*to*/, int /*size*/, int /*is_writing*/, void* /*with*/) {
  return -1;
}

Owned<BIO> reader_of(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

bool use_chain(SSL_CTX* context, const std::string& pem) {
  const Owned<BIO> reader = reader_of(pem);
  const Owned<X509> own(PEM_read_bio_X509_AUX(reader.get(), nullptr, no_phrase, nullptr));
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  for (;;) {
    Owned<X509> next(PEM_read_bio_X509(reader.get(), nullptr, no_phrase, nullptr));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) return false;
    static_cast<void>(next.release());  // the context's now
  }
  const unsigned long why = ERR_peek_last_error();
  const bool is_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
  if (is_end) ERR_clear_error();
  return is_end;
}

bool use_key(SSL_CTX* context, const std::string& pem) {
  const Owned<BIO> reader = reader_of(pem);
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reader.get(), nullptr, no_phrase, nullptr));
  return key && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

}  // namespace

Result<std::shared_ptr<ServerTls>> ServerTls::make(const std::string& certificate_pem,
                                                   const std::string& key_pem) {
  ERR_clear_error();
  SslContextPtr context = make_ssl_context(true);
  if (!context) return Error{ErrorCode::failed, ssl_error()};
  if (!use_chain(context.get(), certificate_pem)) {
    return Error{ErrorCode::invalid, "the certificate: " + ssl_error()};
  }
  if (!use_key(context.get(), key_pem)) {
    return Error{ErrorCode::invalid, "the key: " + ssl_error()};
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return Error{ErrorCode::invalid, "the key is not that of the certificate"};
  }
  return std::shared_ptr<ServerTls>(new ServerTls(std::move(context)));
}

SslPtr ServerTls::make_ssl() {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace postern::mail
