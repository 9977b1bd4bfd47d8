// SPDX-License-Identifier: BSD-3-Clause
// Who is at the other end of the administration socket, in words for the log and the history.
// Thread: control.
#pragma once

#include <string>

#include "control/admin/dispatcher.h"

namespace postern::admin {

// The name of a user of this machine, from /etc/passwd; empty: none there.
std::string login_name(uint32_t uid);

// The account of who logged in from elsewhere; else "alice", or "alice as root" for a process whose
// user is not the one who logged in
// (/proc/PID/loginuid). Names are those of /etc/passwd; others are "uid 1234".
std::string who_is(const Peer& peer);

}  // namespace postern::admin
