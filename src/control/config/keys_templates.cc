// SPDX-License-Identifier: BSD-3-Clause
// The keys of a template file (conf/templates). Not part of the schema: users do not write them.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr KeySpec kParameterKeys[] = {
    {.key = "type",
     .type = Type::word,
     .help = "what its values are",
     .words = "addresses|interfaces|services|times|boolean",
     .required = true},
    {.key = "description", .type = Type::text, .help = "free text", .max = 200, .required = true},
    {.key = "required", .type = Type::boolean, .help = "must be given", .fallback = "false"},
    {.key = "default", .type = Type::template_values, .help = "value when not given"},
};
constexpr SectionSpec kParameter{"parameters.*", kParameterKeys};

constexpr KeySpec kTestKeys[] = {
    {.key = "in", .type = Type::interface_item, .help = "interface or gateway", .required = true},
    {.key = "out", .type = Type::interface_item, .help = "interface or gateway", .required = true},
    {.key = "protocol", .type = Type::service_item, .help = "udp, icmp/8, ip/2", .required = true},
    {.key = "from", .type = Type::target, .help = "address or address:port", .required = true},
    {.key = "to", .type = Type::target, .help = "address or address:port", .required = true},
    {.key = "verdict",
     .type = Type::word,
     .help = "what the filter says",
     .words = "permit|drop|deny",
     .required = true},
    {.key = "rule", .type = Type::name, .help = "rule that says so; default: none of the template"},
};
constexpr SectionSpec kTest{"tests[]", kTestKeys};

constexpr KeySpec kTemplateKeys[] = {
    {.key = "template", .type = Type::name, .help = "name", .required = true},
    {.key = "description", .type = Type::text, .help = "free text", .max = 200, .required = true},
    {.key = "parameters",
     .type = Type::named_sections,
     .help = "what $NAME in the rules stands for",
     .section = &kParameter},
    {.key = "rules",
     .type = Type::sections,
     .help = "as filter.rules",
     .max = 64,
     .required = true,
     .section = &kRuleSection},
    {.key = "sample", .type = Type::template_values, .help = "values for the tests"},
    {.key = "tests",
     .type = Type::sections,
     .help = "packets and verdicts",
     .max = 1000,
     .required = true,
     .section = &kTest},
};

}  // namespace

const SectionSpec kTemplateFile{"", kTemplateKeys};

}  // namespace postern::config
