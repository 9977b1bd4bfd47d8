// SPDX-License-Identifier: BSD-3-Clause
// Whether a change of the configuration would end the session of the remote administration that it
// comes by, or keep its owner from coming back: what the packet filter has against it is another
// question (explain/lock_out.h). Pure; thread: any.
#pragma once

#include <optional>
#include <string>

#include "control/config/model.h"
#include "control/explain/admin_connection.h"
#include "dataplane/policy/policy.h"

namespace postern::remote {

struct Insider {
  AdminConnection connection;
  std::string account;
  const config::User* local = nullptr;  // of this name in the account file; nullptr: not there
};

// One line that says why; empty: the way stays open.
std::optional<std::string> shuts_out(const config::Model& wanted, const Policy& policy,
                                     const Insider& insider);

}  // namespace postern::remote
