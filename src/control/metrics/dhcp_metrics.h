// SPDX-License-Identifier: BSD-3-Clause
// The counters of the DHCP server as metrics. A test says which one has no row here.
#pragma once

#include <array>
#include <string_view>

#include "services/dhcp/engine.h"

namespace postern::metrics {

struct DhcpMetric {
  std::string_view name;
  std::string_view help;
  uint64_t dhcp::Counters::*value;
};

inline constexpr auto kDhcpMetrics = std::to_array<DhcpMetric>({
    {"postern_dhcp_received", "messages to the server", &dhcp::Counters::received},
    {"postern_dhcp_malformed", "messages that could not be read", &dhcp::Counters::malformed},
    {"postern_dhcp_unknown_link", "messages from where no scope is", &dhcp::Counters::unknown_link},
    {"postern_dhcp_no_scope", "messages for networks without a scope", &dhcp::Counters::no_scope},
    {"postern_dhcp_unknown_relay", "messages of relays that are not believed",
     &dhcp::Counters::unknown_relay},
    {"postern_dhcp_rate_limited", "messages beyond the rate of a client",
     &dhcp::Counters::rate_limited},
    {"postern_dhcp_discovers", "clients that look for an address", &dhcp::Counters::discovers},
    {"postern_dhcp_offers", "addresses offered", &dhcp::Counters::offers},
    {"postern_dhcp_requests", "addresses asked for", &dhcp::Counters::requests},
    {"postern_dhcp_acks", "leases acknowledged", &dhcp::Counters::acks},
    {"postern_dhcp_naks", "requests refused", &dhcp::Counters::naks},
    {"postern_dhcp_declines", "addresses that clients found in use", &dhcp::Counters::declines},
    {"postern_dhcp_releases", "leases given back", &dhcp::Counters::releases},
    {"postern_dhcp_informs", "clients that asked for options alone", &dhcp::Counters::informs},
    {"postern_dhcp_bootps", "requests by BOOTP", &dhcp::Counters::bootps},
    {"postern_dhcp_probes", "addresses probed before they were offered", &dhcp::Counters::probes},
    {"postern_dhcp_conflicts", "addresses that a probe found in use", &dhcp::Counters::conflicts},
    {"postern_dhcp_probes_full", "clients that wait because too many probes run",
     &dhcp::Counters::probes_full},
    {"postern_dhcp_exhausted", "clients without an address, since the pool is empty",
     &dhcp::Counters::exhausted},
    {"postern_dhcp_not_ours", "requests to another server", &dhcp::Counters::not_ours},
    {"postern_dhcp_name_taken", "host names that another client has", &dhcp::Counters::name_taken},
    {"postern_dhcp_expired", "leases that ended", &dhcp::Counters::expired},
    {"postern_dhcp_options_left_out", "options that a reply had no room for",
     &dhcp::Counters::options_left_out},
});

}  // namespace postern::metrics
