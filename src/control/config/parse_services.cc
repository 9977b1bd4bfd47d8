// SPDX-License-Identifier: BSD-3-Clause
// services: each has a file of its own.
#include "control/config/parse.h"

namespace postern::config {

void parse_services(Section& section, Services& services) {
  if (auto dns = section.section("dns")) parse_dns(*dns, services.dns.emplace());
  if (auto dhcp = section.section("dhcp")) parse_dhcp(*dhcp, services.dhcp.emplace());
  if (auto portal = section.section("portal")) parse_portal(*portal, services.portal.emplace());
  if (auto http = section.section("http")) parse_http(*http, services.http.emplace());
  if (auto mail = section.section("mail")) parse_mail(*mail, services.mail.emplace());
  section.finish();
}

}  // namespace postern::config
