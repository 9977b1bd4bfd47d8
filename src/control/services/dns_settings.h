// SPDX-License-Identifier: BSD-3-Clause
// services.dns of the configuration -> what the DNS service takes, without its addresses
// (control/listeners.h). Pure. Thread: control.
#pragma once

#include "control/config/model.h"
#include "services/dns/block/load.h"
#include "services/dns/dnssec/validator.h"
#include "services/dns/service.h"

namespace postern {

dns::Settings dns_settings(const config::Dns& dns);
dns::BlockListSettings block_settings(const config::Dns& dns);
// Zones that are answered here or by servers inside need no signatures.
dns::ValidatorSettings validator_settings(const config::Dns& dns);

}  // namespace postern
