// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/assert.h"

namespace postern::dns {
namespace {

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "TLS failed" : reason;
}

bool is_pinned(const std::vector<SpkiPin>& pins, const X509* certificate) {
  return std::ranges::find(pins, spki_pin_of(certificate)) != pins.end();
}

}  // namespace

void SslFree::operator()(SSL* ssl) const {
  SSL_free(ssl);
}
void SslFree::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}
void SslFree::operator()(SSL_SESSION* session) const {
  SSL_SESSION_free(session);
}

std::optional<SpkiPin> parse_spki_pin(std::string_view text) {
  for (const std::string_view prefix : {"sha256/", "pin-sha256="}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  // 32 octets are 43 characters and one "="; strict, where the library takes white space.
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  if (text.size() != 44 || text.back() != '=') return std::nullopt;
  if (!std::ranges::all_of(text.substr(0, 43), is_base64)) return std::nullopt;
  std::array<unsigned char, 33> out;
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DecodeBlock(out.data(), in, 44) != 33) return std::nullopt;
  SpkiPin pin;
  std::copy_n(out.begin(), pin.size(), pin.begin());
  return pin;
}

std::string to_text(const SpkiPin& pin) {
  std::array<unsigned char, 45> out;
  const int length = EVP_EncodeBlock(out.data(), pin.data(), static_cast<int>(pin.size()));
  return {out.begin(), out.begin() + length};
}

SpkiPin spki_pin_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  POSTERN_ASSERT(length > 0);
  SpkiPin pin;
  POSTERN_ASSERT(EVP_Digest(der, static_cast<size_t>(length), pin.data(), nullptr, EVP_sha256(),
                            nullptr) == 1);
  OPENSSL_free(der);
  return pin;
}

std::string to_text(const TlsServer& server) {
  const std::string text = to_text(server.address) + ":" + std::to_string(server.port);
  return server.name.empty() ? text : text + " (" + server.name + ")";
}

Result<std::unique_ptr<TlsContext>> TlsContext::make(const TlsServer& server) {
  std::unique_ptr<TlsContext> made(new TlsContext(server));
  if (auto done = made->set_up(); !done) {
    return std::move(done).error().within(to_text(server));
  }
  return made;
}

TlsContext::~TlsContext() = default;

Result<void> TlsContext::set_up() {
  if (server_.name.empty() && server_.pins.empty()) {
    return Error{ErrorCode::invalid, "neither a name nor a pin to know the server by"};
  }
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = context_.get();
  if (context == nullptr) return Error{ErrorCode::failed, last_error()};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle connections are kept: 34 KiB less
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify, this);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  if (server_.name.empty()) return {};  // the pins decide alone
  const bool has_authorities =
      server_.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                              : SSL_CTX_load_verify_file(context, server_.ca_file.c_str()) == 1;
  if (!has_authorities) return Error{ErrorCode::invalid, server_.ca_file + ": " + last_error()};
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_set =
      parse_ipv4(server_.name)
          ? X509_VERIFY_PARAM_set1_ip_asc(expected, server_.name.c_str()) == 1
          : X509_VERIFY_PARAM_set1_host(expected, server_.name.data(), server_.name.size()) == 1;
  if (!is_set) return Error{ErrorCode::invalid, server_.name + " is no name"};
  return {};
}

SslPtr TlsContext::make_client() {
  SslPtr ssl(SSL_new(context_.get()));
  POSTERN_ASSERT(ssl != nullptr);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl.get());
  if (!server_.name.empty() && !parse_ipv4(server_.name)) {
    SSL_set_tlsext_host_name(ssl.get(), server_.name.c_str());
  }
  if (!sessions_.empty()) {  // each once, so that connections cannot be told to belong together
    SSL_set_session(ssl.get(), sessions_.back().get());
    sessions_.pop_back();
  }
  refused_.clear();
  return ssl;
}

std::string TlsContext::failure_of(const SSL* ssl) const {
  const std::string reason = last_error();
  if (SSL_get_verify_result(ssl) == X509_V_OK || refused_.empty()) return reason;
  return "the certificate is refused: " + refused_;
}

int TlsContext::verify(X509_STORE_CTX* chain, void* self) {
  auto& context = *static_cast<TlsContext*>(self);
  if (context.is_accepted(chain)) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
  }
  return 0;
}

bool TlsContext::is_accepted(X509_STORE_CTX* chain) {
  const X509* own = X509_STORE_CTX_get0_cert(chain);
  if (!server_.name.empty() && X509_verify_cert(chain) != 1) {
    refused_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    return false;
  }
  if (server_.pins.empty()) return true;
  bool found = is_pinned(server_.pins, own);
  if (!server_.name.empty()) {
    const STACK_OF(X509)* verified = X509_STORE_CTX_get0_chain(chain);
    for (int i = 0; i < sk_X509_num(verified) && !found; ++i) {
      found = is_pinned(server_.pins, sk_X509_value(verified, i));
    }
  }
  if (found) return true;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  refused_ = "its key is none of the pinned ones, it is sha256/" + to_text(spki_pin_of(own));
  return false;
}

int TlsContext::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto& self = *static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  self.sessions_.emplace_back(session);
  if (self.sessions_.size() > kSessionsMax) self.sessions_.pop_front();
  return 1;  // it is ours now
}

}  // namespace postern::dns
