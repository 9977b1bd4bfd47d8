// SPDX-License-Identifier: BSD-3-Clause
// The keys of services.portal.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr int64_t kDayMs = 86'400'000;

constexpr KeySpec kPortalKeys[] = {
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: nobody can log in, and who is logged in is logged out",
     .fallback = "true"},
    {.key = "listen",
     .type = Type::interface_ref,
     .help = "interfaces by which the page is reached; default: all of the zones internal and dmz",
     .list = true},
    {.key = "port",
     .type = Type::number,
     .help = "TCP port of the page (HTTPS); it needs no rule of its own",
     .min = 1,
     .max = 65535,
     .fallback = "443"},
    {.key = "certificate",
     .type = Type::file_path,
     .help = "PEM file with the certificate and its chain; default: the gateway makes one itself"},
    {.key = "key", .type = Type::file_path, .help = "PEM file with the key of the certificate"},
    {.key = "idle_timeout",
     .type = Type::duration,
     .help = "who is logged in at a host that sends and gets nothing for so long is logged out; "
             "0s: never for that",
     .min = 0,
     .max = 7 * kDayMs,
     .fallback = "30m"},
    {.key = "absolute_timeout",
     .type = Type::duration,
     .help = "everybody is logged out so long after the log-in; 0s: never for that",
     .min = 0,
     .max = 30 * kDayMs,
     .fallback = "12h"},
    {.key = "heartbeat",
     .type = Type::duration,
     .help = "the page asks for itself again and again as long as it is open, and who does not ask "
             "for so long is logged out; 0s: the page may be closed",
     .min = 0,
     .max = kDayMs,
     .fallback = "0s"},
};

}  // namespace

const SectionSpec kPortalSection{"services.portal", kPortalKeys};

}  // namespace postern::config
