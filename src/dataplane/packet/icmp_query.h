// SPDX-License-Identifier: BSD-3-Clause
// Which ICMP messages are queries: they carry an identifier that a NAT may translate (RFC 5508
// section 3). Pure; thread: any.
#pragma once

#include <cstdint>

#include "dataplane/wire/headers.h"

namespace postern {

// Its identifier stands as the source port of its key.
constexpr bool is_query_request(uint8_t type) {
  return type == icmp_type::echo_request || type == icmp_type::timestamp_request ||
         type == icmp_type::information_request || type == icmp_type::mask_request;
}
// Its identifier stands as the destination port of its key.
constexpr bool is_query_reply(uint8_t type) {
  return type == icmp_type::echo_reply || type == icmp_type::timestamp_reply ||
         type == icmp_type::information_reply || type == icmp_type::mask_reply;
}
constexpr bool has_query_id(uint8_t type) {
  return is_query_request(type) || is_query_reply(type);
}

// Echo, timestamp and the other queries are flows of their own where their identifiers are equal,
// so that a rule for one of them admits no other (F18). A query and its reply are of one kind,
// which is the request's type; other messages are of their own type.
constexpr uint16_t icmp_kind_of(uint8_t type) {
  if (type == icmp_type::echo_reply) return icmp_type::echo_request;
  // The replies of the others have the number after their request's.
  return is_query_reply(type) ? type - 1u : type;
}
static_assert(icmp_kind_of(icmp_type::mask_reply) == icmp_type::mask_request);

}  // namespace postern
