// SPDX-License-Identifier: BSD-3-Clause
// Flow scripts: packets and what must become of them, as text (tests/flow/**/*.flow).
//
//   # covers RFC4787-REQ1
//   config ../office.yaml            a configuration, relative to the script; and / or, laid over
//   it: config:
//     nat:                           whole top-level keys, indented
//       source: [{ out: wan }]
//
//   @0s   in   lan udp 192.168.1.10:5000 -> 198.51.100.7:53
//         out  wan udp 203.0.113.2:$x -> 198.51.100.7:53
//   @1s   send wan udp 203.0.113.2:123 -> 198.51.100.7:123      from the gateway's own kernel
//         out  wan udp 203.0.113.2:123 -> 198.51.100.7:123
//   @302s in   wan udp 198.51.100.7:53 -> 203.0.113.2:$x
//         drop no_mapping
//         expect mappings = 0, drop.no_mapping = 1
//   @302s login 192.168.1.10 anna hr    with her groups; "logout 192.168.1.10" ends it
//   @303s tick                       only time passes
//   @303s flood 3000 10 lan tcp 192.168.1.10:1024 -> 198.51.100.7:80 syn
//                                    3,000 packets from 10 hosts in turn, the source port of each
//                                    one higher; what becomes of them is told by counters alone
//   @304s reload:                    top-level keys to replace in the configuration
//           filter:
//             rules: []
//   @304s try:                       the same, as a configuration on trial
//   @305s refuse:                    a reload that is no good: it must be refused and change
//   nothing
//           nat:
//             source: [{ out: moon }]
//
// A step is followed by everything that comes of it, in any order: `out INTERFACE PACKET`, `host
// INTERFACE PACKET` (for the gateway itself), `drop REASON`, or `hold` when nothing comes out yet.
// What is not written must not happen. `expect` compares counters and
// variables (`expect sessions = 2, $x != $y, 1023 < $x, $x is even`). Only fields that a line
// mentions count (packet_text.h). `$x` binds where it first meets a value, then must match; `*`
// meets anything. Times are since the start and never go back: 250ms, 30s, 5m, 2h4m.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "support/packet_text.h"

namespace postern::test {

struct FlowExpectation {
  enum class Kind { out, host, drop, hold, counter };
  Kind kind = Kind::hold;
  int line = 0;
  std::string interface;  // out, host
  PacketText packet;      // out, host
  std::string name;       // drop: the reason; counter: its name, or a variable
  std::string relation;   // counter: =, !=, < or "is"
  std::string value;      // counter: a number or a variable; with "is": even or odd
};

struct FlowStep {
  enum class Kind { in, send, flood, tick, reload, refuse, login, logout };
  Kind kind = Kind::tick;
  int line = 0;
  Duration at;
  std::string interface;         // in, send, flood
  PacketText packet;             // in, send, flood
  unsigned count = 0;            // flood: packets
  unsigned hosts = 1;            // flood: that send them in turn, from the packet's source on
  bool is_on_trial = false;      // reload
  std::string keys;              // reload, refuse: YAML, indentation taken off
  Ipv4Address host;              // login, logout
  std::vector<std::string> who;  // login: the user, then groups
  std::vector<FlowExpectation> expected;
};

struct FlowScript {
  std::string name;         // for messages
  std::string config_file;  // as written, or ""
  std::string config_keys;  // YAML, indentation taken off
  std::vector<FlowStep> steps;
};

// An error says LINE and what is wrong there.
Result<FlowScript> read_flow_script(std::string name, std::string_view text);

// `base` with those of its top-level keys replaced that `keys` has, and the others of `keys` added.
std::string with_keys(const std::string& base, const std::string& keys);

}  // namespace postern::test
