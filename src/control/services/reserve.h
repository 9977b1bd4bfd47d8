// SPDX-License-Identifier: BSD-3-Clause
// A reservation for a lease, written into the text of the configuration where its scope stands, so
// that the file stays the one truth. Everything else of the text is left as it is. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "control/config/model.h"
#include "services/dhcp/lease.h"

namespace postern {

// The text with one reservation more in the scope that has the lease's address; `model` is what the
// text means now. An error says why there is none: reserved already, no scope, or a place in the
// file where it cannot be put by itself.
Result<std::string> with_reservation(const std::string& text, const config::Model& model,
                                     const dhcp::Lease& lease);

}  // namespace postern
