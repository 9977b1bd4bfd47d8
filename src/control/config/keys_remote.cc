// SPDX-License-Identifier: BSD-3-Clause
// The keys of admin.remote.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr KeySpec kRemoteKeys[] = {
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: stays in the file without effect",
     .fallback = "true"},
    {.key = "listen",
     .type = Type::interface_ref,
     .help = "interfaces whose addresses administrators may connect to; default: those of the zone "
             "internal",
     .list = true},
    {.key = "port",
     .type = Type::port_number,
     .help = "TCP port",
     .min = 1,
     .max = 65535,
     .fallback = "44333"},
    {.key = "from",
     .type = Type::address_item,
     .help = "addresses of administrators; required with an external interface",
     .fallback = "any",
     .list = true},
    {.key = "idle",
     .type = Type::duration,
     .help = "a session without a request ends",
     .min = 10'000,
     .max = 86'400'000,
     .fallback = "5m"},
};

}  // namespace

const SectionSpec kRemoteSection{"admin.remote", kRemoteKeys};

}  // namespace postern::config
