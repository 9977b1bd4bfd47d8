// SPDX-License-Identifier: BSD-3-Clause
// Admission: who asks, and whether the URL rules let that user have the URL (F57). Who it is comes
// from the address (the log-in page, the configuration) or from Basic credentials for the proxy
// (RFC 7617), which take a while to check and are then remembered with the connection.
//
// Thread: control.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/http/access/url_rules.h"
#include "services/http/proxy/asked.h"
#include "services/http/proxy/core.h"
#include "services/http/proxy/request.h"

namespace postern::http {

struct Credentials {
  std::string user;
  std::string password;
  ~Credentials();  // overwrites the password
  Credentials() = default;
  Credentials(Credentials&&) = default;
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
};

// Of a field Proxy-Authorization; nothing: not Basic, or not well-formed.
std::optional<Credentials> parse_basic(std::string_view value);

struct Admission {
  enum class Kind : uint8_t { permit, deny, log_in };
  Kind kind = Kind::permit;
  std::string_view message;           // of the rule, for the page; good as long as the rules
  std::optional<uint32_t> rule = {};  // that denies: its place in the rules; nothing: none matched
};

// `identity`: nullptr: nobody knows who it is. `may_ask`: the client would understand a 407.
Admission admit(const Core& core, const Request& request, const Identity* identity, bool may_ask);
// Of the same at the address that a transparent client was going to. Asks for no log-in.
Admission admit_at(const Core& core, const Request& request, const Peer& original,
                   const Identity* identity);
// Of the name that is said in a tunnel to `port`.
Admission admit_name(const Core& core, std::string_view name, uint16_t port,
                     const Identity* identity);

}  // namespace postern::http
