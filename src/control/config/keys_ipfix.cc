// SPDX-License-Identifier: BSD-3-Clause
// The keys of logging.ipfix.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr KeySpec kIpfixKeys[] = {
    {.key = "collector",
     .type = Type::target,
     .help = "address or address:port of the collector; default port 4739",
     .required = true},
    {.key = "transport",
     .type = Type::word,
     .help = "how messages travel",
     .words = "udp|tcp",
     .fallback = "udp"},
    {.key = "domain",
     .type = Type::number,
     .help = "observation domain: by which number the collector knows this gateway",
     .min = 1,
     .max = 4294967295,
     .fallback = "1"},
    {.key = "template_refresh",
     .type = Type::duration,
     .help = "the templates are sent again so often by UDP",
     .min = 5000,
     .max = 24LL * 3600 * 1000,
     .fallback = "60s"},
    {.key = "records",
     .type = Type::word,
     .help = "sessions: one when it ends, and NAT events when it begins and ends; mappings: "
             "NAT events of dynamic mappings; default: sessions",
     .words = "sessions|mappings",
     .list = true},
};

}  // namespace

const SectionSpec kIpfixSection{"logging.ipfix", kIpfixKeys};

}  // namespace postern::config
