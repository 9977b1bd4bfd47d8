// SPDX-License-Identifier: BSD-3-Clause
// The office that tests share: wan 203.0.113.1/24 (external), lan 192.168.1.1/24, dmz 10.9.0.1/24;
// the rest of the world behind 203.0.113.254. The LAN may do everything, the outside what is
// mapped.
#pragma once

#include <string>

namespace postern::test {

inline const std::string kOfficeInterfaces = R"(version: 1
interfaces:
  wan: { port: "vdev:net_ring0", zone: external, address: 203.0.113.1/24 }
  lan: { port: "vdev:net_ring1", zone: internal, address: 192.168.1.1/24 }
  dmz: { port: "vdev:net_ring2", zone: dmz, address: 10.9.0.1/24 }
routes:
  - { to: default, via: 203.0.113.254 }
)";

inline const std::string kOfficeNat = R"(nat:
  source:
    - { out: wan, action: masquerade }
  one_to_one:
    - { external: 203.0.113.9, internal: 192.168.1.9, on: wan }
  port_maps:
    - { name: web, on: wan, service: tcp/8080, to: "192.168.1.5:80", allow_from: any }
    - { name: dmz-web, on: wan, service: tcp/8443, to: "10.9.0.5:443", allow_from: any,
        hairpin_source: keep }
)";

inline const std::string kOfficeFilter = R"(filter:
  rules:
    - { name: lan-out, in: lan, action: permit }
    - { name: own, in: gateway, action: permit }
    - { name: ping-in, in: wan, service: icmp/echo-request, action: permit }
    - { name: ssh-in, to: gateway, service: tcp/22, action: permit }
    - { name: gre-in, in: wan, service: gre, action: permit }
)";

inline const std::string kOffice = kOfficeInterfaces + kOfficeNat + kOfficeFilter;

}  // namespace postern::test
