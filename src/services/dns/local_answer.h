// SPDX-License-Identifier: BSD-3-Clause
// What is answered without a server: hosts, leases, the local domain, the special zones, and
// questions that are not for a forwarder. Pure but for what it looks up.
#pragma once

#include "services/dns/reply.h"
#include "services/dns/zones.h"

namespace postern::dns {

struct LocalView {
  const LocalNames& names;
  const Zones& zones;
  uint32_t ttl_s;  // of names of ours
};

// Writes the answer; 0: the question is for a server, of the group in `zone` or the default ones.
size_t answer_locally(const LocalView& view, const Query& query, const ReplyShape& shape,
                      std::span<uint8_t> room, ZoneFound& zone);
// Classes and types that are not served: 0 when the question is an ordinary one.
size_t refuse_kind(const Query& query, const ReplyShape& shape, std::span<uint8_t> room);

}  // namespace postern::dns
