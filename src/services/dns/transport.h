// SPDX-License-Identifier: BSD-3-Clause
// Transport: the seam to upstream servers that are asked over a stream (TCP, TLS). A whole DNS
// message goes to one server and its whole answer, or an error, comes back.
//
// The forwarder checks ID and question of what comes back, so a transport may not, and sets the
// ID of what it sends. Thread: control.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "services/dns/name.h"

namespace postern::dns {

// A server as the configuration names it; two that compare equal are the same server.
struct ServerAddress {
  Ipv4Address address;
  uint16_t port = 53;
  // DNS over TLS: the name of the certificate, pins of its key ("sha256/" and base64), or both,
  // with commas. Empty: plain.
  std::string tls_name;
  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};
// "192.0.2.53", "192.0.2.53:5353", with "#name" where it is TLS.
std::string to_text(const ServerAddress& server);

class Transport {
 public:
  // Without the two octets of length that stand in front on a stream.
  using Done = std::function<void(Result<std::vector<uint8_t>> answer)>;
  virtual ~Transport() = default;
  // Calls `done` once: never from within ask(), and not at all once the transport is gone. An
  // answer that takes longer than `timeout` is an error.
  virtual void ask(const ServerAddress& server, Bytes message, Duration timeout, Done done) = 0;
};

}  // namespace postern::dns
