// SPDX-License-Identifier: BSD-3-Clause
// The logs over the administration socket:
//
//   "log tail"   {logs, rule, action, host, since_s, lines, fields} -> {lines: [...], cut}
//   "log follow" the same                              -> {follower, lines: [...], cut}
//   "log read"   {follower, fields}                    -> {lines: [...], lost}     again and again
//
// A line is {log, text}, with `fields` {log, fields}. `cut`: older lines would have fitted, but are
// in the files alone. Thread: control.
#pragma once

#include "control/admin/dispatcher.h"

namespace postern {
class Gateway;
}

namespace postern::admin {

void add_log_commands(Dispatcher& dispatcher, Gateway& gateway);

}  // namespace postern::admin
