// SPDX-License-Identifier: BSD-3-Clause
// explain(): what the gateway would do with a packet that begins a flow (C04), stage by stage. The
// packet becomes real bytes; parse(), decide() and the rules that judge them are those of the
// workers, so that the answer cannot differ from theirs. What only a running worker knows is left
// out: sessions and dynamic mappings that exist, neighbors, full tables.
// Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "control/explain/packet_words.h"
#include "dataplane/pipeline/decide.h"

namespace postern {

struct Stage {
  // packet, user, spoof, destination-nat, route, rule, session, http-proxy, source-nat, hairpin
  std::string name;
  std::string result;  // one word: ok, none, refused, permit, masquerade, ...
  std::string text;    // for people; may be empty
  std::string item;    // the rule or mapping that decided; may be empty
  uint32_t line = 0;   // where it stands in the configuration; 0: nowhere, the compiler added it
};

struct Explanation {
  uint32_t generation = 0;
  std::string in;
  MadeUpPacket packet;
  std::vector<Stage> stages;             // in the order of the packet's way; the last one decided
  Outcome outcome = Outcome::drop;       // forward, host, deny or drop
  DropReason reason = DropReason::none;  // with drop and deny
  std::string rule;                      // the deciding one; empty: the default, or never asked
  // forward and host:
  std::string out;               // interface, or "gateway"
  Ipv4Address next_hop;          // forward
  Endpoint source, destination;  // as it leaves; a source port of 0: chosen at that time
};

Explanation explain(const Policy& policy, const MadeUpPacket& packet);

// {"generation", "packet", "stages": [{"stage", "result", ...}], "verdict", ...}
ExplainJson to_json(const Explanation& explanation);
// The same for people, from the JSON, whoever made it: this program or the daemon.
std::string text_of(const ExplainJson& explanation);

// The request of the administration socket (words as in packet_words.h) or of a command line,
// answered.
Result<ExplainJson> answer_explain(const Policy& policy, const ExplainJson& request);

}  // namespace postern
