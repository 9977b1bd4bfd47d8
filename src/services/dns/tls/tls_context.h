// SPDX-License-Identifier: BSD-3-Clause
// TlsContext: how one server of DNS over TLS proves who it is, and the sessions to resume with it.
//
// A server must be authenticated, else nothing is sent to it (the strict profile of RFC 8310
// section 5):
//
//   name           the certificate's chain leads to a known authority and it is for this name
//   pins           the key of the certificate is one of these (RFC 7858 section 4.2); the chain,
//                  the name and the dates do not count
//   name and pins  as for the name, and the key of some certificate in the chain is one of these
//
// TLS 1.2 at least, no compression, no renegotiation, no early data. Thread: control.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;
using SSL_SESSION = struct ssl_session_st;
using X509 = struct x509_st;
using X509_STORE_CTX = struct x509_store_ctx_st;

namespace postern::dns {

// SHA-256 of a SubjectPublicKeyInfo (RFC 7858 section 4.2).
using SpkiPin = std::array<uint8_t, 32>;

// 44 characters of base64, with or without "sha256/" or "pin-sha256=" in front.
std::optional<SpkiPin> parse_spki_pin(std::string_view text);
std::string to_text(const SpkiPin& pin);  // base64
SpkiPin spki_pin_of(const X509* certificate);

struct TlsServer {
  Ipv4Address address;  // servers are never looked up by name (bootstrap by address)
  uint16_t port = 853;
  std::string name = {};           // empty: pins alone
  std::vector<SpkiPin> pins = {};  // empty: the name alone
  std::string ca_file = {};        // PEM; empty: the authorities that the system knows

  friend bool operator==(const TlsServer&, const TlsServer&) = default;
};
// "192.0.2.53:853 (dns.example)"
std::string to_text(const TlsServer& server);

struct SslFree {
  void operator()(SSL* ssl) const;
  void operator()(SSL_CTX* context) const;
  void operator()(SSL_SESSION* session) const;
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

class TlsContext {
 public:
  static constexpr size_t kSessionsMax = 4;  // kept; the oldest goes

  // An error: neither name nor pin, a name that is none, or a file of authorities that cannot be
  // read.
  static Result<std::unique_ptr<TlsContext>> make(const TlsServer& server);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A client's side for one connection, with a session to resume where there is one and buffers in
  // memory on both sides. It must not outlive this.
  SslPtr make_client();
  // Why the last handshake of `ssl` failed, in words.
  std::string failure_of(const SSL* ssl) const;

 private:
  explicit TlsContext(const TlsServer& server) : server_(server) {}
  Result<void> set_up();
  bool is_accepted(X509_STORE_CTX* chain);
  static int verify(X509_STORE_CTX* chain, void* self);
  static int keep_session(SSL* ssl, SSL_SESSION* session);

  TlsServer server_;
  std::unique_ptr<SSL_CTX, SslFree> context_;
  std::deque<std::unique_ptr<SSL_SESSION, SslFree>> sessions_;
  std::string refused_;  // what the last certificate was refused for
};

}  // namespace postern::dns
