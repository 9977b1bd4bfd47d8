// SPDX-License-Identifier: BSD-3-Clause
// The keys of `tests`.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr int64_t kTextMax = 150;

constexpr KeySpec kTestKeys[] = {
    {.key = "name", .type = Type::text, .help = "what it shows", .max = kTextMax, .required = true},
    {.key = "in",
     .type = Type::interface_item,
     .help = "interface the packet comes in by, or gateway: its own",
     .required = true},
    {.key = "protocol",
     .type = Type::service_item,
     .help = "tcp, udp, icmp/echo-request, gre, ip/2",
     .required = true},
    {.key = "from",
     .type = Type::target,
     .help = "source, with :port if need be",
     .required = true},
    {.key = "to",
     .type = Type::target,
     .help = "destination as the sender has it, with :port",
     .required = true},
    {.key = "tcp_flags",
     .type = Type::text,
     .help = "of a TCP packet, as syn,ack; default: syn",
     .max = 30},
    {.key = "at",
     .type = Type::text,
     .help = "day and time of the week, for rules with times: mon 12:00",
     .max = 9,
     .fallback = "mon 12:00"},
    {.key = "user",
     .type = Type::account_name,
     .help = "who is logged in at the source; default: nobody"},
    {.key = "groups",
     .type = Type::account_name,
     .help = "groups of this user; default: those of the account in this file",
     .list = true},
    {.key = "verdict",
     .type = Type::word,
     .help = "what must become of it",
     .words = "permit|drop|deny",
     .required = true},
    {.key = "rule", .type = Type::text, .help = "the rule that must decide", .max = kTextMax},
    {.key = "out", .type = Type::interface_item, .help = "interface it must leave by, or gateway"},
    {.key = "sent_from", .type = Type::target, .help = "source that it must leave with"},
    {.key = "sent_to", .type = Type::target, .help = "destination that it must leave with"},
};

}  // namespace

const SectionSpec kPolicyTestSection{"tests[]", kTestKeys};

}  // namespace postern::config
