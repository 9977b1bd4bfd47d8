// SPDX-License-Identifier: BSD-3-Clause
// services: each has a file of its own.
#include "control/config/parse.h"

namespace postern::config {

void parse_services(Section& section, Services& services) {
  if (auto dns = section.section("dns")) parse_dns(*dns, services.dns.emplace());
  section.finish();
}

}  // namespace postern::config
