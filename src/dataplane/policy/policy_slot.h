// SPDX-License-Identifier: BSD-3-Clause
// PolicySlot: how policies come to the workers (table/publish_slot.h). Nothing may cross before the
// first one.
#pragma once

#include "dataplane/policy/policy.h"
#include "dataplane/table/publish_slot.h"

namespace postern {

using PolicySlot = PublishSlot<Policy>;

}  // namespace postern
