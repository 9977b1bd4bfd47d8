// SPDX-License-Identifier: BSD-3-Clause
// Which ICMP messages are queries: they carry an identifier that a NAT may translate (RFC 5508
// section 3).
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

}  // namespace postern
