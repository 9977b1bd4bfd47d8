// SPDX-License-Identifier: BSD-3-Clause
// Whether a change of the policy would cut off whoever makes it: the connection to the gateway that
// the change comes by, judged by the old and the new policy. Pure; thread: any.
#pragma once

#include <optional>
#include <string>

#include "control/explain/admin_connection.h"
#include "dataplane/policy/policy.h"

namespace postern {

// One line that says why the connection, which `now` allows, would not pass under `wanted`; empty:
// it would, or it does not come by an interface of ours.
std::optional<std::string> locks_out(const Policy& now, const Policy& wanted,
                                     const AdminConnection& connection);

}  // namespace postern
