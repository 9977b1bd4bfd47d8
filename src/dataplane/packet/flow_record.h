// SPDX-License-Identifier: BSD-3-Clause
// FlowRecord: the begin or the end of a session or a mapping, or that there was no room for one,
// fixed size, written by a worker into its ring and exported by IPFIX (P20). Never one a packet.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/packet/packet.h"

namespace postern {

// What workers leave in their rings; part of the policy. Either: also that something is exhausted.
struct FlowExport {
  bool sessions = false;
  bool mappings = false;

  friend bool operator==(const FlowExport&, const FlowExport&) = default;
};

enum class FlowEvent : uint8_t {
  session_begin,  // of a session that is translated
  session_end,    // of any session
  mapping_begin,
  mapping_end,
  exhausted,  // no room for a session or a mapping; reason says of what
};

// Why a session ended, as flowEndReason of IPFIX has it.
enum class FlowEnd : uint8_t {
  none = 0,
  idle = 1,       // nothing came for its time
  finished = 3,   // by FIN or RST
  forced = 4,     // a new policy, a user's log-out
  resources = 5,  // given up for another session
};

struct FlowRecord {
  Instant at;
  // Packets as the opener sends them and as the responder does: each is the other's translation. Of
  // a mapping: the internal endpoint is the source of the former, the external endpoint the
  // destination of the latter; that is the external address, too, whose ports are exhausted.
  FlowKey original, reply;
  uint64_t bytes[2] = {0, 0};  // of IP packets; session_end
  uint64_t packets[2] = {0, 0};
  Instant created, last_seen;  // to a tick of about 17 ms; session_end
  FlowEvent event = FlowEvent::session_end;
  FlowEnd end = FlowEnd::none;
  DropReason reason = DropReason::none;  // exhausted
  // Where the original packets come in and leave: interface, kGateway, or kRecirculate.
  InterfaceId in = kNoInterface, out = kNoInterface;
  uint8_t icmp_type = 0, icmp_code = 0;  // of the first packet

  bool is_translated() const { return !(reply == original.reversed()); }
};
static_assert(sizeof(FlowRecord) <= 104);

}  // namespace postern
