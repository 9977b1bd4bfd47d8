// SPDX-License-Identifier: BSD-3-Clause
// Users and groups as numbers for the packet path: a digest of the name, so that rules compiled at
// any time and log-ins at any time agree on them with no list kept (F27). Pure; thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/packet/match.h"

namespace postern {

// 64 bits of BLAKE2b, never 0. That two names of one gateway share a number is as good as
// impossible: kAccountsMax of them meet with a chance of one in 10^11.
SubjectId user_number(std::string_view name);
SubjectId group_number(std::string_view name);

// Of user items (config/user_items.h), which are valid. An empty list is all.
UserSet user_set_of(const std::vector<std::string>& items);

}  // namespace postern
