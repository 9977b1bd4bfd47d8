// SPDX-License-Identifier: BSD-3-Clause
// What OpenSSL's objects are to us: owned, with the reason of the last failure in words, and with a
// socket under them that neither blocks nor raises SIGPIPE. Thread: that of the owner.
#pragma once

#include <memory>
#include <string>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace postern::mail {

struct SslFree {
  void operator()(SSL* ssl) const;
  void operator()(SSL_CTX* context) const;
};
using SslPtr = std::unique_ptr<SSL, SslFree>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslFree>;

// TLS 1.2 at least, no compression, no renegotiation; a far side that closes without a farewell has
// closed. nullptr: no memory.
SslContextPtr make_ssl_context(bool is_server);

// From now on `ssl` speaks through `fd`, which stays the caller's. False: no memory.
bool set_socket(SSL* ssl, int fd);

// Of the oldest error in the thread's list, which is empty then. "TLS failed" where there is none.
std::string ssl_error();

}  // namespace postern::mail
