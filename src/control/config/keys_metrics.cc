// SPDX-License-Identifier: BSD-3-Clause
// The keys of admin.metrics.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr KeySpec kMetricsKeys[] = {
    {.key = "loopback",
     .type = Type::boolean,
     .help = "tell them to programs on the gateway itself, at 127.0.0.1",
     .fallback = "true"},
    {.key = "listen",
     .type = Type::interface_ref,
     .help = "interfaces at whose addresses they are told; none of zone external",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "port",
     .type = Type::number,
     .help = "TCP port",
     .min = 1,
     .max = 65535,
     .fallback = "9342"},
    {.key = "from",
     .type = Type::address_item,
     .help = "who may ask by these interfaces; needed with listen",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
};

}  // namespace

const SectionSpec kMetricsSection{"admin.metrics", kMetricsKeys};

}  // namespace postern::config
