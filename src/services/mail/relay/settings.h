// SPDX-License-Identifier: BSD-3-Clause
// RelaySettings: where mail for others goes (F49), and how. Plain values; thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "services/mail/net/tls_use.h"

namespace postern::mail {

struct RelayHost {
  std::string host;  // name or address
  uint16_t port = 25;
  TlsUse tls;
  Credentials credentials;
  bool lacks_secret = false;  // it cannot be read: the host is not used, as it would refuse mail
  friend bool operator==(const RelayHost&, const RelayHost&) = default;
};

// Mail of some senders goes by hosts of their own.
struct SenderRelay {
  std::vector<std::string> senders;  // patterns (base/glob.h) of the envelope's sender
  std::vector<RelayHost> hosts;
  friend bool operator==(const SenderRelay&, const SenderRelay&) = default;
};

struct RelaySettings {
  std::string helo;                    // empty: the gateway's name
  std::vector<RelayHost> hosts;        // in order: the next one where one cannot be reached
  std::vector<SenderRelay> by_sender;  // the first that matches
  bool has_mx = false;                 // to each domain's own hosts; with `hosts` empty
  TlsUse mx_tls;                       // for those
  // The gateway's own addresses: mail for a domain whose hosts have them would come back to us. Nor
  // is a connection made to others that are not public, unless they are among `mx_allowed`: what a
  // stranger says of his domain is no way to hosts inside.
  std::vector<AddressRange> own;
  std::vector<AddressRange> mx_allowed;
  std::vector<uint32_t> times;  // when mail goes out (Seams::time_holds); empty: always
  size_t connections = 4;       // to one host at a time
  size_t messages = 100;        // by one connection
  Duration connect_timeout = seconds(30);
  Duration command_timeout = seconds(300);  // RFC 5321 section 4.5.3.2
  Duration end_timeout = seconds(600);      // for the answer to the end of the text
  Duration idle = seconds(10);              // a connection waits so long for a further message
  friend bool operator==(const RelaySettings&, const RelaySettings&) = default;
};

}  // namespace postern::mail
