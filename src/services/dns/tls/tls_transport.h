// SPDX-License-Identifier: BSD-3-Clause
// TlsTransport: the way to all servers of DNS over TLS, each with its own TlsUpstream, so that one
// that is slow or dead is none of the others' concern.
//
// Thread: control. Bounds: as many servers as configure() names, those of TlsUpstream for each.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "services/dns/tls/tls_upstream.h"
#include "services/dns/transport.h"

namespace postern::dns {

// ServerAddress::tls_name taken apart: names and pins. An error: a pin that is none.
Result<TlsServer> tls_server_of(const ServerAddress& server, const std::string& ca_file);

class TlsTransport : public Transport {
 public:
  explicit TlsTransport(boost::asio::io_context& context) : context_(context) {}

  // The servers there are, plain ones included, which are passed over. Those that stay keep their
  // connections; those that failed are tried again. Goes on after an error, which it returns; a
  // server with one is not asked.
  Result<void> configure(const std::vector<ServerAddress>& servers, const std::string& ca_file);

  void ask(const ServerAddress& server, Bytes message, Duration timeout, Done done) override;

  // Each of them by its text.
  const std::map<std::string, std::unique_ptr<TlsUpstream>>& upstreams() const {
    return upstreams_;
  }

 private:
  boost::asio::io_context& context_;
  std::map<std::string, std::unique_ptr<TlsUpstream>> upstreams_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // gone with this; for what is posted
};

}  // namespace postern::dns
