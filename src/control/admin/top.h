// SPDX-License-Identifier: BSD-3-Clause
// What `postern top` asks for: counters of all kinds at one moment, from which it makes rates, and
// the talkers. Thread: control.
#pragma once

#include <memory>

#include "control/admin/dispatcher.h"

namespace postern {
class Gateway;
}

namespace postern::admin {

class Talkers;

// {"time_ns", "name", "sessions", "workers": [...], "interfaces": [...], "rules": [...],
// "drops": [...]}; only rules and reasons that occurred.
Json show_top(Gateway& gateway);

// {"talkers": [{"host", "sessions", "sent_bytes", ...}], "sessions_seen", "complete"}. Sessions are
// copied out of the workers a block at a time, so it answers later.
void show_talkers(Gateway& gateway, const std::shared_ptr<Talkers>& talkers, Reply reply);

}  // namespace postern::admin
