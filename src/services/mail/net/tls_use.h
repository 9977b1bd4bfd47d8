// SPDX-License-Identifier: BSD-3-Clause
// TlsUse: how a connection that we open is secured, and how the server proves who it is (RFC 8314,
// RFC 7817). Plain values; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::mail {

enum class TlsMode : uint8_t {
  none,
  opportunistic,  // STARTTLS or STLS where it is offered, whoever the server is (RFC 3207
                  // section 4.1)
  required,       // by STARTTLS or STLS; without it, or with a wrong certificate, nothing is sent
  implicit,       // from the first octet, and required
};

struct TlsUse {
  TlsMode mode = TlsMode::opportunistic;
  std::string name;               // of the certificate; empty: the host that was asked for
  std::vector<std::string> pins;  // base64 of SHA-256 of the key; any of them is enough
  std::string ca_file;            // PEM; empty: the authorities that the system knows
  friend bool operator==(const TlsUse&, const TlsUse&) = default;
};

// How we prove who we are. What is secret is in a file, or comes from a command.
struct Credentials {
  std::string user;  // empty: we do not
  std::string password;
  std::vector<std::string> token_command;  // prints an OAuth 2.0 token (XOAUTH2); empty: a password
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

}  // namespace postern::mail
