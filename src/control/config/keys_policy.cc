// SPDX-License-Identifier: BSD-3-Clause
// The keys of the policy: nat and filter.
#include "base/limits.h"
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr std::string_view kBehaviors =
    "endpoint_independent|address_dependent|address_and_port_dependent";

constexpr KeySpec kEntryName{
    .key = "name", .type = Type::name, .help = "shown in logs; default: numbered"};
constexpr KeySpec kEntryEnabled{.key = "enabled",
                                .type = Type::boolean,
                                .help = "false: stays in the file without effect",
                                .fallback = "true"};
constexpr KeySpec kEntryLog{
    .key = "log", .type = Type::boolean, .help = "log each new translation", .fallback = "false"};

constexpr KeySpec kSourceKeys[] = {
    kEntryName,
    kEntryEnabled,
    {.key = "in",
     .type = Type::interface_ref,
     .help = "interfaces it came in; default: any",
     .list = true},
    {.key = "out",
     .type = Type::interface_ref,
     .help = "interfaces it goes out",
     .required = true,
     .list = true},
    {.key = "from", .type = Type::address_item, .help = "sources; default: any", .list = true},
    {.key = "to", .type = Type::address_item, .help = "destinations; default: any", .list = true},
    {.key = "service", .type = Type::service_item, .help = "services; default: any", .list = true},
    {.key = "action",
     .type = Type::word,
     .help = "none: leave untranslated; masquerade: behind the interface's address; pool: behind "
             "the addresses of pool",
     .words = "none|masquerade|pool",
     .fallback = "masquerade"},
    {.key = "pool",
     .type = Type::address_item,
     .help = "external addresses, with action pool",
     .list = true},
    {.key = "mapping", .type = Type::word, .help = "default: nat.mapping", .words = kBehaviors},
    {.key = "filtering", .type = Type::word, .help = "default: nat.filtering", .words = kBehaviors},
    kEntryLog,
};
constexpr SectionSpec kSource{"nat.source[]", kSourceKeys};

constexpr KeySpec kOneToOneKeys[] = {
    kEntryName,
    kEntryEnabled,
    {.key = "external", .type = Type::address, .help = "address outside", .required = true},
    {.key = "internal", .type = Type::address, .help = "address inside", .required = true},
    {.key = "on",
     .type = Type::interface_ref,
     .help = "interface where external is seen",
     .required = true},
    kEntryLog,
};
constexpr SectionSpec kOneToOne{"nat.one_to_one[]", kOneToOneKeys};

constexpr KeySpec kPortMapKeys[] = {
    kEntryName,
    kEntryEnabled,
    {.key = "on",
     .type = Type::interface_ref,
     .help = "interface where it is reached",
     .required = true},
    {.key = "listen",
     .type = Type::address,
     .help = "external address; default: every address of the interface"},
    {.key = "service",
     .type = Type::service_item,
     .help = "tcp and udp ports outside",
     .required = true,
     .list = true},
    {.key = "to",
     .type = Type::target,
     .help = "inside address, or address:port where the first port differs inside",
     .required = true},
    {.key = "allow_from",
     .type = Type::address_item,
     .help = "adds the one permit rule for these sources; default: the filter decides",
     .list = true},
    {.key = "hairpin_source",
     .type = Type::word,
     .help = "source of clients from inside: rewrite to the gateway's, or keep",
     .words = "rewrite|keep",
     .fallback = "rewrite"},
    kEntryLog,
};
constexpr SectionSpec kPortMap{"nat.port_maps[]", kPortMapKeys};

constexpr KeySpec kNatKeys[] = {
    {.key = "mapping",
     .type = Type::word,
     .help = "when an inside endpoint keeps its external port (RFC 4787 section 4.1)",
     .words = kBehaviors,
     .fallback = "endpoint_independent"},
    {.key = "filtering",
     .type = Type::word,
     .help = "who may answer through a mapping (RFC 4787 section 5)",
     .words = kBehaviors,
     .fallback = "address_and_port_dependent"},
    {.key = "ports",
     .type = Type::port_range,
     .help = "external ports for mappings",
     .fallback = "1024-65535"},
    {.key = "reserved_ports",
     .type = Type::port_number,
     .help = "external ports never given out: the gateway's own services",
     .min = 1,
     .max = 65535,
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "hairpin",
     .type = Type::boolean,
     .help = "inside hosts reach mapped services by the external address",
     .fallback = "true"},
    {.key = "source",
     .type = Type::sections,
     .help = "source translation, first match wins",
     .max = 4096,
     .section = &kSource},
    {.key = "one_to_one",
     .type = Type::sections,
     .help = "an address outside for one inside",
     .max = 4096,
     .section = &kOneToOne},
    {.key = "port_maps",
     .type = Type::sections,
     .help = "ports outside for a host inside",
     .max = 4096,
     .section = &kPortMap},
};

constexpr KeySpec kRuleKeys[] = {
    {.key = "name", .type = Type::name, .help = "unique; shown in logs", .required = true},
    {.key = "description", .type = Type::text, .help = "free text", .max = 200},
    kEntryEnabled,
    {.key = "in",
     .type = Type::interface_item,
     .help = "interfaces or zones it came in, gateway: its own packets; default: any",
     .list = true},
    {.key = "out",
     .type = Type::interface_item,
     .help = "interfaces or zones it goes out, gateway: packets to itself; default: any",
     .list = true},
    {.key = "from", .type = Type::address_item, .help = "sources; default: any", .list = true},
    {.key = "to",
     .type = Type::address_item,
     .help = "destinations inside; default: any",
     .list = true},
    {.key = "to_original",
     .type = Type::address_item,
     .help = "destinations before translation; default: any",
     .list = true},
    {.key = "service", .type = Type::service_item, .help = "services; default: any", .list = true},
    {.key = "users",
     .type = Type::user_item,
     .help = "users, group:NAME or any: who must be logged in at the source address; default: "
             "nobody has to be",
     .list = true},
    {.key = "tcp",
     .type = Type::word,
     .help = "opening: first packets of TCP sessions; established: packets of known ones",
     .words = "any|opening|established",
     .fallback = "any"},
    {.key = "scope",
     .type = Type::word,
     .help = "forwarded: clients' traffic; own: the gateway's own",
     .words = "all|forwarded|own",
     .fallback = "all"},
    {.key = "when",
     .type = Type::time_item,
     .help = "times of the week; default: always",
     .list = true},
    {.key = "action",
     .type = Type::word,
     .help = "permit; drop silently; deny with an answer; continue with the next rule",
     .words = "permit|drop|deny|continue",
     .required = true},
    {.key = "log", .type = Type::boolean, .help = "log each match", .fallback = "false"},
    {.key = "alert",
     .type = Type::boolean,
     .help = "raise an alert on a match, once a burst",
     .fallback = "false"},
    {.key = "emergency",
     .type = Type::boolean,
     .help = "in force in posture cut_off as well",
     .fallback = "false"},
};

constexpr KeySpec kTemplateUseKeys[] = {
    {.key = "template",
     .type = Type::name,
     .help = "rules of this template stand here",
     .required = true},
    {.key = "name",
     .type = Type::name,
     .help = "rules are called NAME/RULE; default: the template's name"},
    kEntryEnabled,
    {.key = "with", .type = Type::template_values, .help = "values of its parameters"},
};

constexpr KeySpec kFilterKeys[] = {
    {.key = "order",
     .type = Type::word,
     .help = "listed: as written, first match wins",
     .words = "listed",
     .fallback = "listed"},
    {.key = "posture",
     .type = Type::word,
     .help = "normal: what no rule permits is dropped; cut_off: emergency rules alone; open: what "
             "no rule drops passes",
     .words = "normal|cut_off|open",
     .fallback = "normal"},
    {.key = "log_default",
     .type = Type::boolean,
     .help = "log what no rule matched",
     .fallback = "true"},
    {.key = "rules",
     .type = Type::sections,
     .help = "first match wins",
     .max = kRulesMax,
     .section = &kRuleSection,
     .instead = &kTemplateUseSection},
};

}  // namespace

const SectionSpec kNatSection{"nat", kNatKeys};
const SectionSpec kFilterSection{"filter", kFilterKeys};
const SectionSpec kRuleSection{"filter.rules[]", kRuleKeys};
const SectionSpec kTemplateUseSection{"filter.rules[]", kTemplateUseKeys};

}  // namespace postern::config
