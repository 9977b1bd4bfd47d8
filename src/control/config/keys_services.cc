// SPDX-License-Identifier: BSD-3-Clause
// The services; the keys of each are in a file of its own.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr KeySpec kServicesKeys[] = {
    {.key = "dhcp",
     .type = Type::section,
     .help = "addresses for the hosts inside; default: no service",
     .section = &kDhcpSection},
    {.key = "dns",
     .type = Type::section,
     .help = "names for the hosts inside; default: no service",
     .section = &kDnsSection},
    {.key = "http",
     .type = Type::section,
     .help = "proxy for the web, with a cache; default: no service",
     .section = &kHttpSection},
    {.key = "mail",
     .type = Type::section,
     .help = "mail by SMTP and POP3: for our domains, for others, and from elsewhere; default: no "
             "service",
     .section = &kMailSection},
    {.key = "portal",
     .type = Type::section,
     .help = "page where people inside log in, for rules with users; default: nobody can",
     .section = &kPortalSection},
};

}  // namespace

const SectionSpec kServicesSection{"services", kServicesKeys};

}  // namespace postern::config
