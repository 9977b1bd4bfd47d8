// SPDX-License-Identifier: BSD-3-Clause
// What some rule has to permit for a service of the gateway to be of use: hosts that ask the
// gateway, and what the gateway asks of others. Without such a rule the service is there, and mute,
// which earns a warning. Thread: control.
#pragma once

#include <string>
#include <vector>

#include "control/config/validate.h"

namespace postern::config {

struct Need {
  const Interface* asker;  // nullptr: the gateway, which asks a server
  uint8_t protocol;
  uint16_t port;
  std::string path;  // where to complain
  bool is_met = false;
};

// As far as interfaces, protocols and ports say; addresses and times are believed.
void meet_by_rules(Check& check, std::vector<Need>& needs);
// A warning for each that no rule meets.
void warn_of_unmet(Check& check, const std::vector<Need>& needs);

}  // namespace postern::config
