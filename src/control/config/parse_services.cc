// SPDX-License-Identifier: BSD-3-Clause
// services: which of them there are.
#include "control/config/parse.h"

namespace postern::config {

void parse_services(Section& section, Services& services) {
  if (auto dhcp = section.section("dhcp")) parse_dhcp(*dhcp, services.dhcp.emplace());
  section.finish();
}

}  // namespace postern::config
