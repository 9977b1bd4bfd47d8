// SPDX-License-Identifier: BSD-3-Clause
// review(): what a policy makes of a session that another one allowed, as far as rules, routes and
// translation go; for workers when a policy is new (C02), and for `postern plan` before it is.
#pragma once

#include "dataplane/nat/session.h"
#include "dataplane/pipeline/decide.h"

namespace postern {

struct Review {
  bool is_allowed = false;
  Decision decision;  // of its first packet, made again
};

// What a policy is not, but the judgement depends on.
struct Circumstances {
  // Of the dynamic mapping that a mapped_inbound session came in by; others need none.
  Endpoint internal;
  InterfaceId internal_interface = kNoInterface;
  const Identities* identities = nullptr;
};

// Pure; thread: any.
Review review(const Policy& policy, const Session& session, const SessionDetail& detail,
              const Circumstances& now);

}  // namespace postern
