// SPDX-License-Identifier: BSD-3-Clause
// TCP state of a session as a gateway sees it: a table of (state, flags, direction) -> state, and
// the timeout class of each state (RFC 5382 REQ-5, RFC 7857 section 2).
#pragma once

#include <cstdint>

namespace postern {

enum class Direction : uint8_t { original = 0, reply = 1 };  // original: as its first packet went

enum class TcpState : uint8_t {
  none,          // not TCP
  syn_sent,      // SYN in the original direction
  syn_received,  // SYN both ways, or SYN+ACK seen
  established,
  fin_original,      // FIN from the opener
  fin_reply,         // FIN from the other side
  closing,           // FIN both ways
  reset,             // RST seen
  resumed_original,  // after it the opener has gone on
  resumed_reply,     // or the other side
};

enum class TimeoutClass : uint8_t {
  udp,
  tcp_transitory,
  tcp_established,
  icmp_query,
  other,
  count_
};
constexpr unsigned kTimeoutClasses = static_cast<unsigned>(TimeoutClass::count_);

// Whether a segment with these flags may open a session: SYN without ACK, RST, FIN (RFC 5382
// REQ-2).
bool opens_session(uint8_t tcp_flags);
TcpState advance(TcpState state, uint8_t tcp_flags, Direction direction);
TimeoutClass timeout_class_of(uint8_t protocol, TcpState state);
const char* to_word(TcpState state);

}  // namespace postern
