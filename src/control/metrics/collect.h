// SPDX-License-Identifier: BSD-3-Clause
// The gateway's state and counters as metrics (P20). A page is made when somebody asks, from the
// counters that workers and services have anyway: no packet costs more for it.
//
// Names begin with postern_, are in seconds, bytes and ratios, and are added to, never renamed.
// Labels are bounded: interfaces and workers by their number, drop reasons by the list of them,
// rules by kRuleRows, other names of the configuration by kNameRows; what is beyond shares the row
// "other". Thread: control.
#pragma once

#include <string>

#include "control/metrics/exposition.h"

namespace postern {
class Gateway;
}

namespace postern::metrics {

constexpr size_t kRuleRows = 500;
constexpr size_t kNameRows = 100;

std::string collect(Gateway& gateway, Format format);

// Its parts, each in a file of its own.
void collect_system(Gateway& gateway, Exposition& out);
void collect_log(Gateway& gateway, Exposition& out);
void collect_process(Exposition& out);
void collect_interfaces(Gateway& gateway, Exposition& out);
void collect_workers(Gateway& gateway, Exposition& out);
void collect_rules(Gateway& gateway, Exposition& out);
void collect_dns(Gateway& gateway, Exposition& out);
void collect_http(Gateway& gateway, Exposition& out);
void collect_mail(Gateway& gateway, Exposition& out);
void collect_dhcp(Gateway& gateway, Exposition& out);

}  // namespace postern::metrics
