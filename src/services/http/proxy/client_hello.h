// SPDX-License-Identifier: BSD-3-Clause
// The server name in the first message of a TLS client (RFC 8446 section 4.1.2, RFC 6066 section
// 3), read from the octets that a tunnel carries, without decrypting anything. The message may be
// in pieces: over several records, and over several reads.
//
// Bounds: kClientHelloMax octets; a client that says more before its name is known is `malformed`.
// Thread: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace postern::http {

constexpr size_t kClientHelloMax = size_t{16} << 10;

struct ClientHello {
  enum class State : uint8_t {
    more,       // not whole yet
    not_tls,    // something else than TLS
    malformed,  // it begins like TLS, and is not
    nameless,   // whole, and names no server
    named,      // `name` is the server
  };
  State state = State::more;
  std::string name;  // in small letters; letters, digits, '-', '_' and '.' only
};

// `octets`: all that the client has sent so far.
ClientHello parse_client_hello(std::span<const uint8_t> octets);

}  // namespace postern::http
