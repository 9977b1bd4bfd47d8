// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/tcp_tracker.h"

#include "dataplane/packet/flow_key.h"
#include "dataplane/packet/packet.h"

namespace postern {
namespace {

// What of a segment counts. A reset overrules everything in it, a SYN overrules FIN and ACK.
enum Event : uint8_t { other, syn, syn_ack, ack, fin, rst };
constexpr unsigned kEvents = 6;
constexpr unsigned kStates = static_cast<unsigned>(TcpState::resumed_reply) + 1;

Event event_of(uint8_t flags) {
  if (flags & tcp_flag::rst) return rst;
  if (flags & tcp_flag::syn) return flags & tcp_flag::ack ? syn_ack : syn;
  if (flags & tcp_flag::fin) return fin;
  return flags & tcp_flag::ack ? ack : other;
}

constexpr TcpState kNo = TcpState::none, kSent = TcpState::syn_sent, kRcvd = TcpState::syn_received,
                   kEst = TcpState::established, kFinO = TcpState::fin_original,
                   kFinR = TcpState::fin_reply, kClos = TcpState::closing, kRst = TcpState::reset,
                   kResO = TcpState::resumed_original, kResR = TcpState::resumed_reply;

// One row a state, one column an event. What is not a step leaves the state as it is:
// retransmissions, segments out of window and stray ones must not move it.
//  * established needs a SYN from both and then an ACK of the opener (RFC5382-REQ5, the table of
//    RFC 6146 3.5.2); a FIN of the opener carries that ACK too.
//  * A SYN that crosses ours is a simultaneous open (RFC5382-REQ2).
//  * A SYN of the opener on a closing or reset session opens it again; one of the responder does
//    not: that would be a connection which no rule was asked about.
//  * After a reset a session keeps working but only at the transitory timeout (RFC7857-2.2), so
//    that a forged reset does not cut a connection that is in use. When both sides go on without
//    another reset, it was a forged one, and the connection is as established as before. One side
//    alone does not say so: what was on its way when the other side gave up still arrives.
constexpr TcpState kOriginal[kStates][kEvents] = {
    //               other  syn    synack ack    fin    rst
    /* none     */ {kNo, kSent, kNo, kNo, kNo, kNo},
    /* sent     */ {kSent, kSent, kSent, kSent, kSent, kRst},
    /* received */ {kRcvd, kRcvd, kRcvd, kEst, kFinO, kRst},
    /* establ.  */ {kEst, kEst, kEst, kEst, kFinO, kRst},
    /* fin_orig */ {kFinO, kFinO, kFinO, kFinO, kFinO, kRst},
    /* fin_repl */ {kFinR, kFinR, kFinR, kFinR, kClos, kRst},
    /* closing  */ {kClos, kSent, kClos, kClos, kClos, kRst},
    /* reset    */ {kRst, kSent, kRst, kResO, kRst, kRst},
    /* resum_o  */ {kResO, kSent, kResO, kResO, kRst, kRst},
    /* resum_r  */ {kResR, kSent, kResR, kEst, kRst, kRst},
};
constexpr TcpState kReply[kStates][kEvents] = {
    //               other  syn    synack ack    fin    rst
    /* none     */ {kNo, kNo, kNo, kNo, kNo, kNo},
    /* sent     */ {kSent, kRcvd, kRcvd, kSent, kSent, kRst},
    /* received */ {kRcvd, kRcvd, kRcvd, kRcvd, kClos, kRst},
    /* establ.  */ {kEst, kEst, kEst, kEst, kFinR, kRst},
    /* fin_orig */ {kFinO, kFinO, kFinO, kFinO, kClos, kRst},
    /* fin_repl */ {kFinR, kFinR, kFinR, kFinR, kFinR, kRst},
    /* closing  */ {kClos, kClos, kClos, kClos, kClos, kRst},
    /* reset    */ {kRst, kRst, kRst, kResR, kRst, kRst},
    /* resum_o  */ {kResO, kResO, kResO, kEst, kRst, kRst},
    /* resum_r  */ {kResR, kResR, kResR, kResR, kRst, kRst},
};

}  // namespace

bool opens_session(uint8_t tcp_flags) {
  return event_of(tcp_flags) == syn;
}

TcpState advance(TcpState state, uint8_t tcp_flags, Direction direction) {
  unsigned row = static_cast<unsigned>(state);
  Event event = event_of(tcp_flags);
  return direction == Direction::original ? kOriginal[row][event] : kReply[row][event];
}

TimeoutClass timeout_class_of(uint8_t protocol, TcpState state) {
  switch (protocol) {
    case protocol::udp:
      return TimeoutClass::udp;
    case protocol::icmp:
      return TimeoutClass::icmp_query;
    case protocol::tcp:
      break;
    default:
      return TimeoutClass::other;
  }
  // RFC5382-REQ5: a connection closed by one side only is still established.
  bool is_open = state == TcpState::established || state == TcpState::fin_original ||
                 state == TcpState::fin_reply;
  return is_open ? TimeoutClass::tcp_established : TimeoutClass::tcp_transitory;
}

const char* to_word(TcpState state) {
  switch (state) {
    case TcpState::none:
      return "none";
    case TcpState::syn_sent:
      return "syn_sent";
    case TcpState::syn_received:
      return "syn_received";
    case TcpState::established:
      return "established";
    case TcpState::fin_original:
      return "fin_original";
    case TcpState::fin_reply:
      return "fin_reply";
    case TcpState::closing:
      return "closing";
    case TcpState::reset:
      return "reset";
    case TcpState::resumed_original:
      return "resumed_original";
    case TcpState::resumed_reply:
      return "resumed_reply";
  }
  return "none";
}

}  // namespace postern
