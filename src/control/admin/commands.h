// SPDX-License-Identifier: BSD-3-Clause
// The commands of the administration socket. Thread: control.
#pragma once

#include "control/admin/dispatcher.h"

namespace postern {
class Gateway;
}

namespace postern::admin {

// Adds status, apply, explain and all that `postern show` asks for.
void add_commands(Dispatcher& dispatcher, Gateway& gateway);

}  // namespace postern::admin
