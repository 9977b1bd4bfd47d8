// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/client_tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/address.h"
#include "base/assert.h"
#include "services/mail/message/base64.h"

namespace postern::mail {
namespace {

KeyPin pin_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  POSTERN_ASSERT(length > 0);
  KeyPin pin;
  POSTERN_ASSERT(EVP_Digest(der, static_cast<size_t>(length), pin.data(), nullptr, EVP_sha256(),
                            nullptr) == 1);
  OPENSSL_free(der);
  return pin;
}

}  // namespace

std::optional<KeyPin> parse_key_pin(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256/";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  const std::optional<std::string> octets = decode_base64(text);
  KeyPin pin;
  if (!octets || octets->size() != pin.size()) return std::nullopt;
  std::ranges::transform(*octets, pin.begin(), [](char c) { return static_cast<uint8_t>(c); });
  return pin;
}

std::string to_text(const KeyPin& pin) {
  return encode_base64({reinterpret_cast<const char*>(pin.data()), pin.size()});
}

Result<std::shared_ptr<ClientTls>> ClientTls::make(const TlsUse& use, const std::string& host) {
  ERR_clear_error();
  std::shared_ptr<ClientTls> made(new ClientTls);
  made->name_ = use.name.empty() ? host : use.name;
  made->is_named_ = !use.name.empty();
  made->needs_chain_ = use.pins.empty() || !use.name.empty() || !use.ca_file.empty();
  if (auto done = made->set_up(use); !done) return std::move(done).error().within(host);
  return made;
}

Result<void> ClientTls::set_up(const TlsUse& use) {
  context_ = make_ssl_context(false);
  SSL_CTX* context = context_.get();
  if (context == nullptr) return Error{ErrorCode::failed, ssl_error()};
  if (use.mode == TlsMode::opportunistic || use.mode == TlsMode::none) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  pins_.reserve(use.pins.size());
  for (const std::string& text : use.pins) {
    const std::optional<KeyPin> pin = parse_key_pin(text);
    if (!pin) return Error{ErrorCode::invalid, text + " is no SHA-256 of a key in base64"};
    pins_.push_back(*pin);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify, this);
  return needs_chain_ ? set_authorities(use.ca_file) : Result<void>();
}

Result<void> ClientTls::set_authorities(const std::string& file) {
  SSL_CTX* context = context_.get();
  const bool has_authorities = file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                            : SSL_CTX_load_verify_file(context, file.c_str()) == 1;
  if (!has_authorities) return Error{ErrorCode::invalid, file + ": " + ssl_error()};
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_set = parse_ipv4(name_)
                          ? X509_VERIFY_PARAM_set1_ip_asc(expected, name_.c_str()) == 1
                          : X509_VERIFY_PARAM_set1_host(expected, name_.data(), name_.size()) == 1;
  if (name_.empty() || !is_set) return Error{ErrorCode::invalid, name_ + " is no name"};
  return {};
}

SslPtr ClientTls::make_ssl(const std::string& name) {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return ssl;
  SSL_set_connect_state(ssl.get());
  // RFC 6066 section 3: names alone, no addresses.
  const std::string& told = is_named_ || name.empty() ? name_ : name;
  if (!told.empty() && !parse_ipv4(told)) SSL_set_tlsext_host_name(ssl.get(), told.c_str());
  refused_.clear();
  return ssl;
}

std::string ClientTls::failure_of(const SSL* ssl) const {
  std::string reason = ssl_error();
  if (SSL_get_verify_result(ssl) == X509_V_OK || refused_.empty()) return reason;
  return "the certificate is refused: " + refused_;
}

int ClientTls::verify(X509_STORE_CTX* chain, void* self) {
  auto& tls = *static_cast<ClientTls*>(self);
  if (!tls.is_accepted(chain)) return 0;
  X509_STORE_CTX_set_error(chain, X509_V_OK);
  return 1;
}

bool ClientTls::has_pin(const X509* certificate) const {
  return std::ranges::find(pins_, pin_of(certificate)) != pins_.end();
}

bool ClientTls::is_accepted(X509_STORE_CTX* chain) {
  if (needs_chain_ && X509_verify_cert(chain) != 1) {
    refused_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    return false;
  }
  if (pins_.empty()) return true;
  const X509* own = X509_STORE_CTX_get0_cert(chain);
  bool is_pinned = has_pin(own);
  const STACK_OF(X509)* verified = needs_chain_ ? X509_STORE_CTX_get0_chain(chain) : nullptr;
  for (int i = 0; verified != nullptr && i < sk_X509_num(verified) && !is_pinned; ++i) {
    is_pinned = has_pin(sk_X509_value(verified, i));
  }
  if (is_pinned) return true;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  refused_ = "its key is none of the pinned ones, it is sha256/" + to_text(pin_of(own));
  return false;
}

}  // namespace postern::mail
