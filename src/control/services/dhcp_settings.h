// SPDX-License-Identifier: BSD-3-Clause
// services.dhcp of the configuration -> what the DHCP server is told. Pure. Thread: control.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "dataplane/policy/policy.h"
#include "services/dhcp/server.h"
#include "services/io/listen_address.h"

namespace postern {

// What else the gateway serves: on which of its addresses, and the domain of the names it has.
// `pac`: where the HTTP proxy gives its settings to browsers.
struct ServedByGateway {
  std::vector<Ipv4Address> dns;
  std::string domain;
  std::vector<io::ListenAddress> pac;
};

// Links are numbered as interfaces. Without services.dhcp there are no scopes.
dhcp::Settings dhcp_settings(const config::Model& model, const ServedByGateway& served);
// Where the server listens. `device_of` gives the host device of an interface, or "".
std::vector<dhcp::ServerLink> dhcp_links(const config::Model& model, const Policy& policy,
                                         const std::function<std::string(InterfaceId)>& device_of);

}  // namespace postern
