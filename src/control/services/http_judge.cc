// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_judge.h"

#include "dataplane/packet/packet.h"
#include "dataplane/pipeline/decide.h"

namespace postern {

bool may_reach(const Policy& policy, const Identities* identities, const Reach& reach) {
  const Route* back = policy.routes.find(reach.client);
  if (back == nullptr) return false;
  FirstPacket first;
  first.in = back->interface;
  first.key.source = reach.client.wire();
  first.key.destination = reach.destination.wire();
  first.key.source_port = be16(reach.client_port);
  first.key.destination_port = be16(reach.port);
  first.key.protocol = protocol::tcp;
  first.tcp_flags = tcp_flag::syn;
  first.identities = identities;
  const Decision decision = decide(policy, first, nullptr);
  // Permitted, whether the proxy listens for it or not (F56).
  if (decision.intercepted) return true;
  switch (decision.outcome) {
    case Outcome::forward:
    case Outcome::host:
      return true;
    case Outcome::hairpin: {
      const bool is_mapped =
          policy.nat.find_destination(protocol::tcp, reach.destination, reach.port) != nullptr;
      FirstPacket round = first;
      round.key.source = decision.external_address.wire();
      return is_mapped && decide_hairpin_inner(policy, round).outcome != Outcome::drop;
    }
    case Outcome::drop:
    case Outcome::deny:
    case Outcome::host_broadcast:
      break;
  }
  return false;
}

}  // namespace postern
