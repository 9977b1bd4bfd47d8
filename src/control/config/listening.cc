// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/listening.h"

#include <algorithm>

namespace postern::config {

// F53, F27, P20: the world outside is not heard; F61: an administrator's may be, on request.
Listening listening_of(const Dns& dns) {
  return {dns.listen, Listening::Unnamed::not_external, false};
}

Listening listening_of(const Portal& portal) {
  return {portal.listen, Listening::Unnamed::not_external, false};
}

Listening listening_of(const Http& http) {
  return {http.listen, Listening::Unnamed::internal, false};
}

Listening listening_of(const Mail& mail) {
  return {mail.listen, Listening::Unnamed::internal, false};
}

Listening outside_listening_of(const Mail& mail) {
  return {{}, mail.from_outside ? Listening::Unnamed::external : Listening::Unnamed::none, true};
}

Listening listening_of(const Metrics& metrics) {
  return {metrics.listen, Listening::Unnamed::none, false};
}

Listening listening_of(const AdminRemote& remote) {
  return {remote.listen, Listening::Unnamed::internal, true};
}

bool listens_on(const Listening& listening, std::string_view interface, Zone zone) {
  if (zone == Zone::external && !listening.takes_external) return false;
  if (!listening.names.empty()) {
    return std::find(listening.names.begin(), listening.names.end(), interface) !=
           listening.names.end();
  }
  switch (listening.unnamed) {
    case Listening::Unnamed::none:
      return false;
    case Listening::Unnamed::external:
      return zone == Zone::external;
    case Listening::Unnamed::internal:
      return zone == Zone::internal;
    case Listening::Unnamed::not_external:
      return zone != Zone::external;
  }
  return false;
}

bool listens_on(const Listening& listening, const Interface& interface) {
  return interface.enabled && listens_on(listening, interface.name, interface.zone);
}

}  // namespace postern::config
