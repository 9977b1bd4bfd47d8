// SPDX-License-Identifier: BSD-3-Clause
// The services; the keys of each are in a file of its own.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr KeySpec kServicesKeys[] = {
    {.key = "dns",
     .type = Type::section,
     .help = "names for the hosts inside; default: no service",
     .section = &kDnsSection},
};

}  // namespace

const SectionSpec kServicesSection{"services", kServicesKeys};

}  // namespace postern::config
