// SPDX-License-Identifier: BSD-3-Clause
// ClientTls: how one server that we connect to proves who it is (RFC 7817, RFC 8314 section 5).
//
//   opportunistic       it need not: who could change the certificate could as well keep STARTTLS
//                       from being offered
//   required, implicit  a chain to a known authority, for TlsUse::name or the host
//     with pins         the key of the certificate is one of them; the chain, the name and the
//                       dates do not count, unless TlsUse::name or TlsUse::ca_file is given:
//                       then they do, and the key of some certificate in the chain is pinned
//
// Thread: that of the loop.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/mail/net/ssl.h"
#include "services/mail/net/tls_use.h"

using X509 = struct x509_st;
using X509_STORE_CTX = struct x509_store_ctx_st;

namespace postern::mail {

// SHA-256 of a SubjectPublicKeyInfo (RFC 7469 section 2.4).
using KeyPin = std::array<uint8_t, 32>;
// 44 characters of base64, with or without "sha256/" in front.
std::optional<KeyPin> parse_key_pin(std::string_view text);
std::string to_text(const KeyPin& pin);  // base64

class ClientTls {
 public:
  // The error: a pin or a name that is none, or a file of authorities that cannot be read.
  static Result<std::shared_ptr<ClientTls>> make(const TlsUse& use, const std::string& host);
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  // Of one connection, which keeps this as long. `name`: what the server is asked for where TlsUse
  // has no name; an address is not told. nullptr: no memory.
  SslPtr make_ssl(const std::string& name);
  // Why the last handshake of `ssl` failed, in words.
  std::string failure_of(const SSL* ssl) const;

 private:
  ClientTls() = default;
  Result<void> set_up(const TlsUse& use);
  Result<void> set_authorities(const std::string& file);
  bool is_accepted(X509_STORE_CTX* chain);
  bool has_pin(const X509* certificate) const;
  static int verify(X509_STORE_CTX* chain, void* self);

  SslContextPtr context_;
  std::string name_;       // of the certificate
  bool is_named_ = false;  // by TlsUse
  bool needs_chain_ = false;
  std::vector<KeyPin> pins_;
  std::string refused_;  // what the last certificate was refused for
};

}  // namespace postern::mail
