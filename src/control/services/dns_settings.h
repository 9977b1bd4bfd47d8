// SPDX-License-Identifier: BSD-3-Clause
// services.dns of the configuration -> what the DNS service takes. Pure. Thread: control.
#pragma once

#include <functional>
#include <vector>

#include "control/config/model.h"
#include "dataplane/policy/policy.h"
#include "services/dns/block/load.h"
#include "services/dns/dnssec/validator.h"
#include "services/dns/service.h"

namespace postern {

dns::Settings dns_settings(const config::Dns& dns);
dns::BlockListSettings block_settings(const config::Dns& dns);
// Zones that are answered here or by servers inside need no signatures.
dns::ValidatorSettings validator_settings(const config::Dns& dns);

// The addresses of the interfaces that are listened on, each on its kernel device; an interface
// without one is left out. External ones are never among them (F53).
std::vector<io::ListenAddress> dns_listeners(
    const config::Dns& dns, const Policy& policy,
    const std::function<std::string(InterfaceId)>& device_of);

}  // namespace postern
