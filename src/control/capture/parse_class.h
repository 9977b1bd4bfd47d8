// SPDX-License-Identifier: BSD-3-Clause
// The words of `postern capture` -> a TrafficClass.
//
//   interface  "lan", "lan,wan", a zone, "gateway" (between Postern and the kernel), "any"
//   at         "received", "sent", "dropped", several with commas, "all"
//   where      alternatives of conditions: "tcp and host web-server and not port 22 or arp"
//
//     condition   [not] primitive
//     primitive   arp | ip | PROTOCOL | proto PROTOCOL          tcp, udp, icmp, gre, esp, ... or
//     0-255
//                 [src|dst] host ADDRESSES                      192.0.2.1, 192.0.2.0/24, a range,
//                 or [src|dst] net ADDRESSES                       an address object of the
//                 configuration [src|dst] port PORTS                          53, 80-90, >1023
//                 service SERVICE                               tcp/80, icmp/echo-request, or a
//                 service
//                                                               object; also the answers to it
//                 reason REASON                                 of a drop: filter_drop
//
// `and` binds closer than `or`; there are no parentheses. Bounded by the text's length and the
// sizes of TrafficClass. Errors name the option and the word. Pure; thread: control.
#pragma once

#include <string>

#include "base/result.h"
#include "control/config/model.h"
#include "dataplane/capture/traffic_class.h"

namespace postern {

struct ClassWords {
  std::string interface;  // empty: any
  std::string at;         // empty: all
  std::string where;      // empty: every frame
};

constexpr size_t kClassTextMax = 1024;  // of each

Result<TrafficClass> parse_class(const ClassWords& words, const config::Model& model);

}  // namespace postern
