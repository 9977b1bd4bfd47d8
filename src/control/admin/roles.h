// SPDX-License-Identifier: BSD-3-Clause
// The least role that each command of the administration socket takes, in one list. A command that
// is not in it takes the role admin. Pure; thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/config/model_users.h"

namespace postern::admin {

// Whatever begins with "show " takes viewer, and no more.
config::Role least_role(std::string_view command);

// `text` without the hashes of passwords in it, for those who may look but not take them home.
std::string without_hashes(std::string_view text);
// The same of a configuration, and sure of the hashes of its `users`: `denied` where one is written
// so that it is not found (escaped, over several lines).
Result<std::string> without_hashes(std::string_view text, const config::Users& users);

}  // namespace postern::admin
