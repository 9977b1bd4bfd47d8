// SPDX-License-Identifier: BSD-3-Clause
// Packets with the verdict that they must get: the tests of a configuration (`tests`) and those of
// a template.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "control/config/model_mark.h"

namespace postern::config {

enum class RuleAction { permit, drop, deny, next };  // "continue" in the file

// What all tests say.
struct TestPacket {
  struct Protocol {
    uint8_t protocol = 0;  // IANA number
    int icmp_type = -1;    // -1: not said
    int icmp_code = -1;
    bool operator==(const Protocol&) const = default;
  };

  std::string in;  // interface, or "gateway"
  Protocol protocol;
  Ipv4Address from, to;
  uint16_t from_port = 0, to_port = 0;  // 0: not said
  RuleAction verdict = RuleAction::drop;
  std::string rule;  // that decides; empty: not said
  Mark mark;
  bool operator==(const TestPacket&) const = default;
};

// A test of a configuration: a first packet, as it comes in, and what must become of it.
struct PolicyTest : TestPacket {
  static constexpr uint32_t kNoon = 12 * 60;  // Monday 12:00, a minute of the local week

  std::string name;
  std::string tcp_flags;    // "syn,ack"; empty: syn
  uint32_t minute = kNoon;  // of the local week, when the packet comes
  std::string user;         // logged in at the source; empty: nobody
  // Of the user; empty: those of the account of the same name in the configuration.
  std::vector<std::string> groups;
  std::string out;  // interface, or "gateway"; empty: not said
  // As it leaves; empty: not said.
  std::string sent_from, sent_to;  // "192.0.2.1" or "192.0.2.1:80"
  bool operator==(const PolicyTest&) const = default;
};

}  // namespace postern::config
