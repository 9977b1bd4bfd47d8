// SPDX-License-Identifier: BSD-3-Clause
// ServerTls: our certificate and its key, for all connections that come to us (RFC 8314 section 4).
// Clients are not asked for certificates. Thread: that of the loop.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "services/mail/net/ssl.h"

namespace postern::mail {

class ServerTls {
 public:
  // Both PEM; the certificate with its chain. The error: one of them cannot be read, or they do
  // not belong together.
  static Result<std::shared_ptr<ServerTls>> make(const std::string& certificate_pem,
                                                 const std::string& key_pem);
  // Of one connection; it may outlive this. nullptr: no memory.
  SslPtr make_ssl();

 private:
  explicit ServerTls(SslContextPtr context) : context_(std::move(context)) {}
  SslContextPtr context_;
};

}  // namespace postern::mail
