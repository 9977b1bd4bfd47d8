// SPDX-License-Identifier: BSD-3-Clause
// What decide() is to know of a packet, and whether it may begin anything.
#include "dataplane/nat/tcp_tracker.h"
#include "dataplane/packet/icmp_query.h"
#include "dataplane/pipeline/decide.h"

namespace postern {

FirstPacket first_of(const Packet& packet, InterfaceId in) {
  FirstPacket first;
  first.in = in;
  first.key = packet.key;
  first.tcp_flags = packet.tcp_flags;
  first.icmp_type = packet.icmp_type;
  first.icmp_code = packet.icmp_code;
  first.to_multicast_mac = packet.to_multicast_mac;
  return first;
}

// An ICMP reply stands where a request has its destination port (FlowKey).
bool may_open(const FirstPacket& packet) {
  if (packet.key.protocol == protocol::tcp) return opens_session(packet.tcp_flags);
  if (packet.key.protocol != protocol::icmp) return true;
  return !is_query_reply(packet.icmp_type);
}

}  // namespace postern
